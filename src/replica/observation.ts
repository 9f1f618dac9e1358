/**
 * What the core tells observers: phases are gathered per sequence number, rare events go one by one; at most 20 deliveries a
 * second, bounded, drops counted. Observation never slows the protocol: nothing here waits or is waited for.
 */
import type { ControlMessage, ObservedEvent, SlotObservation } from '../contract/control.ts'
import type { Phase, ProtocolEvent } from '../pbft/protocol/steps.ts'
import type { ToldDifference } from './difference.ts'

const flushMs = 50
/** Bounds of one delivery, those of the contract. */
const slotsMax = 10_000
const eventsMax = 1_000
/** Sequence numbers under way that are remembered. */
const trackedMax = 20_000

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Slot = Mutable<SlotObservation>

const timeField: Readonly<Record<Phase, 'prePreparedAt' | 'preparedAt' | 'committedAt' | 'executedAt'>> = {
  'pre-prepared': 'prePreparedAt',
  prepared: 'preparedAt',
  committed: 'committedAt',
  executed: 'executedAt',
}

/** Events as they leave the process: a difference by names instead of bytes. */
export type ToldEvent = Exclude<ProtocolEvent, { type: 'differed' }> | ToldDifference

type Observer = (message: ControlMessage) => void

export interface Observation {
  onEvent(event: ToldEvent, atMs: number): void
  /** Begins deliveries to an observer; returns the end of them. */
  attach(observer: Observer): () => void
  readonly observers: number
  /** Slots and events that were not delivered because there were too many. */
  readonly dropped: number
  close(): void
}

export const createObservation = (): Observation => {
  const observers = new Set<Observer>()
  const tracked = new Map<number, Slot>()
  const changed = new Set<number>()
  let events: ObservedEvent[] = []
  let dropped = 0
  let droppedSince = 0
  let timer: NodeJS.Timeout | null = null

  const flush = (): void => {
    timer = null
    if (changed.size === 0 && events.length === 0) return
    const slots: SlotObservation[] = []
    for (const seq of changed) {
      const slot = tracked.get(seq)
      if (slot === undefined) continue
      slots.push({ ...slot })
      if (slot.executedAt !== null) tracked.delete(seq)
    }
    const message: ControlMessage = { type: 'observed', slots, events, dropped: droppedSince }
    changed.clear()
    events = []
    droppedSince = 0
    for (const observer of observers) observer(message)
  }

  const drop = (): void => {
    dropped += 1
    droppedSince += 1
  }

  const later = (): void => {
    timer ??= setTimeout(flush, flushMs)
  }

  const onPhase = (event: Extract<ProtocolEvent, { type: 'phase' }>, atMs: number): void => {
    let slot = tracked.get(event.seq)
    if (slot === undefined || slot.view !== event.view || slot.digest !== event.digest) {
      if (slot === undefined && tracked.size >= trackedMax) {
        drop()
        return
      }
      const { seq, view, digest, requests } = event
      slot = { seq, view, digest, requests, prePreparedAt: null, preparedAt: null, committedAt: null, executedAt: null }
      tracked.set(seq, slot)
    }
    slot[timeField[event.phase]] = atMs
    if (observers.size === 0) {
      if (event.phase === 'executed') tracked.delete(event.seq)
      return
    }
    if (changed.size >= slotsMax && !changed.has(event.seq)) {
      drop()
      return
    }
    changed.add(event.seq)
    later()
  }

  return {
    onEvent(event, atMs) {
      if (event.type === 'phase') {
        onPhase(event, atMs)
        return
      }
      if (event.type === 'request-received' || event.type === 'rejected' || event.type === 'evidence' || observers.size === 0) return
      if (events.length >= eventsMax) {
        drop()
        return
      }
      events.push({ at: atMs, event: { ...event } })
      later()
    },
    attach(observer) {
      observers.add(observer)
      return () => void observers.delete(observer)
    },
    get observers() {
      return observers.size
    },
    get dropped() {
      return dropped
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      observers.clear()
    },
  }
}
