/**
 * The shape of the core: one input in, a list of effects out.
 *
 * The order of effects is law. A `send` with `gated: true`, and every `reply`, may leave the process only when each `persist`
 * before it (in this step or an earlier one) is durable; everything else may go at once. So whatever promises something is
 * emitted after the records that back it, and a driver needs no other knowledge to be safe: it runs effects through one
 * queue and flushes the disk whenever a gated one waits.
 */
import type { ClientId, ClientTimestamp, Digest, ReplicaId, SeqNo, View } from './ids.ts'
import type {
  AuthenticationWanted,
  Checkpoint,
  CheckpointEntry,
  PrePrepare,
  Proposal,
  ReplicaMessage,
  Reply,
  Request,
  ViewChange,
} from './messages.ts'
import type { LogRecord, LossReason } from './records.ts'

/**
 * The timers of a replica; each is set (replacing an earlier setting), cancelled, and fires once.
 *  view-change  a known request is not executed, or the new view does not come
 *  status       the next status message is due
 *  fetch        a fetch of state transfer is overdue
 *  proof        what others check for this replica should be proven by now
 */
export type TimerName = 'view-change' | 'status' | 'fetch' | 'proof'

export type OperatorCommand =
  /** Start a view change as if the timer had fired. */
  { readonly kind: 'change-view' }

/**
 * genesis  empty, and whoever made the cluster says that this is the first start; granted once
 * kept     what was persisted is there, as far as its owner knows
 * lost     empty without that grant, or known to be no longer what it was: what this replica has promised is forgotten
 */
export type DiskOrigin = 'genesis' | 'kept' | 'lost'

export type Input =
  /** The first input of every run, also after a restart: timers start, a status goes out. */
  | { readonly type: 'start'; readonly disk: DiskOrigin }
  /**
   * Authenticated as coming over the link of replica `from`. `unverified` says which requests of a pre-prepare's batch (by index), or
   * that the forwarded request ([0]), may not be of their clients as far as this replica can tell: their MACs for it do not hold, or
   * their signatures were not checked because the core defers that (`ReplicaCore.defers`).
   */
  | { readonly type: 'message'; readonly from: ReplicaId; readonly message: ReplicaMessage; readonly unverified?: readonly number[] }
  /** From a client's own link; unless `isUnverified` its signature, or its MAC for this replica, holds. */
  | { readonly type: 'request'; readonly request: Request; readonly isUnverified?: boolean }
  /** The answer to `check-signatures`: whether all of them hold. */
  | { readonly type: 'signatures-checked'; readonly seq: SeqNo; readonly digest: Digest; readonly holds: boolean }
  | { readonly type: 'timer'; readonly timer: TimerName }
  /** The link to a peer is up (again). */
  | { readonly type: 'connected'; readonly peer: ReplicaId }
  /** The driver has handed in all that it had: time to propose what has gathered. Comes after every burst of inputs. */
  | { readonly type: 'drained' }
  | { readonly type: 'operator'; readonly command: OperatorCommand }
  /** The last input of an orderly end: when its effects are done, nothing more is stepped. */
  | { readonly type: 'stop' }

export type ViewChangeReason =
  /** The oldest request that waited. */
  | { readonly kind: 'request-timeout'; readonly client: ClientId; readonly timestamp: ClientTimestamp }
  /** The new view did not come, or did not execute anything, in time. */
  | { readonly kind: 'new-view-timeout'; readonly view: View }
  /** f+1 others want to leave. */
  | { readonly kind: 'joined'; readonly replicas: readonly ReplicaId[] }
  | { readonly kind: 'invalid-new-view'; readonly detail: string }
  /** It orders, but far more slowly than the replicas agree (pace.ts): by how much altogether, and who finds so or has left. */
  | { readonly kind: 'slow-primary'; readonly primary: ReplicaId; readonly lateMs: number; readonly replicas: readonly ReplicaId[] }
  /** The primary of the view came back from a restart and does not go on in it. */
  | { readonly kind: 'restarted' }
  /** The primary of the view has lost its disk, and says so itself. */
  | { readonly kind: 'primary-lost' }
  | { readonly kind: 'operator' }

