/** Sends and receipts of all replicas, as they recorded them, joined to messages on their way. */
import type { MessageFate, MessageLane } from '../../contract/messages.ts'
import { crc32, headOf, messageTypeOf, type MessageHead, type RecordedEntry, type SendFate, type Timed } from '../../pbft/wire/index.ts'

export interface Hop {
  /** Of the receipt where there is one, else of the sending. */
  id: number
  readonly kind: string
  readonly from: MessageLane
  readonly to: MessageLane
  sentAt: number | null
  receivedAt: number | null
  readonly view: number | null
  readonly seq: number | null
  readonly digest: string | null
  readonly client: string | null
  readonly timestamp: number | null
  readonly bytes: number
  fate: MessageFate
  reason: string | null
  /** The entries that it was made of. */
  readonly sentFrom: Place | null
  takenAt: Place | null
}

/** Whether it did not reach the protocol of its receiver: eaten on its way, or kept out there. */
export const isLost = ({ fate }: Pick<Hop, 'fate'>): boolean => fate === 'lost' || fate === 'refused'

interface Place {
  readonly replica: number
  readonly position: number
}

/** One entry that is a sending or a receipt. */
export interface Seen {
  readonly position: number
  readonly replica: number
  /** ms since the epoch by the host's clock. */
  readonly at: number
  readonly entry: Extract<Timed<RecordedEntry>, { kind: 'sent' | 'input' | 'refused' }>
  /** Why its receiver's protocol did not take it; null: it did. */
  readonly rejected: string | null
}

/** A client of ours counts its time in microseconds since the epoch: its stamp says when it made the request, if that was just before. */
const clientDelayMaxMs = 60_000

const replicaLane = (id: number): MessageLane => ({ kind: 'replica', id })
const clientLane = (name: string): MessageLane => ({ kind: 'client', name })
const laneKey = (lane: MessageLane): string => (lane.kind === 'replica' ? `r${lane.id}` : lane.name)
const keyOf = (from: MessageLane, to: MessageLane, sum: number, size: number): string => `${laneKey(from)}>${laneKey(to)} ${sum} ${size}`

const lostReasons: ReadonlySet<SendFate> = new Set(['cut', 'loss', 'corrupt', 'no-link', 'clients-cut', 'no-client', 'withheld'])

/**
 * Ids are whole numbers below 2^53: the replica that recorded it, the entry's position there, and for one that was not seen to arrive its
 * receiver.
 */
export const idOf = (replica: number, position: number, receiver: number | null = null): number =>
  replica * 2 ** 46 + position * 2 ** 7 + (receiver === null ? 0 : receiver + 1)
export const replicaOfId = (id: number): number => Math.floor(id / 2 ** 46)
export const positionOfId = (id: number): number => Math.floor((id % 2 ** 46) / 2 ** 7)

const noHead: Omit<MessageHead, 'type'> = { view: null, seq: null, digest: null, client: null, timestamp: null }

class Joiner {
  readonly hops: Hop[] = []
  /** Sent and not seen to arrive, the oldest first. */
  readonly #open = new Map<string, Hop[]>()

  sent(seen: Seen, entry: Extract<RecordedEntry, { kind: 'sent' }>): void {
    const from = replicaLane(seen.replica)
    if (entry.to.length === 0 && entry.head.client !== null) {
      // What a client took is not recorded: what was handed to its link counts as delivered, without a time.
      const lost = lostReasons.has(entry.fate)
      this.#add(seen, entry, from, clientLane(entry.head.client), lost ? 'lost' : 'delivered', lost ? entry.fate : null)
    }
    for (const { replica, fate } of entry.to) {
      const lost = lostReasons.has(fate) && fate !== 'corrupt'
      const to = replicaLane(replica)
      const hop = this.#add(seen, entry, from, to, lost ? 'lost' : 'in-flight', fate === 'sent' ? null : fate)
      if (lost) continue
      const key = keyOf(from, to, entry.sum, entry.size)
      const open = this.#open.get(key)
      if (open === undefined) this.#open.set(key, [hop])
      else open.push(hop)
    }
  }

