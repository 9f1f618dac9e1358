/**
 * Copies of a replica's state, so that whoever replays a run can go on from one moment more than once. What never changes once it is made
 * is shared: messages, batches, byte strings, snapshots of the partition tree. Everything else is copied, and what occurs twice in the
 * state occurs twice, as one, in the copy.
 */
import { assertThat } from './assert.ts'
import type { Capabilities } from './capabilities.ts'
import type { Service } from './service.ts'
import type { ReplicaState } from './state.ts'

/** The copy of a part of a state; the same one each time that it is asked for the same part. */
export type Copied = <T>(value: T) => T

/** Parts with fields of their own: they say how they are copied. */
interface Copyable {
  copy(copied: Copied): unknown
}

const isCopyable = (value: object): value is Copyable => 'copy' in value && typeof value.copy === 'function'

const isShared = (value: object): boolean =>
  value instanceof Uint8Array ||
  // A message; nothing else in the state has a type by that name.
  ('type' in value && typeof value.type === 'string') ||
  // A batch.
  ('bytes' in value && 'timeMs' in value) ||
  // A snapshot of the partition tree.
  ('leaves' in value && 'levels' in value)

const isPlain = (value: object): boolean => Object.getPrototypeOf(value) === Object.prototype

/** @returns what copies, and how many objects it has made */
const createCopier = (): { readonly copied: Copied; readonly count: () => number } => {
  const made = new Map<object, unknown>()
  const copied = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null || isShared(value)) return value
    const known = made.get(value)
    if (known !== undefined) return known
    if (isCopyable(value)) {
      const copy = value.copy(copied as Copied)
      made.set(value, copy)
      return copy
    }
    if (Array.isArray(value)) {
      const copy: unknown[] = []
      made.set(value, copy)
      for (const element of value) copy.push(copied(element))
      return copy
    }
    if (value instanceof Map) {
      const copy = new Map<unknown, unknown>()
      made.set(value, copy)
      for (const [key, element] of value) copy.set(key, copied(element))
      return copy
    }
    if (value instanceof Set) {
      const copy = new Set<unknown>()
      made.set(value, copy)
      for (const element of value) copy.add(copied(element))
      return copy
    }
    assertThat(isPlain(value), 'a part of the state with fields of its own says how it is copied')
    const copy: Record<string, unknown> = {}
    made.set(value, copy)
    for (const [name, element] of Object.entries(value)) copy[name] = copied(element)
    return copy
  }
  return { copied: copied as Copied, count: () => made.size }
}

export interface StateCopy {
  readonly state: ReplicaState
  /** How many objects it does not share with what it was copied from: a measure of its size. */
  readonly objects: number
}

/**
 * An independent replica in the same state. `service`: a copy of its service; `capabilities`: what it signs with from here on. Effects of
 * its last step are not copied.
 */
export const copyState = (r: ReplicaState, capabilities: Capabilities, service: Service): StateCopy => {
  const { copied, count } = createCopier()
  const { config, capabilities: _, nullBatch, replicated, out: __, ...rest } = r
  const state: ReplicaState = { ...copied(rest), config, capabilities, nullBatch, replicated: replicated.copy(copied, service), out: [] }
  return { state, objects: count() }
}
