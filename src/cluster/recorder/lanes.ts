/** Lanes of messages, and values numbered in the order in which they first came. */
import type { MessageLane } from '../../contract/messages.ts'

/** Values in the order in which they first came, and the index of each. */
export class Dictionary<T> {
  readonly values: T[] = []
  readonly #places = new Map<string, number>()

  /** -1 for null. */
  of(value: T | null, key = String(value)): number {
    if (value === null) return -1
    const known = this.#places.get(key)
    if (known !== undefined) return known
    this.#places.set(key, this.values.length)
    return this.values.push(value) - 1
  }
}

export const laneName = (lane: MessageLane): string => (lane.kind === 'replica' ? String(lane.id) : lane.name)

export const placeOf = (lanes: Dictionary<MessageLane>, lane: MessageLane): number => lanes.of(lane, `${lane.kind} ${laneName(lane)}`)
