/** The whole state of a replica as plain data, for people: by the names of the core's own fields, so that a new one shows by itself. */
import type { ReplicaState } from '../protocol/state.ts'
import type { Slot } from '../protocol/slots.ts'
import type { Votes } from '../protocol/votes.ts'
import { headOf } from '../wire/index.ts'
import type { Message } from '../protocol/messages.ts'
import type { Replay } from './replay.ts'

export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [name: string]: Plain }

/** Shown elsewhere or the same all the time. */
const leftOut: ReadonlySet<string> = new Set([
  'config',
  'capabilities',
  'nullBatch',
  'nullDigest',
  'genesis',
  'replicated',
  'log',
  'pending',
  'out',
  'again',
  'peers',
])
const elementsMax = 2_000
const depthMax = 8

const isMessage = (value: object): value is Message => 'type' in value && typeof value.type === 'string'

/** Messages by what tells them apart, byte strings by their length, long lists cut with a count of what is left. */
const plain = (value: unknown, depth = 0): Plain => {
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value !== 'object' || depth > depthMax) return '...'
  if (value instanceof Uint8Array) return { bytes: value.length }
  if (value instanceof Map)
    return list(
      [...value].map(([key, element]) => ({ key: key as unknown, value: element as unknown })),
      depth,
    )
  if (value instanceof Set) return list([...value], depth)
  if (Array.isArray(value)) return list(value, depth)
  if (isMessage(value)) return plainHead(value)
  // What a snapshot of the partition tree holds is the service's state, which the digest stands for.
  if ('snapshot' in value) {
    const { snapshot: _, ...rest } = value
    return plain(rest, depth)
  }
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, plain(element, depth + 1)]))
}

const list = (values: readonly unknown[], depth: number): Plain => {
  const shown = values.slice(0, elementsMax).map((element) => plain(element, depth + 1))
  return values.length > shown.length ? [...shown, { more: values.length - shown.length }] : shown
}

const plainHead = (message: Message): Plain =>
  Object.fromEntries(
    Object.entries({ ...headOf(message), replica: 'replica' in message ? message.replica : null }).filter(([, v]) => v !== null),
  )

const plainVotes = (votes: Votes): Plain => votes.all().map(({ replica, view, digest }) => ({ replica, view, digest }))

const plainSlot = (slot: Slot): Plain => {
  const { batch, prepares, commits, ...rest } = slot
  return {
    ...(plain(rest) as Record<string, Plain>),
    requests: batch === null ? null : batch.requests.length,
    prepares: plainVotes(prepares),
    commits: plainVotes(commits),
  }
}

/** Log slots by seq, certificates, timers, watermarks, pending requests, view change, checkpoints, the service's digest. */
export const stateView = (replay: Replay): { readonly [name: string]: Plain } => {
  const r: ReplicaState = replay.state
  const rest = Object.fromEntries(Object.entries(r).filter(([name]) => !leftOut.has(name)))
  return {
    ...(plain(rest) as Record<string, Plain>),
    lowWatermark: r.checkpoints.stable.seq,
    highWatermark: r.checkpoints.stable.seq + r.config.logWindow,
    stateDigest: replay.stateDigest(),
    agreedTimeMs: r.replicated.timeMs,
    timers: Object.fromEntries(replay.timers),
    slots: Object.fromEntries([...r.log.all()].sort((a, b) => a.seq - b.seq).map((slot) => [String(slot.seq), plainSlot(slot)])),
    pending: list(r.pending.first(elementsMax), 0),
  }
}

export interface Change {
  /** Names joined by dots. */
  readonly path: string
  /** null: it was not there, or is not any more. */
  readonly before: Plain
  readonly after: Plain
}

const changesMax = 500

/** What differs between two states, at most 500 places. */
export const diffOf = (before: Plain, after: Plain): Change[] => {
  const changes: Change[] = []
  const compare = (path: string, a: Plain | undefined, b: Plain | undefined): void => {
    if (changes.length >= changesMax || a === b) return
    if (isTree(a) && isTree(b) && Array.isArray(a) === Array.isArray(b)) {
      for (const name of new Set([...Object.keys(a), ...Object.keys(b)])) {
        compare(path === '' ? name : `${path}.${name}`, (a as Record<string, Plain>)[name], (b as Record<string, Plain>)[name])
      }
    } else changes.push({ path, before: a ?? null, after: b ?? null })
  }
  compare('', before, after)
  return changes
}

const isTree = (value: Plain | undefined): value is readonly Plain[] | { readonly [name: string]: Plain } =>
  typeof value === 'object' && value !== null
