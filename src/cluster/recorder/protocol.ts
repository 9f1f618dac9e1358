/** What the host and the recorder process say to each other. Both are ours and start together: types, no schemas. */
import type { LogFilter, ValidParams } from '../../contract/api.ts'
import type { MessageDetail, MessagesOverview, MessagesPage } from '../../contract/messages.ts'
import type {
  Alarm,
  CheckpointInfo,
  ClusterStatus,
  Evidence,
  LedgerRow,
  LogRequest,
  RequestInfo,
  Sample,
  ViewInfo,
} from '../../contract/model.ts'
import type { RecordedProcessInfo, ReplayMoment, ReplaySessionInfo } from '../../contract/replay.ts'
import type { RunComparison, RunFigures } from '../../contract/runs.ts'
import type { Locale } from '../../contract/screens.ts'
import type { RunFileLimits } from '../run-file/format.ts'
import type { RecordedFault, RunHead, RunRecord } from '../runs/schemas.ts'
import type { ErrorCode } from '../../contract/result.ts'
import type { FaultBand, Moment, Timeline } from '../../contract/timeline.ts'

/** One committed batch, as the recorder keeps it; how far replicas got is kept apart, since it changes later. */
export interface RecordedEntry {
  readonly seq: number
  readonly view: number
  readonly digest: string
  readonly timeMs: number
  readonly requests: readonly LogRequest[]
}

export type JournalRecord =
  | { readonly kind: 'entry'; readonly entry: RecordedEntry }
  | { readonly kind: 'ledger'; readonly seq: number; readonly rows: readonly LedgerRow[] }
  | { readonly kind: 'view'; readonly view: ViewInfo }
  | { readonly kind: 'checkpoint'; readonly checkpoint: CheckpointInfo }
  | { readonly kind: 'request'; readonly request: RequestInfo; readonly at: number }
  | { readonly kind: 'alarm'; readonly alarm: Alarm }
  | { readonly kind: 'evidence'; readonly evidence: Evidence }
  | { readonly kind: 'fault'; readonly fault: RecordedFault }
  | { readonly kind: 'sample'; readonly sample: Sample }
  | { readonly kind: 'status'; readonly status: ClusterStatus }
  | { readonly kind: 'band'; readonly band: FaultBand }
  /** The cluster began anew (durability none): what was recorded of its log belongs to another history. */
  | { readonly kind: 'forget-log' }

export interface RecordedEntryWithLedger extends RecordedEntry {
  readonly rows: readonly LedgerRow[]
}

export interface Bounds {
  /** 0 and 0 when empty. */
  readonly first: number
  readonly last: number
}

/** What an earlier run left, newest last. */
export interface Restored extends Bounds {
  /** Digest of the last entry; '' when empty. */
  readonly lastDigest: string
  /** Where a damaged journal was put aside; null: it was sound. */
  readonly damaged: string | null
  readonly views: readonly ViewInfo[]
  readonly checkpoints: readonly CheckpointInfo[]
  readonly requests: readonly RequestInfo[]
  readonly alarms: readonly Alarm[]
  readonly evidence: readonly Evidence[]
  readonly samples: readonly Sample[]
}

/** Where each replica's recording is, by id, and how far its clock is ahead of the host's, ms. */
export interface RecordedRun {
  readonly replicas: readonly { readonly folder: string; readonly offsetMs: number }[]
}

/** Where a run's journal and the replicas' recordings are. */
export interface RunPlace {
  readonly record: RunRecord
  readonly journal: string
  readonly replicas: readonly string[]
}

/** A place in a recording: the end of what is known of it. Segments count from 1; 0: nothing is known. */
export interface RecordedPlace {
  readonly segment: number
  readonly offset: number
}

