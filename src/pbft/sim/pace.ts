/**
 * Whether a replica leaves views at the pace that protocol.md section 6 sets, seen from its events only: the time-out doubles once
 * per consecutive view without progress and is short again after progress; and the timer for the next view runs only once a quorum
 * wants this one.
 */
import { quorumSize } from '../protocol/quorum.ts'
import type { ProtocolConfig } from '../protocol/config.ts'
import type { ProtocolEvent } from '../protocol/steps.ts'

export class Pace {
  readonly #config: ProtocolConfig
  /** View changes since a batch with requests was executed; from a restart on. */
  #changes = 0
  /** The view that is to be entered; null while in one. */
  #wanted: number | null = null
  /** The highest view that each peer was heard to want. */
  readonly #heard: number[]

  constructor(config: ProtocolConfig) {
    this.#config = config
    this.#heard = Array.from({ length: config.n }, () => 0)
  }

  /** What is wrong with `event`, or null. */
  problemOf(event: ProtocolEvent): string | null {
    switch (event.type) {
      case 'phase':
        if (event.phase === 'executed' && event.requests > 0) this.#changes = 0
        return null
      case 'view-change-received':
        this.#heard[event.from] = Math.max(this.#heard[event.from] ?? 0, event.view)
        return null
      case 'view-change-started':
        return this.#started(event)
      case 'view-entered':
        this.#wanted = null
        return null
      case 'view-timer':
        return event.running ? this.#timer(event.delayMs) : null
      default:
        return null
    }
  }

  #started({ view, reason }: Extract<ProtocolEvent, { type: 'view-change-started' }>): string | null {
    const wanted = this.#wanted
    this.#wanted = view
    if (reason.kind !== 'operator') this.#changes++
    if (reason.kind !== 'new-view-timeout' || wanted === null) return null
    const others = this.#heard.filter((heard) => heard >= wanted).length
    if (others + 1 >= quorumSize(this.#config.n)) return null
    return `goes on to view ${view} although only ${others} others want view ${wanted}`
  }

  #timer(delayMs: number): string | null {
    const { viewTimeoutMs, viewTimeoutMaxMs } = this.#config
    const most = Math.min(viewTimeoutMs * 2 ** Math.max(0, this.#changes - 1), viewTimeoutMaxMs)
    return delayMs <= most ? null : `waits ${delayMs} ms after ${this.#changes} view changes without progress, instead of ${most} ms`
  }
}
