/**
 * Every call that a screen or script may make, typed once for both sides. A shell carries
 * `(method, params) -> Result<value>`; the host validates `params` by the schema here, whoever calls.
 */
import * as v from 'valibot'
import type { EvidenceDetail, EvidenceExport } from './evidence.ts'
import { faultRequestSchema, type ActiveFault } from './faults.ts'
import { authenticationSchema, durabilitySchema, parametersSchema, replicasMax } from './manifest.ts'
import { messagesMax, type MessageDetail, type MessagesOverview, type MessagesPage } from './messages.ts'
import { replicaActions } from './model.ts'
import type {
  About,
  Alarm,
  Evidence,
  CheckpointInfo,
  ClusterStatus,
  ClusterSummary,
  DiagnosticsFile,
  HostState,
  LoadStatus,
  LogComparison,
  LogEntryDetail,
  LogPage,
  ReplicaStatus,
  RequestInfo,
  Sample,
  ViewInfo,
} from './model.ts'
import { annotationTextSchema, exportKinds, filePartBytesMax, recordingSettingsSchema, runIdSchema, runNameSchema } from './runs.ts'
import type { Annotation, ExportedFile, ExportPart, RunComparison, RunInfo, RunList } from './runs.ts'
import type { RecoveryStatus } from './recovery.ts'
import type { RecordedProcessInfo, ReplayMoment, ReplaySessionInfo } from './replay.ts'
import { operationSchema, type OperationResult } from './operations.ts'
import { locales } from './screens.ts'
import { scenarioNameSchema, type ScenarioRun, type ScenarioSummary } from './scenarios.ts'
import type { Moment, Timeline } from './timeline.ts'

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const seq = whole(0, Number.MAX_SAFE_INTEGER)
const replica = whole(0, 99)
const none = v.strictObject({})
const text = (max: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(max))
/** Clusters that the panel makes lie in its data folder under their name. */
export const clusterNameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'letters, digits, dot, dash, underscore'))

export const logFilterSchema = v.strictObject({
  /** Case-insensitive substring of key, value, client, digest or seq; or a regular expression between slashes. */
  text: v.optional(v.pipe(v.string(), v.maxLength(256))),
  client: v.optional(v.pipe(v.string(), v.maxLength(128))),
  types: v.optional(v.pipe(v.array(v.string()), v.maxLength(20))),
  /** Agreed time in [from, to), ms since the epoch; null requests have none and do not pass. */
  from: v.optional(v.number()),
  to: v.optional(v.number()),
})
export type LogFilter = v.InferOutput<typeof logFilterSchema>

/** The log as it was at a time, ms since the epoch: up to `seq`; `executed` is how far each replica had executed, by id. */
const logMomentSchema = v.strictObject({ at: v.number(), seq, executed: v.pipe(v.array(seq), v.maxLength(replicasMax)) })
export type LogMoment = v.InferOutput<typeof logMomentSchema>

/** All that are given have to hold. */
export const messageFilterSchema = v.strictObject({
  seq: v.optional(seq),
  view: v.optional(seq),
  kinds: v.optional(v.pipe(v.array(v.pipe(v.string(), v.maxLength(32))), v.maxLength(64))),
  /** Sent or received by it. */
  replica: v.optional(replica),
  /** Case-sensitive: a client's whole id, or a principal's name for all of its sessions. */
  client: v.optional(v.pipe(v.string(), v.maxLength(128))),
})
export type MessageFilter = v.InferOutput<typeof messageFilterSchema>