export interface RecorderQueries {
  /**
   * Opens (or makes) the journal and locks it. Errors: `cluster-in-use`, `internal`. `whole`: all documents come back, not the latest ones
   * only: a run from a file has as many as its file may.
   */
  open: { readonly params: { readonly file: string; readonly bytesMax: number; readonly whole: boolean }; readonly result: Restored }
  log: {
    readonly params: { readonly after: number; readonly limit: number; readonly filter: LogFilter; readonly upTo: number }
    readonly result: { readonly entries: readonly RecordedEntryWithLedger[]; readonly next: number | null } & Bounds
  }
  entry: { readonly params: { readonly seq: number }; readonly result: RecordedEntryWithLedger | null }
  timeline: { readonly params: ValidParams<'timeline'>; readonly result: Timeline }
  moment: { readonly params: ValidParams<'moment'>; readonly result: Moment }
  /** What the replicas recorded. Errors: `too-large`. */
  messages: { readonly params: RecordedRun & ValidParams<'messages'>; readonly result: MessagesPage }
  messagesOverview: { readonly params: RecordedRun & ValidParams<'messagesOverview'>; readonly result: MessagesOverview }
  message: {
    readonly params: RecordedRun & { readonly id: number; readonly n: number; readonly clusterId: string }
    readonly result: MessageDetail | null
  }
  recordedProcesses: { readonly params: RecordedRun; readonly result: readonly RecordedProcessInfo[] }
  /**
   * Keeps a piece (`bytes`: base64) of a recording that lies on another machine in `folder`, at most `bytesMax` of it; answers where the next one
   * belongs. `anew`: what was kept is deleted first. Errors: `bad-request` (it belongs elsewhere), `too-large`.
   */
  fetched: {
    readonly params: {
      readonly folder: string
      readonly bytesMax: number
      readonly piece: (RecordedPlace & { readonly bytes: string }) | null
      readonly anew: boolean
    }
    readonly result: RecordedPlace
  }
  /** Errors: `not-found`, `bad-request` (it cannot be replayed). */
  openReplay: { readonly params: RecordedRun & ValidParams<'openReplay'>; readonly result: ReplaySessionInfo }
  /** Error `not-found`: that session is closed. */
  replay: { readonly params: ValidParams<'replay'>; readonly result: ReplayMoment }
  closeReplay: { readonly params: ValidParams<'closeReplay'>; readonly result: null }
  runFigures: { readonly params: { readonly place: RunPlace }; readonly result: RunFigures }
  /** Writes all of a run into one new file. */
  exportRun: { readonly params: { readonly place: RunPlace; readonly file: string }; readonly result: { readonly bytes: number } }
  /** Checks a run's file and unpacks it into a new folder. Error `bad-run`; nothing is left then. */
  importRun: {
    readonly params: { readonly file: string; readonly folder: string; readonly limits: RunFileLimits }
    readonly result: RunHead
  }
  compareRuns: { readonly params: { readonly first: RunPlace; readonly second: RunPlace }; readonly result: RunComparison }
  /** Writes a report of a run into one new file. */
  reportRun: {
    readonly params: { readonly place: RunPlace; readonly file: string; readonly locale: Locale }
    readonly result: { readonly bytes: number }
  }
  /** Writes what waits and closes; the process ends after its answer. */
  close: { readonly params: Record<string, never>; readonly result: null }
}
export type RecorderQuery = keyof RecorderQueries

export type ToRecorder =
  | {
      readonly [Q in RecorderQuery]: {
        readonly type: 'query'
        readonly id: number
        readonly query: Q
        readonly params: RecorderQueries[Q]['params']
      }
    }[RecorderQuery]
  | { readonly type: 'write'; readonly records: readonly JournalRecord[] }
  /** Processes that cannot notice the host's end themselves (they are stopped); killed when the channel closes. Replaces the list. */
  | { readonly type: 'guard'; readonly pids: readonly number[] }

export type FromRecorder =
  | { readonly type: 'answer'; readonly id: number; readonly ok: true; readonly value: unknown }
  | {
      readonly type: 'answer'
      readonly id: number
      readonly ok: false
      readonly code: ErrorCode
      readonly message: string
      readonly details?: unknown
    }
