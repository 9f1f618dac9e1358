/** Work on whole runs goes to the recorder of the open cluster, or to one that is started for it: the shell never waits for a disk. */
import { fail, type Result } from '../../contract/result.ts'
import type { HostOptions } from '../host-interface.ts'
import { RecorderClient } from '../recorder-client.ts'
import type { RecorderQueries } from '../recorder/protocol.ts'
import type { Recording } from '../recording.ts'

export type DeskOptions = Pick<HostOptions, 'launch' | 'logsFolder'> & { readonly entries: Pick<HostOptions['entries'], 'recorder'> }
export type RunWork = 'runFigures' | 'exportRun' | 'importRun' | 'compareRuns' | 'reportRun'

export class RunDesk {
  readonly #options: DeskOptions
  readonly #recording: () => Recording | null

  /** `recording`: of what is open now. */
  constructor(options: DeskOptions, recording: () => Recording | null) {
    this.#options = options
    this.#recording = recording
  }

  /** Errors: `busy` (the recorder is being started again), `start-failed`, `bad-run`, `cluster-in-use`, `internal`. */
  async ask<W extends RunWork>(work: W, params: RecorderQueries[W]['params']): Promise<Result<RecorderQueries[W]['result']>> {
    const recording = this.#recording()
    if (recording !== null)
      return (await recording.query(work, params)) ?? fail('busy', 'the recorder is being started again: try again in a moment')
    const { launch, entries, logsFolder } = this.#options
    const started = await RecorderClient.launch({ launch, logsFolder, entry: entries.recorder }, () => undefined)
    if (!started.ok) return started
    try {
      return await started.value.query(work, params)
    } finally {
      await started.value.close()
    }
  }
}