export const paramsSchemas = {
  about: none,
  /** Writes what somebody who looks for a defect needs into one file, without keys and tokens. */
  diagnostics: none,
  host: none,
  clusters: none,
  createCluster: v.strictObject({
    name: clusterNameSchema,
    replicas: v.pipe(
      whole(1, 31),
      v.check((n) => n === 1 || n >= 4, '1 (development) or at least 4'),
    ),
    durability: v.optional(durabilitySchema, 'full'),
    authentication: v.optional(authenticationSchema, 'signature'),
    parameters: v.optional(v.partial(parametersSchema), {}),
  }),
  /** A cluster by its name in the data folder, or by the path of a cluster.json. Starts local replicas. */
  openCluster: v.strictObject({ name: v.optional(clusterNameSchema), file: v.optional(text(4_096)) }),
  closeCluster: none,
  status: none,
  replica: v.strictObject({ id: replica }),
  log: v.strictObject({
    /** Entries with a greater seq, ascending. */
    after: v.optional(seq, 0),
    limit: v.optional(whole(1, 1_000), 100),
    filter: v.optional(logFilterSchema),
    asOf: v.optional(logMomentSchema),
  }),
  logEntry: v.strictObject({ seq, asOf: v.optional(logMomentSchema) }),
  /** Asks every replica for its own history after `after`. Replicas keep a bounded number of entries. */
  compareLogs: v.strictObject({ after: v.optional(seq, 0), limit: v.optional(whole(1, 500), 200) }),
  views: none,
  checkpoints: v.strictObject({ limit: v.optional(whole(1, 1_000), 200) }),
  samples: v.strictObject({ since: v.optional(v.number(), 0) }),
  /** The recorded run over [from, to), ms since the epoch: load in `bins` equal parts, faults, what happened when. */
  timeline: v.strictObject({ from: v.number(), to: v.number(), bins: v.optional(whole(1, 2_000), 300) }),
  /** The cluster at a time of the recorded run. */
  moment: v.strictObject({ at: v.number() }),
  alarms: none,
  evidence: none,
  /** One piece of evidence with what its statements say. */
  evidenceDetail: v.strictObject({ id: text(128) }),
  /** One piece of evidence as a file that convicts without a cluster at hand. */
  exportEvidence: v.strictObject({ id: text(128) }),
  faults: none,
  injectFault: v.strictObject({ fault: faultRequestSchema }),
  healFault: v.strictObject({ id: text(64) }),
  healAll: none,
  /** Deletes all that the replicas agreed on and lets them begin with nothing. `confirm` is the cluster's name. */
  beginAnew: v.strictObject({ confirm: text(64) }),
  controlReplica: v.strictObject({ id: replica, action: v.picklist(replicaActions) }),
  /** Resolves when the request completed or failed; `id`, chosen by the caller, names it in the meantime. */
  submit: v.strictObject({
    operation: operationSchema,
    id: v.optional(text(64)),
    readOnly: v.optional(v.boolean(), false),
    timeoutMs: v.optional(whole(1, 600_000), 30_000),
  }),
  cancelRequest: v.strictObject({ id: text(64) }),
  requests: v.strictObject({ limit: v.optional(whole(1, 1_000), 200) }),
  startLoad: v.strictObject({
    clients: whole(1, 1_000),
    durationMs: whole(100, 86_400_000),
    /** Requests a second over all clients; null: closed loop, as fast as replies come. */
    ratePerSecond: v.optional(v.nullable(whole(1, 1_000_000)), null),
    keys: v.optional(whole(1, 1_000_000), 1_000),
    valueBytes: v.optional(whole(1, 65_536), 100),
  }),
  stopLoad: none,
  load: none,
  /** Proactive recovery: restarts the replicas in turn, one at a time. The watchdog's period is from one to the next. */
  startRecovery: v.strictObject({
    periodMs: whole(100, 604_800_000),
    /** Ends after so many rounds through all replicas; null: when it is stopped. */
    rounds: v.optional(v.nullable(whole(1, 1_000_000)), null),
  }),
  /** One that is under way comes back; no other one goes. */
  stopRecovery: none,
  recovery: none,
  /** Recorded messages sent (or, where that is not known, received) in [from, to), ms since the epoch; the first `limit` of them. */
  messages: v.strictObject({
    from: v.number(),
    to: v.number(),
    limit: v.optional(whole(1, messagesMax), 20_000),
    filter: v.optional(messageFilterSchema, {}),
  }),
  /** The same counted in bins, for windows with too many of them. */
  messagesOverview: v.strictObject({
    from: v.number(),
    to: v.number(),
    bins: v.optional(whole(1, 1_000), 200),
    filter: v.optional(messageFilterSchema, {}),
  }),
  message: v.strictObject({ id: seq }),
  /** What can be replayed of the open cluster. */
  recordedProcesses: none,
  /** Runs a recorded replica again; the last of its processes unless another is named. At most 4 at a time, the oldest is closed. */
  openReplay: v.strictObject({ replica, process: v.optional(v.nullable(whole(1, 1_000_000)), null) }),
  /** Goes on or back by inputs, or to a place, a time (replica's clock, ms), the execution of a seq, or a view. */
  replay: v.strictObject({
    session: text(64),
    to: v.union([
      v.strictObject({ steps: whole(-1_000_000_000, 1_000_000_000) }),
      v.strictObject({ place: seq }),
      v.strictObject({ seq }),
      v.strictObject({ view: seq }),
      v.strictObject({ at: v.number() }),
    ]),
  }),
  closeReplay: v.strictObject({ session: text(64) }),
  /** The library and the user's own files, also those that cannot be run. */
  scenarios: none,
  /** Runs one on the open cluster: of the library by name, or any file. Answers when it has begun. */
  startScenario: v.strictObject({
    name: v.optional(scenarioNameSchema),
    file: v.optional(text(4_096)),
    /** Waits for `advanceScenario` before each step and after it. */
    stepwise: v.optional(v.boolean(), false),
  }),
  advanceScenario: none,
  stopScenario: none,
  /** The one that runs, or the last one that ran on this cluster. */
  scenario: none,
  runs: none,
  renameRun: v.strictObject({ id: runIdSchema, name: runNameSchema }),
  /** Of the run that is shown. */
  annotations: none,
  /** A new one, or another text or moment for one that is there. Of the run that is shown unless another is named. */
  annotate: v.strictObject({ run: v.optional(runIdSchema), id: v.optional(runIdSchema), at: v.number(), text: annotationTextSchema }),
  removeAnnotation: v.strictObject({ run: v.optional(runIdSchema), id: runIdSchema }),
  /** Into the trash; the run that goes on stays. */
  trashRun: v.strictObject({ id: runIdSchema }),
  restoreRun: v.strictObject({ id: runIdSchema }),
  /** What lies in the trash is gone after this. */
  emptyTrash: none,
  /** Shows a run instead of the open cluster, which is closed; only to be looked at. */
  openRun: v.strictObject({ id: runIdSchema }),
  /** A recorded run that comes with the program, as if its file had been opened. */
  openSampleRun: none,
  /** Makes a file of a run: all of it, or a report in this language. */
  exportRun: v.strictObject({ id: runIdSchema, as: v.picklist(exportKinds), locale: v.optional(v.picklist(locales), 'en') }),
  exportPart: v.strictObject({ file: runIdSchema, offset: seq }),
  /** A run's file comes in parts, in order; nothing of it is used before it was checked as a whole. One at a time. */
  beginImport: v.strictObject({ bytes: seq }),
  importPart: v.strictObject({
    upload: runIdSchema,
    offset: seq,
    /** Base64. */
    data: v.pipe(v.string(), v.maxLength(Math.ceil(filePartBytesMax / 3) * 4)),
  }),
  endImport: v.strictObject({ upload: runIdSchema }),
  cancelImport: v.strictObject({ upload: runIdSchema }),
  compareRuns: v.strictObject({ first: runIdSchema, second: runIdSchema }),
  setRecording: v.strictObject({ settings: recordingSettingsSchema }),
} as const

