/** What a replica keeps on its disk, whatever keeps it. */
import type { HistoryEntry } from '../contract/control.ts'
import type { Digest } from '../pbft/protocol/ids.ts'
import type { LogRecord, Persisted } from '../pbft/protocol/records.ts'

export type StorageProblem =
  | 'in-use' // another process has the folder
  | 'foreign' // the folder belongs to another replica, cluster or format
  | 'corrupted' // the content is not what was written
  | 'failed' // the disk is full, or the system refuses

/** Fatal to this replica: it cannot promise anything any more. The message names the file. */
export class StorageError extends Error {
  readonly problem: StorageProblem

  constructor(problem: StorageProblem, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StorageError'
    this.problem = problem
  }
}

export interface HistoryRange {
  /** 0 and 0 when there is none. */
  readonly first: number
  readonly last: number
}

export interface Storage {
  /** Nothing is promised of what is committed, so committing it takes no time. */
  readonly instant: boolean
  /** What was committed before this process began. Called once, before the first commit. */
  load(): Persisted
  /** Makes records durable, as the cluster's durability says, before it returns; all of them or none. Throws StorageError. */
  commit(records: readonly LogRecord[]): void
  /** Committed batches with seq above `after`, ascending; at most `limit`, and after the first at most `bytesMax` bytes. */
  history(after: number, limit: number, bytesMax: number): HistoryEntry[]
  historyRange(): HistoryRange
  diskBytes(): number
  /** Whether what was opened is still there to be opened again. Throws StorageError when it was deleted or replaced. */
  check(): void
  close(): void
}

export interface HistoryBounds {
  readonly batchesMax: number
  readonly bytesMax: number
}

/** The last batches that stay to be read by the panel; what the protocol still needs stays whatever these say. */
export const diskHistory: HistoryBounds = { batchesMax: 100_000, bytesMax: 1_073_741_824 }
export const memoryHistory: HistoryBounds = { batchesMax: 10_000, bytesMax: 33_554_432 }

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')

export interface ExecutedBatch {
  readonly view: number
  readonly seq: number
  readonly digest: Digest
  readonly batch: { readonly bytes: Uint8Array }
  readonly results: readonly Uint8Array[]
}

/** An executed batch as the control link carries it. */
export const historyEntryOf = (executed: ExecutedBatch): HistoryEntry => ({
  seq: executed.seq,
  view: executed.view,
  digest: executed.digest,
  batch: base64(executed.batch.bytes),
  results: executed.results.map(base64),
})
