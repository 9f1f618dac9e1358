/** The cluster host as shells and the command line see it; `createHost` in host.ts makes one. */
import type { Method, ResultOf } from '../contract/api.ts'
import type { EventBatch } from '../contract/events.ts'
import type { RunInfo } from '../contract/runs.ts'
import type { ScenarioRun } from '../contract/scenarios.ts'
import type { Result } from '../contract/result.ts'
import type { Launch } from './launch.ts'

export interface HostOptions {
  /** Holds `clusters/NAME/`; created when missing. */
  readonly dataFolder: string
  readonly logsFolder: string
  /** The library of scenarios; the user's own lie in `scenarios` of the data folder. */
  readonly scenariosFolder: string
  /** A recorded run as a file, to be looked at before there is anything else. */
  readonly sampleRun: string
  readonly shell: 'electron' | 'browser'
  readonly version: string
  readonly locale: string
  readonly launch: Launch
  /** Scripts of the child processes. */
  readonly entries: { readonly replica: string; readonly recorder: string }
}

export interface Host {
  /** Validates `params` by the contract's schema; never throws and never rejects: a defect becomes `internal` and is logged. */
  call<M extends Method>(method: M, params: unknown): Promise<Result<ResultOf<M>>>
  /**
   * Delivers what came after `from` when it is still held, else first a `reset`; then what comes. At most 20 deliveries a
   * second. Returns the unsubscribe.
   */
  subscribe(from: { readonly epoch: string; readonly position: number } | null, listener: (batch: EventBatch) => void): () => void
  /** A run's file of this machine becomes one of the runs. Error `bad-run`; nothing is left of it then. */
  importFile(file: string): Promise<Result<RunInfo>>
  /** A scenario that somebody else runs on the open cluster has come this far: it becomes a run. */
  takeScenario(run: ScenarioRun): Promise<void>
  /** Stops what was started; resolves when no child is left. */
  close(): Promise<void>
}
