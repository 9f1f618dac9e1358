/**
 * The state of one replica, shared by the modules that each own one part of the protocol, and the few ways in which they let
 * effects out. Nothing here decides anything.
 */
import type { Suspended } from './authentication.ts'
import type { Capabilities } from './capabilities.ts'
import type { ProtocolConfig } from './config.ts'
import {
  asReplicaId,
  asSeqNo,
  asView,
  type ClientId,
  type ClientTimestamp,
  type Digest,
  type ReplicaId,
  type SeqNo,
  type View,
} from './ids.ts'
import type {
  Batch,
  Checkpoint,
  CheckpointEntry,
  Memory,
  NewView,
  ReplicaMessage,
  Request,
  StableCheckpoint,
  ViewChange,
} from './messages.ts'
import type { TreeSnapshot } from './partition-tree.ts'
import { PendingRequests } from './pending-requests.ts'
import { primaryOf, quorumSize, weakSize } from './quorum.ts'
import type { KnownDisk, LogRecord, LossReason } from './records.ts'
import { ReplicatedState } from './replicated-state.ts'
import type { Service } from './service.ts'
import { SlotLog } from './slots.ts'
import type { Tentative } from './tentative.ts'
import type { Transfer } from './transfer-plan.ts'
import type { Effect, ProtocolEvent, RejectionReason, TimerName } from './steps.ts'

/** A checkpoint of this replica's own whose state it can still serve. */
export interface HeldCheckpoint {
  readonly message: Checkpoint
  readonly snapshot: TreeSnapshot
  readonly takenAtMs: number
  /** When a peer last fetched from it, ms: one that is being fetched outlives garbage collection for a while. */
  fetchedAtMs: number
}

export interface CheckpointState {
  /** By seq; the stable one and those above it, and at most one older one that a peer is fetching. */
  readonly held: Map<number, HeldCheckpoint>
  /** Signed checkpoint messages by replica, ascending by seq. */
  readonly received: Checkpoint[][]
  /** h: the last stable checkpoint whose state this replica has. */
  stable: StableCheckpoint
  stableAtMs: number
  /** The highest checkpoint that a quorum has signed; above `stable` when this replica is behind. */
  proven: StableCheckpoint
  /** Sequence numbers whose divergence was reported. */
  readonly diverged: Set<number>
}

/** What the view-change timer runs for. */
export type Watched =
  | { readonly kind: 'request'; readonly client: ClientId; readonly timestamp: ClientTimestamp }
  | { readonly kind: 'slot'; readonly seq: SeqNo }
  | { readonly kind: 'new-view'; readonly view: View }

export interface ViewTimerState {
  watched: Watched | null
  /** When it is due by this replica's clock, ms. */
  dueAtMs: number
  delayMs: number
  /** View changes since the last progress: the exponent of the back-off. */
  consecutive: number
  /** Peers heard since the timer was set. */
  readonly heard: boolean[]
  heardCount: number
  /** How often expiry was put off because this replica is the one behind. */
  postponed: number
  /** What the last view-timer event said. */
  shown: number
}

/** On what the next batch with requests waits. */
export type WaitsOn = 'primary' | 'agreement' | 'nothing'

/** The account of the primary's time (pace.ts). */
export interface PaceState {
  waitsOn: WaitsOn
  /** When the account was last brought up to date, ms. */
  atMs: number
  debtMs: number
  /** What is left of the allowance for the present turn, ms. */
  allowedMs: number
  /** How often demands were halved, and since when they are as they are, ms. */
  lenience: number
  lenientSinceMs: number
}

export interface PeerReport {
  view: View
  active: boolean
  stableSeq: SeqNo
  lastExecuted: SeqNo
  /** It would leave its view for the slowness of the primary. */
  findsSlow: boolean
  /** Since when it has been alone in a view change, ms; and how often it was followed there. */
  strandedAtMs: number | null
  timesFollowed: number
  /** What was heard from it under its incarnation: highest view and seq. */
  heardView: View
  heardSeq: SeqNo
  diskChangedAtMs: number
  /** A status of it has come since this replica's start; and what it remembers of this replica. */
  answered: boolean
  ofMe: Memory | null
  /** It is on probation; the checkpoint that it waits for, and when it said so, ms. */
  probation: boolean
  goal: SeqNo | null
  goalAtMs: number
  /** While this replica is on probation: the lowest last checkpoint and the highest prepared seq that it has named; null: none. */
  named: { checkpoint: SeqNo; prepared: SeqNo } | null
  /** Empty batches that may still be ordered for its sake, and when that was reckoned last, ms. */
  emptyBatches: number
  emptyBatchesAtMs: number
}

