/** What the panel shows: the host's model of the cluster, as screens and scripts read it. JSON-safe throughout. */
import type { EvidenceKind, Statement } from './evidence.ts'
import type { ActiveFault } from './faults.ts'
import type { Authentication, Durability, Parameters } from './manifest.ts'
import type { DecodedOperation, OperationResult } from './operations.ts'
import type { ErrorCode } from './result.ts'

export type ReplicaState =
  | 'starting'
  | 'live'
  | 'stale' // connected, nothing heard for 2 s
  | 'unreachable'
  | 'isolated'
  | 'paused'
  | 'stopped'
  | 'recovering' // state transfer, on probation, or restarted on purpose (proactive recovery)
  | 'faulty' // by the operator's choice
  | 'diverged'

/** How far a replica's state transfer is, in pieces of the state. */
export interface StateTransfer {
  /** Of the checkpoint that it fetches. */
  readonly seq: number
  readonly verified: number
  readonly rejected: number
  readonly remaining: number
  /** Replicas that it asks. */
  readonly sources: readonly number[]
  /** For how long it has been going on, ms. */
  readonly runningMs: number
}

/** What an operator does to a replica. corrupt: one byte of its state changes in memory, unnoticed until the next checkpoint. */
export const replicaActions = ['start', 'stop', 'restart', 'kill', 'wipe', 'corrupt'] as const

export interface ReplicaStatus {
  readonly id: number
  readonly state: ReplicaState
  /** Started by this host; only then can it be started, stopped, killed and wiped here. */
  readonly local: boolean
  readonly pid: number | null
  readonly host: string
  readonly port: number
  readonly publicKey: string
  /** ms since the epoch of the last word from it; null: never heard. */
  readonly heardAt: number | null
  readonly allowsFaults: boolean
  readonly view: number | null
  readonly active: boolean
  readonly isPrimary: boolean
  readonly lastExecuted: number | null
  readonly lowWatermark: number | null
  readonly highWatermark: number | null
  readonly stateDigest: string | null
  /** The seq that stateDigest belongs to. */
  readonly stateDigestSeq: number | null
  readonly pending: number
  readonly inFlight: number
  readonly viewTimeoutMs: number | null
  /** Until its view-change timer fired, when it was heard last (`heardAt`), ms; null: it did not run. */
  readonly viewTimerLeftMs: number | null
  /** It has lost its disk and takes no part until the checkpoint at `until`; null there: too few peers have said how far they are. */
  readonly probation: { readonly until: number | null; readonly heard: number; readonly needed: number } | null
  readonly transfer: StateTransfer | null
  readonly peersHeard: readonly number[]
  readonly clients: number
  readonly requestsPerSecond: number
  readonly batchSizeMean: number
  /** 0..1 of one core. */
  readonly cpu: number
  readonly memoryBytes: number
  readonly diskBytes: number
  /** Replica's clock minus the host's, ms, as seen over the control link. */
  readonly clockOffsetMs: number
  readonly eventsDropped: number
  /** What it refused, by reason; from the core and from its links. */
  readonly rejections: Readonly<Record<string, number>>
  /** Why the process ended last, when it did. */
  readonly exit: {
    readonly code: number | null
    readonly signal: string | null
    readonly at: number
    readonly message: string | null
  } | null
}

export type VerdictState = 'healthy' | 'degraded' | 'stuck' | 'stopped' | 'unknown'

/** A sentence as a message key with parameters, so that screens say it in any language; `sentence` is it in English. */
export interface Verdict {
  readonly state: VerdictState
  readonly sentence: string
  readonly key: string
  readonly parameters: Readonly<Record<string, string | number>>
  /** Since when, ms since the epoch. */
  readonly since: number
  /** What it rests on, for screens to lead there. */
  readonly basis: { readonly replicas: readonly number[]; readonly seq: number | null; readonly view: number | null }
}

export const monitorNames = ['agreement', 'no-gaps', 'exactly-once', 'digests-equal', 'progress'] as const
export type MonitorName = (typeof monitorNames)[number]

export interface Monitor {
  readonly name: MonitorName
  readonly state: 'holds' | 'violated' | 'unknown'
  /** What it rests on, or what broke it, as a message key with parameters; `detail` is it in English. */
  readonly key: string
  readonly parameters: Readonly<Record<string, string | number>>
  readonly detail: string
  readonly since: number
}