export type Method = keyof typeof paramsSchemas
export const methods = Object.keys(paramsSchemas) as Method[]

export interface SubmitResult {
  readonly id: string
  readonly result: OperationResult
  readonly view: number
  readonly seq: number
  readonly repliers: readonly number[]
  readonly latencyMs: number
}

export interface Results {
  about: About
  diagnostics: DiagnosticsFile
  host: HostState
  clusters: readonly ClusterSummary[]
  createCluster: ClusterSummary
  openCluster: ClusterStatus
  closeCluster: null
  status: ClusterStatus
  replica: ReplicaStatus
  log: LogPage
  logEntry: LogEntryDetail
  compareLogs: LogComparison
  views: readonly ViewInfo[]
  checkpoints: readonly CheckpointInfo[]
  samples: readonly Sample[]
  timeline: Timeline
  moment: Moment
  alarms: readonly Alarm[]
  /** Checked: both signatures hold, and the two statements contradict each other. Oldest first. */
  evidence: readonly Evidence[]
  evidenceDetail: EvidenceDetail
  exportEvidence: EvidenceExport
  faults: readonly ActiveFault[]
  injectFault: ActiveFault
  healFault: null
  healAll: null
  beginAnew: ClusterStatus
  controlReplica: ReplicaStatus
  submit: SubmitResult
  cancelRequest: null
  requests: readonly RequestInfo[]
  startLoad: LoadStatus
  stopLoad: LoadStatus
  load: LoadStatus
  startRecovery: RecoveryStatus
  stopRecovery: RecoveryStatus
  recovery: RecoveryStatus
  messages: MessagesPage
  messagesOverview: MessagesOverview
  message: MessageDetail
  recordedProcesses: readonly RecordedProcessInfo[]
  openReplay: ReplaySessionInfo
  replay: ReplayMoment
  closeReplay: null
  scenarios: readonly ScenarioSummary[]
  startScenario: ScenarioRun
  advanceScenario: ScenarioRun
  stopScenario: ScenarioRun
  scenario: ScenarioRun | null
  runs: RunList
  renameRun: RunInfo
  annotations: readonly Annotation[]
  annotate: Annotation
  removeAnnotation: null
  trashRun: RunInfo
  restoreRun: RunInfo
  /** How many went. */
  emptyTrash: number
  openRun: ClusterStatus
  openSampleRun: RunInfo
  exportRun: ExportedFile
  exportPart: ExportPart
  beginImport: { readonly upload: string }
  importPart: null
  endImport: RunInfo
  cancelImport: null
  compareRuns: RunComparison
  setRecording: RunList
}

export type Params<M extends Method> = v.InferInput<(typeof paramsSchemas)[M]>
export type ValidParams<M extends Method> = v.InferOutput<(typeof paramsSchemas)[M]>
export type ResultOf<M extends Method> = Results[M]
