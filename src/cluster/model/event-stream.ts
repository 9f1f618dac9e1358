/**
 * The panel's event stream: consecutive positions, a bounded memory for subscribers that come back, at most 20 deliveries a
 * second. What replaces an earlier event of its kind replaces it while that is still undelivered.
 */
import { randomUUID } from 'node:crypto'
import type { EventBatch, PanelEvent } from '../../contract/events.ts'

const deliveryMs = 50
const eventsKept = 2_000

type Listener = (batch: EventBatch) => void

export class EventStream {
  readonly #epoch = randomUUID()
  readonly #listeners = new Set<Listener>()
  /** The last events; the newest has position `#position`. */
  #kept: PanelEvent[] = []
  #position = 0
  #pending: PanelEvent[] = []
  #timer: NodeJS.Timeout | null = null

  emit(event: PanelEvent): void {
    this.#pending = merge(this.#pending, event)
    this.#timer ??= setTimeout(() => this.#deliver(), deliveryMs)
  }

  subscribe(from: { readonly epoch: string; readonly position: number } | null, listener: Listener): () => void {
    const missed = from !== null && from.epoch === this.#epoch ? this.#position - from.position : Infinity
    if (missed < 0 || missed > this.#kept.length) {
      listener({ epoch: this.#epoch, position: this.#position, events: [{ type: 'reset' }] })
    } else if (missed > 0) {
      listener({ epoch: this.#epoch, position: this.#position, events: this.#kept.slice(-missed) })
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Delivers what waits and ends the timer. */
  close(): void {
    this.#deliver()
  }

  #deliver(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (this.#pending.length === 0) return
    const events = this.#pending
    this.#pending = []
    this.#position += events.length
    this.#kept = [...this.#kept, ...events].slice(-eventsKept)
    for (const listener of [...this.#listeners]) listener({ epoch: this.#epoch, position: this.#position, events })
  }
}

const merge = (pending: readonly PanelEvent[], event: PanelEvent): PanelEvent[] => {
  switch (event.type) {
    case 'status':
    case 'host':
    case 'views':
    case 'checkpoints':
    case 'load':
    case 'scenario':
      return [...pending.filter((other) => other.type !== event.type), event]
    case 'log': {
      const before = pending.find((other) => other.type === 'log')
      const changedFrom = before?.type === 'log' ? Math.min(before.changedFrom, event.changedFrom) : event.changedFrom
      return [...pending.filter((other) => other.type !== 'log'), { ...event, changedFrom }]
    }
    case 'request':
      return [...pending.filter((other) => other.type !== 'request' || other.request.id !== event.request.id), event]
    default:
      return [...pending, event]
  }
}