/** Why the core did not take something; each is counted by the driver and shown to the operator. */
export type RejectionReason =
  /** Of a view that was left, or beyond the window of a replica that is behind: an honest peer sends such things. */
  | 'late'
  | 'wrong-sender'
  | 'wrong-view'
  | 'outside-watermarks'
  | 'digest-mismatch'
  | 'conflicting-pre-prepare'
  | 'time-out-of-bounds'
  | 'invalid-view-change'
  | 'invalid-new-view'
  | 'invalid-checkpoint'
  | 'invalid-partition'
  /** A view-change of a disk that was lost since. */
  | 'void-view-change'
  /** A client's request to a replica that may not answer yet. */
  | 'on-probation'
  | 'too-many-pending'
  | 'stale-timestamp'
  | 'not-a-read'
  /** The MACs of a client, which this replica could not verify. The client is asked for its signature. */
  | 'unverified-request'
  /** MACs of a client that is held to signatures, at the primary. The client is asked for its signature. */
  | 'held-to-signatures'
  /** A request in a pre-prepare has a signature that is not its client's. */
  | 'forged-request'

/** What can contradict another statement of its signer. */
export type SignedStatement = Proposal | Checkpoint | ViewChange

export type Phase = 'pre-prepared' | 'prepared' | 'committed' | 'executed'

export interface SeqSpan {
  readonly first: SeqNo
  readonly last: SeqNo
}

/** More of them say no more. */
export const nullSeqsMax = 100

/** A partition of the replicated state as one replica had it, and as it was agreed on. */
export interface DifferingPartition {
  readonly index: number
  readonly own: Uint8Array
  readonly agreed: Uint8Array
}

/** What an observer may want to know. Never read back by the core. */
export type ProtocolEvent =
  | {
      readonly type: 'phase'
      readonly phase: Phase
      readonly view: View
      readonly seq: SeqNo
      readonly digest: Digest
      readonly requests: number
    }
  | { readonly type: 'request-received'; readonly client: ClientId; readonly timestamp: ClientTimestamp }
  | { readonly type: 'view-timer'; readonly running: boolean; readonly delayMs: number }
  | { readonly type: 'view-change-started'; readonly view: View; readonly reason: ViewChangeReason }
  | {
      readonly type: 'view-change-received'
      readonly view: View
      readonly from: ReplicaId
      readonly stableSeq: SeqNo
      /** How many checkpoints its C has. */
      readonly checkpoints: number
      readonly prepared: number
      readonly prePrepared: number
      /** The lowest and highest sequence number of P and of Q; null: it is empty. */
      readonly preparedSpan: SeqSpan | null
      readonly prePreparedSpan: SeqSpan | null
    }
  | {
      readonly type: 'view-entered'
      readonly view: View
      readonly primary: ReplicaId
      readonly start: CheckpointEntry
      readonly chosen: number
      readonly nulls: number
      readonly chosenSpan: SeqSpan | null
      /** Sequence numbers that the new-view fills with the null request; the first `nullSeqsMax`. */
      readonly nullSeqs: readonly SeqNo[]
      readonly viewChangesFrom: readonly ReplicaId[]
    }
  | { readonly type: 'checkpoint'; readonly seq: SeqNo; readonly digest: Digest; readonly partitions: number; readonly bytes: number }
  | { readonly type: 'checkpoint-received'; readonly seq: SeqNo; readonly digest: Digest; readonly from: ReplicaId }
  | { readonly type: 'stable'; readonly seq: SeqNo; readonly digest: Digest; readonly replicas: readonly ReplicaId[] }
  /** The state on disk is not that of its checkpoint at `seq`; it is fetched from the others. */
  | { readonly type: 'damaged'; readonly seq: SeqNo; readonly expected: Digest; readonly found: Digest }
  /** Two digests at one sequence number: silent divergence or a liar. */
  | {
      readonly type: 'divergence'
      readonly seq: SeqNo
      readonly own: Digest | null
      readonly digests: readonly { readonly replica: ReplicaId; readonly digest: Digest }[]
    }
  /** Two statements of `signer` of one type for one place that differ (evidence.ts): anyone can see from them that it is faulty. */
  | { readonly type: 'evidence'; readonly signer: ReplicaId; readonly first: SignedStatement; readonly second: SignedStatement }
  | {
      readonly type: 'transfer'
      readonly state: 'started' | 'progress' | 'completed' | 'abandoned'
      readonly seq: SeqNo
      readonly verified: number
      readonly rejected: number
      readonly remaining: number
      readonly sources: readonly ReplicaId[]
    }
  /** The state that this replica had at `seq` was not the one that was agreed on, and has been replaced: the partitions that differed, ascending. */
  | { readonly type: 'differed'; readonly seq: SeqNo; readonly partitions: readonly DifferingPartition[] }
  /** This replica casts no votes. `until`: the checkpoint it has to reach, as soon as it can tell. */
  | {
      readonly type: 'probation'
      readonly state: 'began' | 'waiting' | 'ended'
      readonly reason: LossReason
      readonly until: SeqNo | null
      readonly incarnation: number
    }
  /** A peer came back with another disk than it had. */
  | { readonly type: 'disk-changed'; readonly replica: ReplicaId; readonly incarnation: number }
  | { readonly type: 'rejected'; readonly reason: RejectionReason; readonly message: string; readonly from: ReplicaId | ClientId | null }

