/** Durability `none`: nothing is kept but the last batches, for the panel to read. A restart is a replica that knows nothing. */
import type { HistoryEntry } from '../contract/control.ts'
import type { LogRecord } from '../pbft/protocol/records.ts'
import { historyEntryOf, memoryHistory, type ExecutedBatch, type HistoryBounds, type Storage } from './storage.ts'

const sizeOf = (executed: ExecutedBatch): number =>
  executed.results.reduce((sum, result) => sum + result.length, executed.batch.bytes.length)

export const createMemoryStorage = (bounds: HistoryBounds = memoryHistory): Storage => {
  /** In the order of seq: batches are executed in it. */
  const executed = new Map<number, ExecutedBatch>()
  let bytes = 0
  let last = 0

  const keep = (record: ExecutedBatch): void => {
    executed.set(record.seq, record)
    bytes += sizeOf(record)
    last = record.seq
    for (const [seq, oldest] of executed) {
      if ((executed.size <= bounds.batchesMax && bytes <= bounds.bytesMax) || executed.size === 1) break
      executed.delete(seq)
      bytes -= sizeOf(oldest)
    }
  }

  return {
    instant: true,
    load: () => ({ partitions: [], records: [] }),
    commit(records: readonly LogRecord[]) {
      for (const record of records) if (record.kind === 'executed') keep(record)
    },
    history(after, limit, bytesMax) {
      const entries: HistoryEntry[] = []
      let taken = 0
      for (const record of executed.values()) {
        if (record.seq <= after) continue
        taken += sizeOf(record)
        if (entries.length === limit || (entries.length > 0 && taken > bytesMax)) break
        entries.push(historyEntryOf(record))
      }
      return entries
    },
    historyRange() {
      const first = executed.keys().next().value
      return first === undefined ? { first: 0, last: 0 } : { first, last }
    },
    diskBytes: () => 0,
    check: () => undefined,
    close: () => executed.clear(),
  }
}
