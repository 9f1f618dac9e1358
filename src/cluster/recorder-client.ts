/** The host's side of the recorder process: queries with ids, writes in batches. */
import { join } from 'node:path'
import { fail, ok, type Result } from '../contract/result.ts'
import type { Child, ChildExit, Launch } from './launch.ts'
import type { FromRecorder, JournalRecord, RecorderQueries, RecorderQuery, Restored, ToRecorder } from './recorder/protocol.ts'

const writeMs = 50
const queryTimeoutMs = 30_000
/** Those that read or write all of a run. */
const wholeRunTimeoutMs = 900_000
const wholeRun: ReadonlySet<RecorderQuery> = new Set<RecorderQuery>(['runFigures', 'exportRun', 'importRun', 'reportRun', 'compareRuns'])
const exitTimeoutMs = 5_000
const journalBytesMax = 512 * 1_048_576

export interface RecorderLaunch {
  readonly launch: Launch
  readonly entry: string
  readonly logsFolder: string
}

export class RecorderClient {
  readonly #child: Child
  readonly #waiting = new Map<number, (result: Result<unknown>) => void>()
  #lastId = 0
  #batch: JournalRecord[] = []
  #timer: NodeJS.Timeout | null = null
  #exit: ChildExit | null = null
  #closing = false

  private constructor(child: Child, onLost: (exit: ChildExit) => void) {
    this.#child = child
    child.onMessage((message) => this.#onMessage(message as FromRecorder))
    child.onExit((exit) => {
      this.#exit = exit
      for (const settle of this.#waiting.values()) settle(fail('internal', 'the recorder has ended'))
      this.#waiting.clear()
      if (!this.#closing) onLost(exit)
    })
  }

  /** Starts the process and opens the journal. Errors: `cluster-in-use`, `start-failed`, `internal`. No process is left then. */
  static async start(
    options: RecorderLaunch & { readonly file: string; readonly whole?: boolean },
    onLost: (exit: ChildExit) => void,
  ): Promise<Result<{ readonly recorder: RecorderClient; readonly restored: Restored }>> {
    const launched = await RecorderClient.launch(options, onLost)
    if (!launched.ok) return launched
    const recorder = launched.value
    const opened = await recorder.#query('open', { file: options.file, bytesMax: journalBytesMax, whole: options.whole ?? false })
    if (opened.ok) return ok({ recorder, restored: opened.value })
    recorder.#closing = true
    await recorder.#exited('SIGKILL')
    return opened
  }

  /** Starts the process for work on runs only: no journal is open there. Error `start-failed`. */
  static async launch(options: RecorderLaunch, onLost: (exit: ChildExit) => void): Promise<Result<RecorderClient>> {
    let child: Child
    try {
      child = await options.launch(options.entry, { args: [], logFile: join(options.logsFolder, 'recorder.log') })
    } catch (error) {
      return fail('start-failed', `the recorder cannot be started: ${error instanceof Error ? error.message : String(error)}`)
    }
    return ok(new RecorderClient(child, onLost))
  }

  get pid(): number {
    return this.#child.pid
  }

  /** Writes soon; what is lost with a crash is at most the last fraction of a second. */
  write(record: JournalRecord): void {
    if (this.#exit !== null) return
    this.#batch.push(record)
    this.#timer ??= setTimeout(() => this.#send(), writeMs)
  }

  query<Q extends Exclude<RecorderQuery, 'open' | 'close'>>(
    query: Q,
    params: RecorderQueries[Q]['params'],
  ): Promise<Result<RecorderQueries[Q]['result']>> {
    return this.#query(query, params)
  }

  /** Processes that the recorder has to kill if this one ends without a word. */
  guard(pids: readonly number[]): void {
    this.#post({ type: 'guard', pids })
  }

  /** Writes what waits; resolves when the process is gone. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#exit !== null) return
    await this.#query('close', {})
    await this.#exited('SIGTERM')
  }

  #post(message: ToRecorder): void {
    if (this.#exit === null) this.#child.post(message)
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#batch.length === 0) return
    this.#post({ type: 'write', records: this.#batch })
    this.#batch = []
  }

  #query<Q extends RecorderQuery>(query: Q, params: RecorderQueries[Q]['params']): Promise<Result<RecorderQueries[Q]['result']>> {
    // What was written before is answered for.
    this.#send()
    if (this.#exit !== null) return Promise.resolve(fail('internal', 'the recorder has ended'))
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve) => {
      const timer = setTimeout(
        () => settle(fail('timeout', `the recorder did not answer '${query}' in time`)),
        wholeRun.has(query) ? wholeRunTimeoutMs : queryTimeoutMs,
      )
      const settle = (result: Result<unknown>): void => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        resolve(result as Result<RecorderQueries[Q]['result']>)
      }
      this.#waiting.set(id, settle)
      this.#post({ type: 'query', id, query, params } as ToRecorder)
    })
  }

  #onMessage(message: FromRecorder): void {
    this.#waiting.get(message.id)?.(message.ok ? ok(message.value) : fail(message.code, message.message, message.details))
  }

  /** Waits for its end, and forces it with `signal` and then SIGKILL. */
  #exited(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    return new Promise((resolve) => {
      const gentle = setTimeout(() => this.#child.kill(signal), signal === 'SIGKILL' ? 0 : exitTimeoutMs / 2)
      const hard = setTimeout(() => this.#child.kill('SIGKILL'), exitTimeoutMs)
      this.#child.onExit(() => {
        clearTimeout(gentle)
        clearTimeout(hard)
        resolve()
      })
    })
  }
}
