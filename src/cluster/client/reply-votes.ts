/**
 * Bundles of replies, counted as bytes. Replicas that agree on what became of a batch say it in the same bytes, so f+1 equal bundles are
 * f+1 equal replies for every session in them: they are decoded once, and what further replicas say alike is not looked at at all. As soon
 * as two differ, or after a moment in which too few agree, the sessions get each reply by itself and judge for themselves.
 */
import type { ReplicaId } from '../../pbft/protocol/ids.ts'
import type { Reply } from '../../pbft/protocol/messages.ts'
import { decodeReplies, placeOfReplies, sharedFrom } from '../../pbft/wire/index.ts'

/** How long one waits for its like, ms. */
const patienceMs = 10
/** Places in the order that are remembered, with one bundle each. */
const placesMax = 64

interface Place {
  /** What was said first. */
  readonly bundle: Uint8Array
  /** Who said just that; ascending. */
  readonly from: ReplicaId[]
  readonly sinceMs: number
  /** agreed: it was handed over as f+1 said it; apart: each was, or is, handed over by itself. */
  state: 'waiting' | 'agreed' | 'apart'
}

export interface ReplyVotesOptions {
  /** f+1. */
  readonly weak: number
  /** What all of `from` (ascending) say. */
  deliver(from: readonly ReplicaId[], reply: Reply): void
  malformed(): void
}

export class ReplyVotes {
  readonly #options: ReplyVotesOptions
  readonly #places = new Map<number, Place>()
  #timer: NodeJS.Timeout | null = null

  constructor(options: ReplyVotesOptions) {
    this.#options = options
  }

  /** `bundle` came over the link of `from`; it must not change any more. */
  add(from: ReplicaId, bundle: Uint8Array): void {
    const said = placeOfReplies(bundle)
    if (said === null || said.replica !== from) {
      this.#options.malformed()
      return
    }
    const place = this.#places.get(said.seq)
    if (place === undefined) this.#begin(said.seq, from, bundle)
    else if (place.state !== 'apart' && isSame(place.bundle, bundle)) this.#agree(place, from)
    else {
      this.#part(place)
      this.#handOver([from], bundle)
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#places.clear()
  }

  #begin(seq: number, from: ReplicaId, bundle: Uint8Array): void {
    const place: Place = { bundle, from: [from], sinceMs: performance.now(), state: 'waiting' }
    this.#places.set(seq, place)
    for (const [oldest, { state }] of this.#places) {
      if (this.#places.size <= placesMax || oldest === seq) break
      const forgotten = this.#places.get(oldest)
      if (state === 'waiting' && forgotten !== undefined) this.#part(forgotten)
      this.#places.delete(oldest)
    }
    this.#settle(place)
    this.#timer ??= setTimeout(() => this.#look(), patienceMs)
  }

  #agree(place: Place, from: ReplicaId): void {
    if (place.state === 'agreed' || place.from.includes(from)) return
    place.from.push(from)
    place.from.sort((a, b) => a - b)
    this.#settle(place)
  }

  #settle(place: Place): void {
    if (place.from.length < this.#options.weak) return
    place.state = 'agreed'
    this.#handOver(place.from, place.bundle)
  }

  /** They do not agree: what was held back goes to the sessions. */
  #part(place: Place): void {
    const wasWaiting = place.state === 'waiting'
    if (place.state !== 'agreed') place.state = 'apart'
    if (wasWaiting) this.#handOver(place.from, place.bundle)
  }

  #look(): void {
    this.#timer = null
    const now = performance.now()
    let isWaiting = false
    for (const place of this.#places.values()) {
      if (place.state !== 'waiting') continue
      if (now - place.sinceMs >= patienceMs) this.#part(place)
      else isWaiting = true
    }
    if (isWaiting) this.#timer = setTimeout(() => this.#look(), patienceMs)
  }

  #handOver(from: readonly ReplicaId[], bundle: Uint8Array): void {
    const decoded = decodeReplies(bundle)
    if (!decoded.ok) this.#options.malformed()
    else for (const reply of decoded.value) this.#options.deliver(from, reply)
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a.subarray(sharedFrom), b.subarray(sharedFrom)) === 0
