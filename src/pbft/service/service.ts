/** The replicated service: the key-value store and the ledger side by side. */
import type { Service } from '../protocol/service.ts'
import { UndoLog } from '../protocol/undo-log.ts'
import { createKvMap, executeKv, type KvMap } from './kv.ts'
import { Ledger } from './ledger.ts'
import type { NarrowText } from './fields.ts'
import { isReadOperation, parseOperation, type Operation } from './operations.ts'
import { encodeResult, type OperationResult } from './results.ts'

/** The first partitions are the key-value store's, the others the ledger's. Fixed: state digests depend on it. */
const kvPartitions = 1_024
const ledgerPartitions = 64

const tooLarge = encodeResult({ ok: false, error: 'too-large' })
const notAnOperation = encodeResult({ ok: false, error: 'not-an-operation' })

/** A service whose state can be copied as it stands. */
export interface CopyableService extends Service {
  /** One in the same state that goes its own way. */
  copy(): CopyableService
}

/** An empty store and an empty ledger. `narrow`: how the platform reads text, if it can do so faster than code in this room. */
export const createService = (narrow?: NarrowText): CopyableService => {
  const undo = new UndoLog()
  return serviceOf(createKvMap(kvPartitions, undo), new Ledger(ledgerPartitions, undo), undo, narrow)
}

/** `undo` is what `kv` and `ledger` note their changes in. */
const serviceOf = (kv: KvMap, ledger: Ledger, undo: UndoLog, narrow: NarrowText | undefined): CopyableService => {
  const run = (operation: Operation): OperationResult => ('key' in operation ? executeKv(kv, operation) : ledger.execute(operation))
  return {
    refusal: (reason) => encodeResult({ ok: false, error: reason }),
    execute(bytes, { resultBytesMax }) {
      const operation = parseOperation(bytes, narrow)
      if (operation === null) return notAnOperation.slice()
      // What is refused must not have changed anything: a delete answers what it takes away, so that is looked at first.
      const before = operation.type === 'delete' ? encodeResult(run({ type: 'get', key: operation.key })) : null
      if (before !== null && before.length > resultBytesMax) return tooLarge.slice()
      const result = run(operation)
      const encoded = encodeResult(result)
      const changedNothing = operation.type === 'get' || !result.ok
      return changedNothing && encoded.length > resultBytesMax ? tooLarge.slice() : encoded
    },
    takingBack: (body) => undo.takingBack(body),
    query(bytes) {
      const operation = parseOperation(bytes, narrow)
      return operation !== null && isReadOperation(operation) ? encodeResult(run(operation)) : null
    },
    copy() {
      const own = new UndoLog()
      return serviceOf(kv.copy(own), ledger.copy(own), own, narrow)
    },
    partitionCount: kvPartitions + ledgerPartitions,
    takeDirtyPartitions() {
      return [...kv.takeDirty(), ...ledger.takeDirty().map((index) => kvPartitions + index)]
    },
    savePartition(index) {
      return index < kvPartitions ? kv.save(index) : ledger.save(index - kvPartitions)
    },
    loadPartition(index, bytes) {
      if (!Number.isInteger(index) || index < 0 || index >= kvPartitions + ledgerPartitions) return false
      return index < kvPartitions ? kv.load(index, bytes) : ledger.load(index - kvPartitions, bytes)
    },
  }
}

export interface PartitionDifference {
  readonly part: 'store' | 'accounts' | 'total'
  /** Keys of the store or accounts that differ, ascending. */
  readonly keys: readonly string[]
}

/** What differs between two states of one of the service's partitions; bytes that are none count as empty. null: there is no such partition. */
export const partitionDifference = (index: number, first: Uint8Array, second: Uint8Array): PartitionDifference | null => {
  if (!Number.isInteger(index) || index < 0 || index >= kvPartitions + ledgerPartitions) return null
  if (index < kvPartitions) {
    const [one, other] = [first, second].map((bytes) => {
      const map = createKvMap(kvPartitions, new UndoLog())
      map.load(index, bytes)
      return map
    }) as [KvMap, KvMap]
    return { part: 'store', keys: one.differingKeys(index, other) }
  }
  const [one, other] = [first, second].map((bytes) => {
    const ledger = new Ledger(ledgerPartitions, new UndoLog())
    ledger.load(index - kvPartitions, bytes)
    return ledger
  }) as [Ledger, Ledger]
  const accounts = one.differingAccounts(index - kvPartitions, other)
  return accounts === null ? { part: 'total', keys: [] } : { part: 'accounts', keys: accounts }
}
