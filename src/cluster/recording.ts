/** The recording of an open cluster: a recorder process, and another one when it ends by itself. */
import { ok, type Result } from '../contract/result.ts'
import { RecorderClient } from './recorder-client.ts'
import type { JournalRecord, RecorderQueries, RecorderQuery, Restored } from './recorder/protocol.ts'
import type { Launch } from './launch.ts'

const restartsMax = 5
const restartPauseMs = 500
/** Records that are kept for the next recorder; what comes beyond them is lost. */
const queueMax = 20_000

export interface RecordingOptions {
  readonly launch: Launch
  readonly entry: string
  readonly logsFolder: string
  readonly file: string
  /** Whether all documents are wanted back, and not the latest ones only. */
  readonly whole?: boolean
  /** The recorder has ended by itself; another one is started. */
  onLost(how: string): void
  /** The journal is open again and holds this; what was written shortly before may be missing. */
  onReopened(restored: Restored): void
}

type Query = Exclude<RecorderQuery, 'open' | 'close'>

export class Recording {
  readonly #options: RecordingOptions
  #recorder: RecorderClient | null
  #queue: JournalRecord[] = []
  #guarded: readonly number[] = []
  #restarts = 0
  #timer: NodeJS.Timeout | null = null
  #restarting: Promise<unknown> | null = null
  #closing = false

  private constructor(options: RecordingOptions) {
    this.#options = options
    this.#recorder = null
  }

  /** Errors: those of `RecorderClient.start`. */
  static async start(options: RecordingOptions): Promise<Result<{ readonly recording: Recording; readonly restored: Restored }>> {
    const recording = new Recording(options)
    const started = await recording.#start()
    return started.ok ? ok({ recording, restored: started.value }) : started
  }

  /** null while there is no recorder. */
  get pid(): number | null {
    return this.#recorder?.pid ?? null
  }

  write(record: JournalRecord): void {
    if (this.#recorder !== null) this.#recorder.write(record)
    else if (this.#queue.length < queueMax) this.#queue.push(record)
  }

  /** null while there is no recorder. */
  async query<Q extends Query>(query: Q, params: RecorderQueries[Q]['params']): Promise<Result<RecorderQueries[Q]['result']> | null> {
    return this.#recorder === null ? null : this.#recorder.query(query, params)
  }

  /** Processes that the recorder has to kill if this one ends without a word. */
  guard(pids: readonly number[]): void {
    this.#guarded = pids
    this.#recorder?.guard(pids)
  }

  /** Writes what waits; resolves when no process of it is left. */
  async close(): Promise<void> {
    this.#closing = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    await this.#restarting
    await this.#recorder?.close()
    this.#recorder = null
  }

  async #start(): Promise<Result<Restored>> {
    const started = await RecorderClient.start(this.#options, (exit) => this.#onLost(exit.signal ?? `code ${exit.code ?? '?'}`))
    if (!started.ok) return started
    this.#recorder = started.value.recorder
    this.#recorder.guard(this.#guarded)
    for (const record of this.#queue.splice(0)) this.#recorder.write(record)
    return ok(started.value.restored)
  }

  #onLost(how: string): void {
    this.#recorder = null
    if (this.#closing) return
    this.#options.onLost(how)
    this.#later()
  }

  #later(): void {
    this.#restarts += 1
    if (this.#closing || this.#restarts > restartsMax) return
    this.#timer = setTimeout(() => {
      this.#restarting = this.#restart()
    }, restartPauseMs)
  }

  async #restart(): Promise<void> {
    const started = await this.#start()
    if (started.ok) this.#options.onReopened(started.value)
    else this.#later()
  }
}