export interface ClusterStatus {
  readonly name: string
  readonly clusterId: string
  readonly folder: string
  readonly durability: Durability
  readonly authentication: Authentication
  readonly parameters: Parameters
  readonly verdict: Verdict
  readonly n: number
  readonly f: number
  readonly quorum: number
  /** As a weak certificate of reachable replicas sees it; null when unknown. */
  readonly view: number | null
  readonly primary: number | null
  /** How many more replicas may fail before requests stop completing; 0 or more. */
  readonly toleratesMore: number
  readonly lastExecuted: number
  readonly lastCommittedAt: number | null
  readonly requestsPerSecond: number
  readonly replicas: readonly ReplicaStatus[]
  readonly faults: readonly ActiveFault[]
  readonly monitors: readonly Monitor[]
  /** Host's clock when this was made, ms. */
  readonly at: number
}

export type SlotPhase = 'pre-prepared' | 'prepared' | 'committed' | 'executed' | 'transferred'

export interface LogRequest {
  readonly client: string
  readonly timestamp: number
  readonly operation: DecodedOperation
  /** null: executed earlier under another seq (a duplicate), or not known here. */
  readonly result: OperationResult | null
}

/** One committed batch. */
export interface LogEntry {
  readonly seq: number
  readonly view: number
  readonly digest: string
  /** Agreed time, ms; 0 for a null request. */
  readonly timeMs: number
  readonly requests: readonly LogRequest[]
  /** How far each replica is known to have got, by id. */
  readonly replicas: Readonly<Record<string, SlotPhase>>
  /** Pre-prepare to execution at the first replica that executed it, ms; null when not observed. */
  readonly latencyMs: number | null
}

/** When one replica reached each phase for one seq (its own clock corrected by the measured offset), ms since the epoch. */
export interface LedgerRow {
  readonly replica: number
  readonly view: number
  readonly digest: string
  readonly prePreparedAt: number | null
  readonly preparedAt: number | null
  readonly committedAt: number | null
  readonly executedAt: number | null
  readonly transferred: boolean
}

export interface LogEntryDetail extends LogEntry {
  readonly ledger: readonly LedgerRow[]
  readonly quorum: number
  readonly primary: number
}

/** What one replica holds at one seq: the batch's digest, and that of its results. */
export interface HeldEntry {
  readonly view: number
  readonly digest: string
  readonly results: string
}

/** The histories of the replicas themselves, side by side. */
export interface LogComparison {
  readonly rows: readonly {
    readonly seq: number
    /** All who hold it hold the same. */
    readonly equal: boolean
    /** By replica id; null: it does not hold this seq. */
    readonly replicas: Readonly<Record<string, HeldEntry | null>>
  }[]
  /** Replicas that did not answer. */
  readonly silent: readonly number[]
  readonly firstDifference: number | null
  /** Pass as `after` for the next page; null at the end. */
  readonly next: number | null
}

export interface LogPage {
  readonly entries: readonly LogEntry[]
  /** Pass as `after` for the next page; null at the end. */
  readonly next: number | null
  /** Bounds of what is kept; 0 and 0 when empty. */
  readonly first: number
  readonly last: number
}

export interface SeqSpan {
  readonly first: number
  readonly last: number
}

export interface ViewVote {
  readonly replica: number
  readonly at: number
  readonly reason: string | null
  readonly stableSeq: number | null
  /** How many entries C, P and Q have; null: the message was not seen to arrive anywhere. */
  readonly checkpoints: number | null
  readonly prepared: number | null
  readonly prePrepared: number | null
  /** The lowest and highest seq of P and Q; null: not known, or there is none. */
  readonly preparedSpan: SeqSpan | null
  readonly prePreparedSpan: SeqSpan | null
}

export interface ViewInfo {
  readonly view: number
  readonly primary: number
  /** When the first replica entered it; null while its view change is under way. */
  readonly began: number | null
  /** When the first replica left the view before. */
  readonly started: number | null
  /** English sentence: "3 of 4 replicas timed out on a request of operator/panel". */
  readonly reason: string
  readonly reasonKey: string
  readonly reasonParameters: Readonly<Record<string, string | number>>
  readonly votes: readonly ViewVote[]
  readonly start: { readonly seq: number; readonly digest: string } | null
  readonly chosen: number | null
  readonly nulls: number | null
  readonly chosenSpan: SeqSpan | null
  /** Seqs that the new-view filled with the null request; the first 100. */
  readonly nullSeqs: readonly number[]
  /** From the first request that waited to the first execution in this view, ms; null: none was seen to wait, or nothing was executed. */
  readonly outageMs: number | null
  readonly entered: readonly number[]
}