  received(seen: Seen, entry: Extract<RecordedEntry, { kind: 'input' }>): void {
    const { input, bytes } = entry
    if (input.type !== 'message' && input.type !== 'request') return
    const head = headOf(input.type === 'message' ? input.message : input.request)
    const to = replicaLane(seen.replica)
    const from = input.type === 'message' ? replicaLane(input.from) : clientLane(input.request.client)
    const hop = this.#take(from, to, crc32(bytes), bytes.length, () => this.#bare(seen, head, from, to, bytes.length))
    this.#arrive(hop, seen, seen.rejected)
    if (input.type === 'request') {
      const madeAt = input.request.timestamp / 1_000
      if (madeAt <= seen.at && seen.at - madeAt < clientDelayMaxMs) hop.sentAt = madeAt
    }
  }

  refused(seen: Seen, entry: Extract<RecordedEntry, { kind: 'refused' }>): void {
    const to = replicaLane(seen.replica)
    const from = /^\d{1,2}$/.test(entry.from) ? replicaLane(Number(entry.from)) : clientLane(entry.from)
    const type = messageTypeOf(entry.type)
    const head = { ...noHead, type: type ?? 'unknown' }
    const hop = this.#take(from, to, entry.sum, entry.size, () => this.#bare(seen, head, from, to, entry.size))
    this.#arrive(hop, seen, entry.reason)
    // A receiver's cut is a fault of the link, not its judgement.
    if (entry.reason === 'cut' || entry.reason === 'clients-cut') {
      hop.fate = 'lost'
      hop.receivedAt = null
    }
  }

  #arrive(hop: Hop, seen: Seen, refusedFor: string | null): void {
    hop.id = idOf(seen.replica, seen.position)
    hop.receivedAt = seen.at
    hop.takenAt = { replica: seen.replica, position: seen.position }
    hop.fate = refusedFor === null ? 'delivered' : 'refused'
    hop.reason = refusedFor
  }

  #take(from: MessageLane, to: MessageLane, sum: number, size: number, make: () => Hop): Hop {
    const key = keyOf(from, to, sum, size)
    const open = this.#open.get(key)
    const hop = open?.shift()
    if (open?.length === 0) this.#open.delete(key)
    if (hop !== undefined) return hop
    const made = make()
    this.hops.push(made)
    return made
  }

  #bare(seen: Seen, head: Omit<MessageHead, 'type'> & { readonly type: string }, from: MessageLane, to: MessageLane, bytes: number): Hop {
    const { view, seq, digest, client, timestamp } = head
    return {
      id: idOf(seen.replica, seen.position),
      kind: head.type,
      from,
      to,
      sentAt: null,
      receivedAt: null,
      view,
      seq,
      digest,
      client,
      timestamp,
      bytes,
      fate: 'in-flight',
      reason: null,
      sentFrom: null,
      takenAt: null,
    }
  }

  #add(
    seen: Seen,
    entry: Extract<RecordedEntry, { kind: 'sent' }>,
    from: MessageLane,
    to: MessageLane,
    fate: MessageFate,
    reason: string | null,
  ): Hop {
    const id = idOf(seen.replica, seen.position, to.kind === 'replica' ? to.id : null)
    const hop = {
      ...this.#bare(seen, entry.head, from, to, entry.size),
      id,
      sentAt: seen.at,
      fate,
      reason,
      sentFrom: { replica: seen.replica, position: seen.position },
    }
    this.hops.push(hop)
    return hop
  }
}

/** `seen` may come in any order; the result is ascending by time of sending (of receipt where that is not known). */
export const joinHops = (seen: readonly Seen[]): Hop[] => {
  const joiner = new Joiner()
  // All sendings first: clocks of different processes may differ by more than a message's way.
  const ordered = [...seen].sort((a, b) => a.at - b.at)
  for (const one of ordered) if (one.entry.kind === 'sent') joiner.sent(one, one.entry)
  for (const one of ordered) {
    if (one.entry.kind === 'input') joiner.received(one, one.entry)
    else if (one.entry.kind === 'refused') joiner.refused(one, one.entry)
  }
  return joiner.hops.sort((a, b) => timeOf(a) - timeOf(b))
}

export const timeOf = (hop: Hop): number => hop.sentAt ?? hop.receivedAt ?? 0
