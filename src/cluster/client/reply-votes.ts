/**
 * Bundles of replies, counted as bytes. Replicas that agree on what became of a batch say it in the same bytes, so f+1 equal bundles (a
 * quorum, where too few are final) are as many equal replies for every session in them: they are decoded once, and what further replicas
 * say alike is not looked at at all. As soon as two differ, or after a moment in which too few agree, the sessions get each reply by itself
 * and judge for themselves.
 */
import type { ReplicaId } from '../../pbft/protocol/ids.ts'
import type { Reply } from '../../pbft/protocol/messages.ts'
import { quorumSize, weakSize } from '../../pbft/protocol/quorum.ts'
import { decodeReplies, headOfReplies, sharedFrom, type RepliesHead } from '../../pbft/wire/index.ts'

/** How long one waits for its like, ms. */
const patienceMs = 10
/** Places in the order that are remembered, with one bundle each. */
const placesMax = 64

interface Place {
  /** What was said first. */
  readonly bundle: Uint8Array
  /** Who said just that. */
  readonly said: RepliesHead[]
  readonly sinceMs: number
  /** agreed: it was handed over as enough said it; apart: each was, or is, handed over by itself. */
  state: 'waiting' | 'agreed' | 'apart'
}

export interface ReplyVotesOptions {
  /** Replicas. */
  readonly n: number
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
    const head = headOfReplies(bundle)
    if (head === null || head.replica !== from) {
      this.#options.malformed()
      return
    }
    const place = this.#places.get(head.seq)
    if (place === undefined) this.#begin(head, bundle)
    else if (place.state !== 'apart' && isSame(place.bundle, bundle)) this.#agree(place, head)
    else {
      this.#part(place)
      this.#handOver([head], bundle)
    }
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#places.clear()
  }

  #begin(head: RepliesHead, bundle: Uint8Array): void {
    const { seq } = head
    const place: Place = { bundle, said: [head], sinceMs: performance.now(), state: 'waiting' }
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

  #agree(place: Place, head: RepliesHead): void {
    if (place.state === 'agreed') return
    const before = place.said.findIndex(({ replica }) => replica === head.replica)
    if (before < 0) place.said.push(head)
    else if (!head.tentative) place.said[before] = head
    this.#settle(place)
  }

  #settle(place: Place): void {
    const { said } = place
    const final = said.filter(({ tentative }) => !tentative).length
    const { n } = this.#options
    if (final < weakSize(n) && said.length < quorumSize(n)) return
    place.state = 'agreed'
    this.#handOver(said, place.bundle, final < weakSize(n))
  }

  /** They do not agree: what was held back goes to the sessions. */
  #part(place: Place): void {
    const wasWaiting = place.state === 'waiting'
    if (place.state !== 'agreed') place.state = 'apart'
    if (wasWaiting) for (const head of place.said) this.#handOver([head], place.bundle)
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

  /** What all of `said` say alike. */
  #handOver(said: readonly RepliesHead[], bundle: Uint8Array, tentative = said.some((head) => head.tentative)): void {
    const from = said.map(({ replica }) => replica).sort((a, b) => a - b)
    const decoded = decodeReplies(bundle)
    if (!decoded.ok) this.#options.malformed()
    else for (const reply of decoded.value) this.#options.deliver(from, reply.tentative === tentative ? reply : { ...reply, tentative })
  }
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && Buffer.compare(a.subarray(sharedFrom), b.subarray(sharedFrom)) === 0