export interface CheckpointInfo {
  readonly seq: number
  readonly stable: boolean
  /** By replica id. */
  readonly digests: Readonly<Record<string, string>>
  /** When each digest was heard of first, by replica id. */
  readonly digestsAt: Readonly<Record<string, number>>
  readonly at: number
  readonly stableAt: Readonly<Record<string, number>>
  readonly bytes: number | null
  readonly diverged: boolean
}

/** Two statements that a replica signed and that contradict each other: anyone who has its public key can check it. */
export interface Evidence {
  readonly id: string
  readonly kind: EvidenceKind
  readonly signer: number
  /** null for checkpoints. */
  readonly view: number | null
  /** null for view-changes. */
  readonly seq: number | null
  /** The signed bytes (domain, cluster, fields) and the Ed25519 signature over them, in hex. */
  readonly first: Statement
  readonly second: Statement
  /** When the first replica held both, ms since the epoch. */
  readonly at: number
  readonly seenBy: readonly number[]
}

/** `tentative`: first answered for a batch that has prepared, and may not commit. `replied`: first answered for good. */
export const requestStages = [
  'sent',
  'pre-prepared',
  'prepared',
  'tentative',
  'committed',
  'executed',
  'replied',
  'completed',
  'failed',
] as const
export type RequestStage = (typeof requestStages)[number]

export interface RequestInfo {
  readonly id: string
  readonly client: string
  readonly timestamp: number
  readonly operation: DecodedOperation
  readonly stages: readonly { readonly stage: RequestStage; readonly at: number; readonly detail: string | null }[]
  readonly resends: number
  readonly repliers: readonly number[]
  readonly repliesNeeded: number
  readonly outcome:
    | { readonly state: 'pending' }
    | {
        readonly state: 'completed'
        readonly result: OperationResult
        readonly view: number
        readonly seq: number
        readonly latencyMs: number
      }
    | { readonly state: 'failed'; readonly code: ErrorCode; readonly message: string }
}

/** One second of the run. */
export interface Sample {
  /** Start of the second, ms since the epoch. */
  readonly at: number
  readonly requests: number
  /** Of requests that this host's clients sent; null when there were none. */
  readonly p50Ms: number | null
  readonly p95Ms: number | null
  readonly p99Ms: number | null
  readonly view: number | null
  readonly faults: number
}

export interface Alarm {
  readonly id: string
  readonly at: number
  readonly severity: 'info' | 'warning' | 'critical'
  readonly key: string
  readonly parameters: Readonly<Record<string, string | number>>
  readonly sentence: string
}

export interface LoadStatus {
  readonly running: boolean
  readonly clients: number
  readonly sent: number
  readonly completed: number
  readonly failed: number
  readonly requestsPerSecond: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly startedAt: number | null
  readonly endsAt: number | null
}

export interface ClusterSummary {
  readonly name: string
  readonly folder: string
  readonly replicas: number
  readonly created: string
  readonly open: boolean
}

/** Where the host is in opening a cluster. */
export interface HostState {
  readonly phase: 'closed' | 'opening' | 'open' | 'closing'
  readonly cluster: string | null
  /** What it is doing now, as a message key with parameters and in English. */
  readonly stage: { readonly key: string; readonly parameters: Readonly<Record<string, string | number>>; readonly sentence: string } | null
  readonly error: { readonly code: ErrorCode; readonly message: string } | null
  /** Id of the recorded run that is shown instead of a live cluster: nothing can be done to it. */
  readonly run: string | null
}

export interface DiagnosticsFile {
  /** Where it was written, on the host's machine. */
  readonly file: string
  readonly bytes: number
}

export interface About {
  readonly version: string
  readonly shell: 'electron' | 'browser'
  readonly versions: Readonly<Record<string, string>>
  readonly dataFolder: string
  readonly logsFolder: string
  readonly locale: string
}
