/** One client session: drives the client state machine for one request at a time, over shared links. */
import { createClient } from '../../pbft/protocol/client.ts'
import type { ClientCore, ClientEffect, ClientInput } from '../../pbft/protocol/client-steps.ts'
import { asClientId } from '../../pbft/protocol/ids.ts'
import { sha256 } from '../../link/index.ts'
import { hundredths } from '../model/metrics.ts'
import type { ClientLinks } from './links.ts'

const retryMs = 200
const retryMaxMs = 2_000

export interface Completed {
  readonly timestamp: number
  readonly result: Uint8Array
  readonly view: number
  readonly seq: number
  readonly repliers: readonly number[]
  /** From submission to the last reply that was needed, ms. */
  readonly latencyMs: number
}

/** `cause` null: it completed. */
export type Outcome =
  | { readonly cause: null; readonly completed: Completed }
  | { readonly cause: 'timeout' | 'cancelled'; readonly attempts: number; readonly matching: number; readonly needed: number }

export interface RequestObserver {
  onSent?(to: readonly number[], timestamp: number): void
  /** `tentative`: for a batch that has prepared, and may not commit. */
  onReply?(from: number, matching: number, needed: number, tentative: boolean): void
}

interface Running {
  readonly startedAt: number
  readonly observer: RequestObserver
  readonly settle: (outcome: Outcome) => void
  readonly deadline: NodeJS.Timeout
  attempts: number
  matching: number
  needed: number
}

export class ClientSession {
  readonly client: string
  readonly #core: ClientCore
  readonly #links: ClientLinks
  readonly #unlisten: () => void
  #running: Running | null = null
  #timer: NodeJS.Timeout | null = null

  /** `session` is the part of the client id after the slash; two sessions of one name at a time disturb each other. */
  constructor(links: ClientLinks, n: number, session: string) {
    this.client = `${links.principal}/${session}`
    this.#links = links
    this.#core = createClient(
      { n, client: asClientId(this.client), retryMs, retryMaxMs },
      { digest: sha256, authenticate: (request, signed) => links.authenticate(request, signed) },
    )
    this.#unlisten = links.listen(this.client, (input) => this.#step(input))
  }

  get busy(): boolean {
    return this.#running !== null
  }

  /** Runs one request to its end: never rejects. The session must not be busy. */
  run(operation: Uint8Array, readOnly: boolean, timeoutMs: number, observer: RequestObserver = {}): Promise<Outcome> {
    if (this.#running !== null) throw new Error(`${this.client} has a request outstanding`)
    return new Promise((resolve) => {
      this.#running = {
        startedAt: performance.now(),
        observer,
        settle: resolve,
        deadline: setTimeout(() => this.#giveUp('timeout'), timeoutMs),
        attempts: 0,
        matching: 0,
        needed: 0,
      }
      this.#step({ type: 'submit', operation, readOnly })
    })
  }

  /** Ends the outstanding request, if any, as cancelled. It may still be executed. */
  cancel(): void {
    this.#giveUp('cancelled')
  }

  close(): void {
    this.cancel()
    this.#unlisten()
  }

  #giveUp(cause: 'timeout' | 'cancelled'): void {
    const running = this.#running
    if (running === null) return
    this.#step({ type: 'cancel' })
    const { attempts, matching, needed } = running
    this.#finish({ cause, attempts, matching, needed })
  }

  #step(input: ClientInput): void {
    for (const effect of this.#core.step(input, Date.now())) this.#perform(effect)
  }

  #perform(effect: ClientEffect): void {
    const running = this.#running
    switch (effect.type) {
      case 'send':
        if (running !== null) running.attempts += 1
        this.#links.send(effect.to, effect.request)
        running?.observer.onSent?.(effect.to, effect.request.timestamp)
        break
      case 'set-timer':
        this.#clearTimer()
        this.#timer = setTimeout(() => this.#step({ type: 'timer' }), effect.delayMs)
        break
      case 'cancel-timer':
        this.#clearTimer()
        break
      case 'reply-counted':
        this.#counted(effect)
        break
      case 'completed': {
        const { timestamp, result, view, seq, repliers } = effect
        const latencyMs = running === null ? 0 : hundredths(performance.now() - running.startedAt)
        this.#finish({ cause: null, completed: { timestamp, result, view, seq, repliers, latencyMs } })
        break
      }
    }
  }

  #counted({ from, matching, needed, tentative }: Extract<ClientEffect, { type: 'reply-counted' }>): void {
    if (this.#running === null) return
    this.#running.matching = matching
    this.#running.needed = needed
    this.#running.observer.onReply?.(from, matching, needed, tentative)
  }

  #finish(outcome: Outcome): void {
    const running = this.#running
    if (running === null) return
    this.#running = null
    clearTimeout(running.deadline)
    this.#clearTimer()
    running.settle(outcome)
  }

  #clearTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }
}
