/**
 * What a replica writes to its disk. Records are replayed in the order in which they were persisted; that order is the whole
 * of a replica's memory. The disk drops (it may do so lazily, and only does so on a `stable` record):
 *  - `pre-prepared`, `prepared`, `executed` and `batch` records up to the lower of the stable checkpoint's seq and the seq of the
 *    last `checkpoint` record: what lies above the state on disk is needed to come back to where this replica was;
 *  - every record but the last of its kind, of the kinds in `singularKinds`.
 * Partitions are kept by index, the last write wins, and are handed back together with the last `checkpoint` record.
 */
import type { Digest, SeqNo, View } from './ids.ts'
import type { Batch, CertificateEntry, Checkpoint, NewView, StableCheckpoint, ViewChange } from './messages.ts'

export interface PartitionBytes {
  readonly index: number
  readonly bytes: Uint8Array
}

export type LogRecord =
  /** Backs a pre-prepare (at the primary) or a prepare (at a backup). */
  | {
      readonly kind: 'pre-prepared'
      readonly view: View
      readonly seq: SeqNo
      readonly digest: Digest
      readonly batch: Batch
      readonly signature: Uint8Array
    }
  /** Backs a commit: a prepared certificate was held. */
  | { readonly kind: 'prepared'; readonly view: View; readonly seq: SeqNo; readonly digest: Digest }
  /** The batch was committed and executed; `results` are in the order of the batch's requests (a skipped duplicate has its cached result). */
  | {
      readonly kind: 'executed'
      readonly view: View
      readonly seq: SeqNo
      readonly digest: Digest
      readonly batch: Batch
      readonly results: readonly Uint8Array[]
    }
  /** The bytes of a batch that a new-view chose and that had to be fetched. */
  | { readonly kind: 'batch'; readonly seq: SeqNo; readonly digest: Digest; readonly batch: Batch }
  /** Backs this replica's view-change: it has left every lower view. */
  | { readonly kind: 'view-change'; readonly message: ViewChange }
  /**
   * The new view was entered; its chosen batches count as pre-prepared in it once their bytes are at hand. `prepared` and
   * `prePrepared` are this replica's own P and Q as it entered: what it knew only from the new-view before, whose record goes.
   */
  | {
      readonly kind: 'new-view'
      readonly message: NewView
      readonly prepared: readonly CertificateEntry[]
      readonly prePrepared: readonly CertificateEntry[]
    }
  /** A checkpoint was taken (or fetched, `transferred`): the partitions that changed since the last one, or all of them. */
  | {
      readonly kind: 'checkpoint'
      readonly message: Checkpoint
      /** Agreed time of the last executed batch, ms. */
      readonly timeMs: number
      readonly partitions: readonly PartitionBytes[]
      readonly transferred: boolean
    }
  /** The checkpoint became stable here: h moves, records up to it may go. */
  | { readonly kind: 'stable'; readonly stable: StableCheckpoint }
  /** The first record of every disk: whose it is; `lost`: why it is on probation, null when it is not. */
  | { readonly kind: 'born'; readonly incarnation: number; readonly since: View | null; readonly lost: LossReason | null }
  /** An orderly end, after which nothing was promised: if it is the last record, this disk tells all that was ever proposed. */
  | { readonly kind: 'stopped' }
  /** Follows a `stopped` record before anything is promised again. */
  | { readonly kind: 'started' }
  /** Which disk each replica is known to have, by id: what its own lost one said is void by this (probation.ts). */
  | { readonly kind: 'disks'; readonly disks: readonly KnownDisk[] }

/** no-disk: there was none, and no leave to begin; old-disk: peers remember more than it does. */
export type LossReason = 'no-disk' | 'old-disk'

export interface KnownDisk {
  /** 0: never heard of. */
  readonly incarnation: number
  readonly since: View | null
}

/** The kinds of which only the last record counts. */
export const singularKinds = [
  'view-change',
  'new-view',
  'stable',
  'born',
  'disks',
  'stopped',
  'started',
] as const satisfies readonly LogRecord['kind'][]

/** What the disk hands back at start. An empty disk has no partitions and no records. */
export interface Persisted {
  /** The partitions as of the last `checkpoint` record. */
  readonly partitions: readonly PartitionBytes[]
  readonly records: readonly LogRecord[]
}