/** Why a replica casts no votes. */
export type Silence =
  /** It has just started, and has not heard yet whether its peers remember more of it than its disk did at the start. */
  | { readonly kind: 'roll-call'; readonly view: View; readonly seq: SeqNo }
  | { readonly kind: 'probation'; readonly reason: LossReason; until: SeqNo | null }

/** A read that waits until everything that may have completed before it is executed here. */
export interface DeferredRead {
  readonly request: Request
  readonly after: SeqNo
}

export interface ReplicaState {
  readonly config: ProtocolConfig
  readonly capabilities: Capabilities
  readonly peers: readonly ReplicaId[]
  readonly quorum: number
  readonly weak: number
  readonly nullBatch: Batch
  readonly nullDigest: Digest
  readonly genesis: CheckpointEntry
  readonly replicated: ReplicatedState
  readonly log: SlotLog
  readonly pending: PendingRequests
  readonly reads: DeferredRead[]
  readonly checkpoints: CheckpointState
  readonly viewTimer: ViewTimerState
  readonly pace: PaceState
  readonly reports: PeerReport[]
  /** By signer: the places of contradictions that were told of. */
  readonly evidence: readonly Set<string>[]
  /** Latest valid view-change per sender, the own one included. */
  readonly viewChanges: Map<ReplicaId, ViewChange>
  /** Batches wanted by digest, and where they were chosen. */
  readonly missing: Map<Digest, SeqNo>
  /** Batches wanted because a quorum committed them; they are waited for in whatever view. */
  readonly unseen: Map<Digest, SeqNo>
  /** Pre-prepares of this view with requests that are not proven here, by seq; at most one each. */
  readonly suspended: Map<SeqNo, Suspended>
  /** Principals held to signatures, and since when, ms; the latest last. */
  readonly held: Map<string, number>
  /** Who did not vouch in time for a batch that it was to check, and when, ms. */
  readonly distrusted: Map<ReplicaId, number>
  proofTimerRuns: boolean

  /** Not null: it casts no votes and answers no client. */
  silence: Silence | null
  /** Of this replica's disk; 0 before the first start. */
  incarnation: number
  /** From which view on it votes under that; null: it cannot tell yet. */
  since: View | null
  /** Highest sequence number that this disk has ever spoken of. */
  highestSpoken: SeqNo
  /** By id, the own one included: which disk each replica has. Durable. */
  disks: readonly KnownDisk[]

  view: View
  active: boolean
  lastExecuted: SeqNo
  /** What was answered, in this view, for the batch after lastExecuted; null: nothing. */
  tentative: Tentative | null
  /** A view in which this replica is the primary and has had a batch prepared since it started. */
  establishedView: View | null
  /** The disk was not empty at the start, and no orderly end was on it: this replica may have forgotten what it proposed. */
  restarted: boolean
  /** The last record on disk says that nothing was promised after it. */
  endedInOrder: boolean
  /** Highest seq ordered in the current view: the primary goes on after it. */
  highestOrdered: SeqNo
  /** Highest seq that this replica ever prepared, in any view. */
  highestPrepared: SeqNo
  /** Highest time of any batch pre-prepared here, ms: agreed time will not stay below it. */
  highestTimeMs: number
  /** The new-view that began the current view, or the last one entered; null in view 0. */
  newView: NewView | null
  /** Entries of `newView.chosen` below this index are adopted. */
  adopted: number
  /** A state to install although it is not above lastExecuted: the own one differs from what a quorum signed. */
  repair: StableCheckpoint | null
  /** The partitions that the disk handed back at this start were not those of their checkpoint, at `seq`. */
  damage: { readonly seq: SeqNo; repaired: boolean } | null
  transfer: Transfer | null
  /** Fetch timer runs before a transfer begins: whether retransmission helps in the meantime. */
  laggingSince: SeqNo | null
  statusTimer: 'off' | 'idle' | 'busy'
  nowMs: number
  /** Some module has made another one's condition true: settle once more. */
  again: boolean
  out: Effect[]
}

const newReports = (n: number): PeerReport[] =>
  Array.from({ length: n }, () => ({
    view: asView(0),
    active: true,
    stableSeq: asSeqNo(0),
    lastExecuted: asSeqNo(0),
    findsSlow: false,
    strandedAtMs: null,
    timesFollowed: 0,
    heardView: asView(0),
    heardSeq: asSeqNo(0),
    diskChangedAtMs: Number.NEGATIVE_INFINITY,
    answered: false,
    ofMe: null,
    probation: false,
    goal: null,
    goalAtMs: 0,
    named: null,
    emptyBatches: 0,
    emptyBatchesAtMs: Number.NEGATIVE_INFINITY,
  }))

