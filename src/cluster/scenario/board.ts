/** The scenarios of a host: which there are, and the one that runs. */
import { join } from 'node:path'
import { fail, ok, type Result } from '../../contract/result.ts'
import type { ScenarioRun, ScenarioSummary } from '../../contract/scenarios.ts'
import type { Host, HostOptions } from '../host-interface.ts'
import { libraryFile, listScenarios, readScenario } from './files.ts'
import { startScenario, type RunningScenario } from './run.ts'

export interface ScenarioBoardOptions {
  readonly host: Pick<Host, 'call'>
  readonly folders: Pick<HostOptions, 'dataFolder' | 'scenariosFolder'>
  onChange(run: ScenarioRun): void
}

export class ScenarioBoard {
  readonly #options: ScenarioBoardOptions
  #running: RunningScenario | null = null

  constructor(options: ScenarioBoardOptions) {
    this.#options = options
  }

  list(): ScenarioSummary[] {
    const { scenariosFolder, dataFolder } = this.#options.folders
    return [...listScenarios(scenariosFolder, 'library'), ...listScenarios(join(dataFolder, 'scenarios'), 'own')]
  }

  get run(): ScenarioRun | null {
    return this.#running?.run ?? null
  }

  /** Errors: those of `readScenario`; `bad-request` when the cluster of `n` replicas is too small; `busy` while one runs. */
  start(
    params: { readonly name?: string | undefined; readonly file?: string | undefined; readonly stepwise: boolean },
    n: number,
  ): Result<ScenarioRun> {
    const { name, file, stepwise } = params
    if ((name === undefined) === (file === undefined)) {
      return fail('bad-request', 'startScenario: give either a name or a file', [{ path: 'name', message: 'either name or file' }])
    }
    if (this.#running !== null && this.#running.run.endedAt === null)
      return fail('busy', `The scenario ${this.#running.run.name} is running: stop it first.`)
    const read = readScenario(file ?? libraryFile(this.#options.folders.scenariosFolder, name ?? ''))
    if (!read.ok) return read
    if (n < read.value.replicasMin)
      return fail('bad-request', `${read.value.name} needs at least ${read.value.replicasMin} replicas; this cluster has ${n}.`)
    this.#running = startScenario({ host: this.#options.host, scenario: read.value, stepwise, onChange: this.#options.onChange })
    return ok(this.#running.run)
  }

  /** Error `not-found` when none runs. */
  advance(): Result<ScenarioRun> {
    return this.#withRunning((running) => running.next())
  }

  /** Error `not-found` when none runs. */
  stop(): Result<ScenarioRun> {
    return this.#withRunning((running) => running.stop())
  }

  /** Stops what runs and forgets it: the cluster is closed. */
  async close(): Promise<void> {
    this.#running?.stop()
    await this.#running?.finished
    this.#running = null
  }

  #withRunning(act: (running: RunningScenario) => void): Result<ScenarioRun> {
    const running = this.#running
    if (running === null || running.run.endedAt !== null) return fail('not-found', 'No scenario is running.')
    act(running)
    return ok(running.run)
  }
}
