/** One local replica's process: start, stop, kill, pause; why it ended. */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { fail, ok, type Result } from '../contract/result.ts'
import type { Child, ChildExit, Launch } from './launch.ts'

/** How long a replica may take to end after being asked, and again after SIGTERM, ms. */
const stopStepMs = 2_500
const tailBytes = 8_192

export interface ProcessExit {
  readonly code: number | null
  readonly signal: string | null
  /** ms since the epoch. */
  readonly at: number
  /** The last line of its log; null when it was told to end. */
  readonly message: string | null
}

export interface ReplicaProcessOptions {
  readonly launch: Launch
  readonly entry: string
  readonly args: readonly string[]
  readonly logFile: string
  /** The process is gone. `expected`: it was told to. */
  onExit(exit: ProcessExit, expected: boolean): void
}

export class ReplicaProcess {
  readonly #options: ReplicaProcessOptions
  #child: Child | null = null
  #ending = false
  #paused = false
  #lastExit: ProcessExit | null = null

  constructor(options: ReplicaProcessOptions) {
    this.#options = options
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get running(): boolean {
    return this.#child !== null
  }

  get paused(): boolean {
    return this.#paused
  }

  /** It was told to end, and has not yet. */
  get ending(): boolean {
    return this.#child !== null && this.#ending
  }

  get lastExit(): ProcessExit | null {
    return this.#lastExit
  }

  /** Makes the process; it is not ready yet. Error `start-failed` when it cannot be made; nothing happens when it runs. */
  async start(): Promise<Result<null>> {
    if (this.#child !== null) return ok(null)
    const { launch, entry, args, logFile } = this.#options
    const logFrom = existsSync(logFile) ? statSync(logFile).size : 0
    try {
      this.#child = await launch(entry, { args, logFile })
    } catch (error) {
      return fail('start-failed', `the process cannot be made: ${error instanceof Error ? error.message : String(error)}`)
    }
    this.#ending = false
    this.#child.onExit((exit) => this.#onExit(exit, logFrom))
    return ok(null)
  }

  /** Asks it by `ask`, then by SIGTERM, then kills it; resolves when it is gone. */
  async stop(ask: () => Promise<unknown>): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#ending = true
    this.resume()
    await ask()
    if (await exited(child, stopStepMs)) return
    child.kill('SIGTERM')
    if (await exited(child, stopStepMs)) return
    await this.kill()
  }

  /** Kills it at once (SIGKILL); resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child
    if (child === null) return
    this.#ending = true
    child.kill('SIGKILL')
    await exited(child, Infinity)
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
    this.#paused = this.#child !== null
  }

  resume(): void {
    if (this.#paused) this.#child?.kill('SIGCONT')
    this.#paused = false
  }

  #onExit(exit: ChildExit, logFrom: number): void {
    const expected = this.#ending
    this.#child = null
    this.#paused = false
    this.#lastExit = { ...exit, at: Date.now(), message: expected ? null : lastLogLine(this.#options.logFile, logFrom) }
    this.#options.onExit(this.#lastExit, expected)
  }
}

/** Whether the child is gone within `timeoutMs`. */
const exited = (child: Child, timeoutMs: number): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = timeoutMs === Infinity ? null : setTimeout(() => resolve(false), timeoutMs)
    child.onExit(() => {
      if (timer !== null) clearTimeout(timer)
      resolve(true)
    })
  })

/** The last line that was written after offset `from`, cut to 500 characters; of a JSON line its `msg`. '' when there is none. */
export const lastLogLine = (file: string, from: number): string => {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return ''
  }
  try {
    const { size } = fstatSync(descriptor)
    const start = Math.max(from, size - tailBytes)
    const buffer = Buffer.alloc(Math.max(0, size - start))
    readSync(descriptor, buffer, 0, buffer.length, start)
    const line = buffer
      .toString('utf8')
      .split('\n')
      .filter((text) => text.trim() !== '')
      .at(-1)
    return messageOf(line ?? '').slice(0, 500)
  } finally {
    closeSync(descriptor)
  }
}

const messageOf = (line: string): string => {
  try {
    const { msg } = JSON.parse(line) as { readonly msg?: unknown }
    return typeof msg === 'string' ? msg : line
  } catch {
    return line
  }
}
