/** The replicated service, and its operations and results as bytes. */
export { textUnitsMax, type NarrowText } from './fields.ts'
export { decodeOperation, encodeOperation, isReadOperation, keyUnitsMax, type DecodedOperation, type Operation } from './operations.ts'
export { partitionBytesMax } from './partitioned-map.ts'
export { decodeResult, encodeResult, type OperationErrorCode, type OperationResult } from './results.ts'
export { createService, partitionDifference, type CopyableService, type PartitionDifference } from './service.ts'