export type Effect =
  | { readonly type: 'persist'; readonly record: LogRecord }
  /** `to` never contains the replica itself. */
  | { readonly type: 'send'; readonly to: readonly ReplicaId[]; readonly message: ReplicaMessage; readonly gated: boolean }
  | { readonly type: 'reply'; readonly reply: Reply }
  /** The signatures of the requests in a pre-prepare that were not checked before have to be now: `signatures-checked` answers. */
  | { readonly type: 'check-signatures'; readonly message: PrePrepare }
  /** To a client, over the links of its principal; promises nothing. */
  | { readonly type: 'want-signature'; readonly message: AuthenticationWanted }
  | { readonly type: 'set-timer'; readonly timer: TimerName; readonly delayMs: number }
  | { readonly type: 'cancel-timer'; readonly timer: TimerName }
  | { readonly type: 'event'; readonly event: ProtocolEvent }

export interface ProbationState {
  /** The checkpoint that it has to reach; null: not enough peers have said how far they are. */
  readonly until: SeqNo | null
  /** Peers that may tell it (those that have not lost their own disk), and how many it takes. */
  readonly heard: number
  readonly needed: number
}

/** A replica's own account of itself; what the control link reports. */
export interface ReplicaSnapshot {
  readonly view: View
  readonly active: boolean
  readonly primary: ReplicaId
  readonly lastExecuted: SeqNo
  readonly lowWatermark: SeqNo
  readonly highWatermark: SeqNo
  readonly stableDigest: Digest
  /** Requests known and not executed. */
  readonly pending: number
  /** Sequence numbers above lastExecuted that are pre-prepared here. */
  readonly inFlight: number
  readonly viewTimeoutMs: number
  /** When the view-change timer fires, ms since the epoch; null: it does not run. */
  readonly viewTimerDueAtMs: number | null
  readonly transferring: boolean
  /** The state on disk was damaged at this start; null: it was not. */
  readonly damage: { readonly seq: SeqNo; readonly repaired: boolean } | null
  /** Pre-prepares that wait for proof that clients sent what is in them. */
  readonly suspended: number
  /** Principals that are held to signatures. */
  readonly held: readonly string[]
  /** Not null: it has lost its disk and casts no votes. */
  readonly probation: ProbationState | null
  /** Agreed time of the last executed batch, ms. */
  readonly timeMs: number
}

/** The replica's interface to its drivers; `createReplica` in replica.ts makes one. */
export interface ReplicaCore {
  /** Advances by one input at `nowMs` (ms since the epoch; may jump either way, the core never relies on it for safety). */
  step(input: Input, nowMs: number): Effect[]
  /** Whether the signatures of the requests in this pre-prepare, whose own signature holds, may go unchecked for now. */
  defers(message: PrePrepare): boolean
  snapshot(): ReplicaSnapshot
  /** Root of the partition tree as of lastExecuted. Costs what changed since it was last asked for. */
  stateDigest(): Digest
}
