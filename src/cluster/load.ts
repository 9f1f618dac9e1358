/** The load generator: closed loop (each client sends when its answer has come) or open loop (at a rate, come what may). */
import type { ValidParams } from '../contract/api.ts'
import type { LoadStatus } from '../contract/model.ts'
import { encodeOperation } from '../pbft/service/index.ts'
import type { ClientLinks } from './client/links.ts'
import { ClientSession, type Completed } from './client/session.ts'
import { Latencies, Rate } from './model/metrics.ts'

const requestTimeoutMs = 30_000
const dispatchMs = 5
const statusMs = 500
/** Requests that are due but find no idle client; beyond it they count as failed. */
const backlogMax = 100_000

type LoadParams = ValidParams<'startLoad'>

export interface LoadOptions {
  readonly links: ClientLinks
  readonly n: number
  readonly params: LoadParams
  onStatus(status: LoadStatus): void
  onAcknowledged(client: string, completed: Completed): void
}

export const noLoad: LoadStatus = {
  running: false,
  clients: 0,
  sent: 0,
  completed: 0,
  failed: 0,
  requestsPerSecond: 0,
  p50Ms: null,
  p99Ms: null,
  startedAt: null,
  endsAt: null,
}

export class Load {
  readonly #options: LoadOptions
  readonly #sessions: readonly ClientSession[]
  readonly #idle: ClientSession[]
  readonly #latencies = new Latencies()
  readonly #rate = new Rate()
  readonly #startedAt = Date.now()
  readonly #endsAt: number
  readonly #value: string
  /** Times at which requests were due (open loop), oldest first. */
  #due: number[] = []
  #scheduled = 0
  #sent = 0
  #completed = 0
  #failed = 0
  #running = true
  readonly #timers: readonly NodeJS.Timeout[]

  /** Begins at once and ends by itself. */
  constructor(options: LoadOptions) {
    this.#options = options
    const { clients, durationMs, ratePerSecond, valueBytes } = options.params
    this.#endsAt = this.#startedAt + durationMs
    this.#value = 'x'.repeat(valueBytes)
    this.#sessions = Array.from({ length: clients }, (_, k) => new ClientSession(options.links, options.n, `load-${k}`))
    this.#idle = [...this.#sessions]
    this.#timers = [
      setTimeout(() => this.stop(), durationMs),
      setInterval(() => this.#report(), statusMs),
      ...(ratePerSecond === null ? [] : [setInterval(() => this.#schedule(ratePerSecond), dispatchMs)]),
    ]
    if (ratePerSecond === null) for (const session of this.#idle.splice(0)) void this.#loop(session)
  }

  status(): LoadStatus {
    const { p50Ms, p99Ms } = this.#latencies.percentiles()
    const spentMs = Math.min(Date.now(), this.#endsAt) - this.#startedAt
    return {
      running: this.#running,
      clients: this.#sessions.length,
      sent: this.#sent,
      completed: this.#completed,
      failed: this.#failed,
      // While it runs: of the last two seconds. Afterwards: over the whole run.
      requestsPerSecond: this.#running ? this.#rate.perSecond(Date.now()) : (this.#completed / Math.max(1, spentMs)) * 1_000,
      p50Ms,
      p99Ms,
      startedAt: this.#startedAt,
      endsAt: this.#endsAt,
    }
  }

  get running(): boolean {
    return this.#running
  }

  /** Gives up what is under way and frees the sessions. */
  stop(): void {
    if (!this.#running) return
    this.#running = false
    for (const timer of this.#timers) clearInterval(timer)
    for (const session of this.#sessions) session.close()
    this.#options.onStatus(this.status())
  }

  async #loop(session: ClientSession): Promise<void> {
    while (this.#running) await this.#one(session, performance.now())
  }

  /** Open loop: what has become due since the last look is given to idle clients, the rest waits, and its wait counts. */
  #schedule(ratePerSecond: number): void {
    const until = Math.floor(((Date.now() - this.#startedAt) * ratePerSecond) / 1_000)
    const now = performance.now()
    for (; this.#scheduled < until; this.#scheduled += 1) {
      if (this.#due.length < backlogMax) this.#due.push(now)
      else this.#failed += 1
    }
    this.#dispatch()
  }

  #dispatch(): void {
    const count = Math.min(this.#due.length, this.#idle.length)
    const due = this.#due.slice(0, count)
    this.#due = this.#due.slice(count)
    for (const [i, session] of this.#idle.splice(0, count).entries()) {
      void this.#one(session, due[i] ?? performance.now()).then(() => {
        this.#idle.push(session)
        if (this.#running && this.#due.length > 0) this.#dispatch()
      })
    }
  }

  /** One request; `dueAt` by the monotonic clock is where its latency begins. */
  async #one(session: ClientSession, dueAt: number): Promise<void> {
    const key = `load-${Math.floor(Math.random() * this.#options.params.keys)}`
    this.#sent += 1
    const outcome = await session.run(encodeOperation({ type: 'put', key, value: this.#value }), false, requestTimeoutMs)
    if (outcome.cause === null) {
      this.#completed += 1
      this.#latencies.add(performance.now() - dueAt)
      this.#options.onAcknowledged(session.client, outcome.completed)
    } else if (outcome.cause === 'timeout') this.#failed += 1
    else this.#sent -= 1
  }

  #report(): void {
    this.#rate.observe(this.#completed, Date.now())
    this.#options.onStatus(this.status())
  }
}