/** The state before anything has happened: view 0, genesis. */
export const createState = (config: ProtocolConfig, capabilities: Capabilities, service: Service): ReplicaState => {
  const nullBatch = capabilities.encodeBatch(0, [])
  const nullDigest = capabilities.digest(nullBatch.bytes)
  const replicated = new ReplicatedState((bytes) => capabilities.digest(bytes), service, config)
  const genesis: StableCheckpoint = { seq: asSeqNo(0), digest: replicated.root(), proof: [] }
  const everyone = Array.from({ length: config.n }, (_, i) => asReplicaId(i))
  return {
    config,
    capabilities,
    peers: everyone.filter((id) => id !== config.id),
    quorum: quorumSize(config.n),
    weak: weakSize(config.n),
    nullBatch,
    nullDigest,
    genesis: { seq: genesis.seq, digest: genesis.digest },
    replicated,
    log: new SlotLog(config.n, nullBatch, nullDigest),
    pending: new PendingRequests(),
    reads: [],
    checkpoints: {
      held: new Map(),
      received: everyone.map(() => []),
      stable: genesis,
      stableAtMs: 0,
      proven: genesis,
      diverged: new Set(),
    },
    viewTimer: {
      watched: null,
      dueAtMs: 0,
      delayMs: 0,
      consecutive: 0,
      heard: everyone.map(() => false),
      heardCount: 0,
      postponed: 0,
      shown: 0,
    },
    pace: { waitsOn: 'nothing', atMs: 0, debtMs: 0, allowedMs: 0, lenience: 0, lenientSinceMs: 0 },
    reports: newReports(config.n),
    evidence: everyone.map(() => new Set<string>()),
    viewChanges: new Map(),
    missing: new Map(),
    unseen: new Map(),
    suspended: new Map(),
    held: new Map(),
    distrusted: new Map(),
    proofTimerRuns: false,
    silence: null,
    incarnation: 0,
    since: null,
    highestSpoken: asSeqNo(0),
    disks: everyone.map(() => ({ incarnation: 0, since: null })),
    view: asView(0),
    active: true,
    lastExecuted: asSeqNo(0),
    tentative: null,
    establishedView: null,
    restarted: false,
    endedInOrder: false,
    highestOrdered: asSeqNo(0),
    highestPrepared: asSeqNo(0),
    highestTimeMs: 0,
    newView: null,
    adopted: 0,
    repair: null,
    damage: null,
    transfer: null,
    laggingSince: null,
    statusTimer: 'off',
    nowMs: 0,
    again: false,
    out: [],
  }
}

export const primary = (r: ReplicaState): ReplicaId => primaryOf(r.view, r.config.n)
export const isPrimary = (r: ReplicaState): boolean => r.view % r.config.n === r.config.id
/** h */
export const lowWatermark = (r: ReplicaState): SeqNo => r.checkpoints.stable.seq
/** H = h + L: the last sequence number accepted. */
export const highWatermark = (r: ReplicaState): SeqNo => asSeqNo(r.checkpoints.stable.seq + r.config.logWindow)
export const inWindow = (r: ReplicaState, seq: SeqNo): boolean => seq > r.checkpoints.stable.seq && seq <= highWatermark(r)

/** Less than `ms` ago. A clock that jumped back makes nothing young for ever. */
export const isYounger = (r: ReplicaState, atMs: number, ms: number): boolean => r.nowMs >= atMs && r.nowMs - atMs < ms

export const persist = (r: ReplicaState, record: LogRecord): void => {
  r.out.push({ type: 'persist', record })
}

/** To all peers, once every record before it is durable. */
export const promise = (r: ReplicaState, message: ReplicaMessage): void => {
  if (r.peers.length > 0) r.out.push({ type: 'send', to: r.peers, message, gated: true })
}

/** To one peer; gated unless it says nothing that a record has to back. */
export const sendTo = (r: ReplicaState, peer: ReplicaId, message: ReplicaMessage, gated = true): void => {
  r.out.push({ type: 'send', to: [peer], message, gated })
}

export const emit = (r: ReplicaState, event: ProtocolEvent): void => {
  r.out.push({ type: 'event', event })
}

export const reject = (r: ReplicaState, reason: RejectionReason, message: string, from: ReplicaId | ClientId | null): void => {
  r.out.push({ type: 'event', event: { type: 'rejected', reason, message, from } })
}

export const setTimer = (r: ReplicaState, timer: TimerName, delayMs: number): void => {
  r.out.push({ type: 'set-timer', timer, delayMs })
}

export const cancelTimer = (r: ReplicaState, timer: TimerName): void => {
  r.out.push({ type: 'cancel-timer', timer })
}
