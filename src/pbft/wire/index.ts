/** Messages and records as canonical bytes; hostile input is refused with a reason, never a throw. */
export { decodeBatch, encodeBatch, forgetRequests, nullBatch } from './batch.ts'
export { crc32 } from './crc32.ts'
export { digestFromBytes, digestToBytes } from './hex.ts'
export * from './limits.ts'
export { decodeMessage, encodeMessage } from './message.ts'
export { decodeReasons, type Decoded, type DecodeReason } from './reader.ts'
export { areBundled, decodeReplies, encodeReplies, headOfReplies, isBundle, sharedFrom, type RepliesHead } from './reply.ts'
export { decodeRecord, encodeRecord } from './record.ts'
export { decodeEntries, type RecordedEntry, type SendFate, type ShortEntry, type Timed } from './recorded.ts'
export {
  BlockWriter,
  blockBytesTarget,
  blockHeaderBytes,
  positionOf,
  readBlock,
  readBlockHead,
  segmentEntriesMax,
  segmentName,
  segmentOfName,
  type BlockHead,
} from './recorded-blocks.ts'
export { headOf, messageTypeOf, type MessageHead } from './head.ts'
export { decodeRequest, encodeRequest, type UnauthenticatedRequest } from './request.ts'
export {
  requestBody,
  requestContext,
  requestSignedBytes,
  requestSignedParts,
  signedBytes,
  proposalSignedPart,
  signedParts,
  stableSignedParts,
  type SignableMessage,
  type SignedPart,
  type Signer,
} from './signing.ts'
export { contradictionOf, statementContent, weighStatements, type Contradiction, type NoContradiction } from './statement.ts'
export { decodeUtf8, encodeUtf8, utf8Length } from './text.ts'
