/** Queries over the recorded messages of all replicas. Nothing is kept twice: the replicas' files are read for the window that is asked for. */
import type { MessageFilter } from '../../contract/api.ts'
import {
  messageFates,
  packMessages,
  type MessageLane,
  type MessagesOverview,
  type MessagesPage,
  type RecordingGap,
} from '../../contract/messages.ts'
import type { RecordedEntry, Timed } from '../../pbft/wire/index.ts'
import { isLost, joinHops, timeOf, type Hop, type Seen } from './hops.ts'
import { Dictionary, placeOf } from './lanes.ts'
import { BlockSummaries, Counts, type CountedBlock, type Way } from './message-counts.ts'
import { makePauses } from './pauses.ts'
import { Segments, type BlockPlace } from './segments.ts'

/** A message may be on its way for so long, ms: entries this much around a window belong to messages in it. */
const wayMaxMs = 3_000
/** Entries read for one page; a wider window has to be asked for as an overview. */
const entriesMax = 2_000_000
/** Entries kept in memory between queries. */
const cachedEntriesMax = 300_000
export interface RecordedReplica {
  readonly folder: string
  /** Its clock minus the host's, ms. */
  readonly offsetMs: number
}

export class TooManyMessages extends Error {}

type SeenEntry = Seen['entry']

const isSeen = (entry: Timed<RecordedEntry>): entry is SeenEntry =>
  entry.kind === 'sent' || entry.kind === 'refused' || (entry.kind === 'input' && entry.bytes.length > 0)

export class RunMessages {
  readonly #replicas: { readonly segments: Segments; offsetMs: number }[] = []
  /** By replica and position of the block; the least lately used first. */
  readonly #cache = new Map<string, { readonly seen: readonly Omit<Seen, 'at'>[]; readonly entries: number }>()
  #cachedEntries = 0
  readonly #summaries = new BlockSummaries((replica, block) => this.#read(replica, block))

  /** Takes over where the recordings are, and the clocks; looks for what is new in them. */
  refresh(replicas: readonly RecordedReplica[]): void {
    for (const [id, { folder, offsetMs }] of replicas.entries()) {
      const known = this.#replicas[id]
      if (known === undefined) this.#replicas[id] = { segments: new Segments(folder), offsetMs }
      else known.offsetMs = offsetMs
      const segments = this.#replicas[id]?.segments
      segments?.refresh()
      this.#summaries.forgetBefore(id, segments?.blocks[0]?.position ?? 0)
    }
  }

  segments(replica: number): Segments | null {
    return this.#replicas[replica]?.segments ?? null
  }

  offsetMs(replica: number): number {
    return this.#replicas[replica]?.offsetMs ?? 0
  }

  /** Throws TooManyMessages when the window holds more than can be looked at at once. */
  async page(from: number, to: number, limit: number, filter: MessageFilter): Promise<MessagesPage> {
    const hops = (await this.hops(from, to)).filter(matcherOf(filter))
    return { ...packHops(hops.slice(0, limit)), total: hops.length, ...this.#bounds(), gaps: this.#gaps(from, to) }
  }

  /** The messages of a window, joined; ascending. */
  async hops(from: number, to: number): Promise<Hop[]> {
    return (await this.around(from, to)).filter((hop) => timeOf(hop) >= from && timeOf(hop) < to)
  }

  /**
   * The messages of which something was recorded from `marginMs` before a window until as much after it: those of the window, which may be so
   * long on their way, and others. A request can have been made long before it came.
   */
  async around(from: number, to: number, marginMs = wayMaxMs): Promise<Hop[]> {
    const wanted = this.#replicas.flatMap(({ segments, offsetMs }, replica) =>
      segments.blocks
        .filter((block) => block.lastAt - offsetMs >= from - marginMs && block.firstAt - offsetMs < to + marginMs)
        .map((block) => ({ replica, block, offsetMs })),
    )
    const count = wanted.reduce((sum, { block }) => sum + block.count, 0)
    if (count > entriesMax) throw new TooManyMessages(`the window holds ${count} recorded entries, more than ${entriesMax}`)
    const pause = makePauses()
    const seen: Seen[] = []
    for (const { replica, block, offsetMs } of wanted) {
      for (const one of this.#seenOf(replica, block)) {
        const at = one.entry.at - offsetMs
        if (at >= from - marginMs && at < to + marginMs) seen.push({ ...one, at })
      }
      await pause()
    }
    return joinHops(seen)
  }

  /**
   * Counts by blocks of the recordings, which are at most 100 ms long; single messages where bins are shorter. A long run is counted over
   * several calls: each works for `workMs` and tells how far it is.
   */
  async overview(from: number, to: number, bins: number, filter: MessageFilter): Promise<MessagesOverview> {
    const bounds = this.#bounds()
    const begin = Math.max(from, bounds.first ?? from)
    const width = (to - from) / bins
    const counts = new Counts(from, width, bins)
    let blocks = { read: 0, of: 0 }
    if (width < 200 || filter.seq !== undefined || filter.view !== undefined) {
      for (const hop of (await this.hops(begin, to)).filter(matcherOf(filter))) {
        counts.add(timeOf(hop), hop, 1, isLost(hop) ? 1 : 0)
      }
    } else blocks = await this.#summaries.count(this.#blocksIn(from, to), counts, summaryMatcherOf(filter))
    return { from, to, bins, ...counts.columns(), blocks, ...bounds, gaps: this.#gaps(from, to) }
  }

  #blocksIn(from: number, to: number): CountedBlock[] {
    return this.#replicas.flatMap(({ segments, offsetMs }, replica) =>
      segments.blocks
        .map((block) => ({ replica, block, at: (block.firstAt + block.lastAt) / 2 - offsetMs }))
        .filter(({ at }) => at >= from && at < to),
    )
  }

  #seenOf(replica: number, block: BlockPlace): readonly Omit<Seen, 'at'>[] {
    const key = `${replica} ${block.position}`
    const cached = this.#cache.get(key)
    if (cached !== undefined) {
      this.#cache.delete(key)
      this.#cache.set(key, cached)
      return cached.seen
    }
    const seen = this.#read(replica, block)
    this.#cache.set(key, { seen, entries: block.count })
    this.#cachedEntries += block.count
    for (const [oldest, { entries }] of this.#cache) {
      if (this.#cachedEntries <= cachedEntriesMax || oldest === key) break
      this.#cache.delete(oldest)
      this.#cachedEntries -= entries
    }
    return seen
  }

  #read(replica: number, block: BlockPlace): Omit<Seen, 'at'>[] {
    const seen: { position: number; replica: number; entry: SeenEntry; rejected: string | null }[] = []
    let last: (typeof seen)[number] | null = null
    for (const [index, entry] of (this.#replicas[replica]?.segments.load(block) ?? []).entries()) {
      if (entry === null) continue
      // The core refuses in the step of the input, whose entry is the last before it.
      if (entry.kind === 'rejected' && last !== null) last.rejected ??= entry.reason
      if (entry.kind === 'input') last = null
      if (!isSeen(entry)) continue
      const one = { position: block.position + index, replica, entry, rejected: null }
      seen.push(one)
      if (entry.kind === 'input') last = one
    }
    return seen
  }

  #bounds(): { first: number | null; last: number | null } {
    const all = this.#replicas.flatMap(({ segments, offsetMs }) => {
      const [first] = segments.blocks
      const last = segments.blocks.at(-1)
      return first === undefined || last === undefined ? [] : [{ first: first.firstAt - offsetMs, last: last.lastAt - offsetMs }]
    })
    if (all.length === 0) return { first: null, last: null }
    return { first: Math.min(...all.map(({ first }) => first)), last: Math.max(...all.map(({ last }) => last)) }
  }

  /** What the writer lost, what was dropped before it was fetched from another machine, and what is older than the oldest that is kept. */
  #gaps(from: number, to: number): RecordingGap[] {
    return this.#replicas.flatMap(({ segments, offsetMs }, replica) => {
      const gaps: RecordingGap[] = []
      const { blocks } = segments
      for (const [i, block] of blocks.entries()) {
        const before = blocks[i - 1]
        const start = before?.lastAt ?? block.firstAt
        const isSkipped = before !== undefined && block.segment > before.segment + 1
        if (block.lost > 0 || isSkipped) gaps.push({ replica, from: start - offsetMs, to: block.firstAt - offsetMs, count: block.lost })
      }
      const [first] = blocks
      if (first !== undefined && first.segment > 1) gaps.unshift({ replica, from: 0, to: first.firstAt - offsetMs, count: 0 })
      return gaps.filter((gap) => gap.to > from && gap.from < to)
    })
  }
}

const laneMatcherOf = ({ replica, client }: MessageFilter): ((from: MessageLane, to: MessageLane) => boolean) => {
  const isReplica = (lane: MessageLane): boolean => lane.kind === 'replica' && lane.id === replica
  const isClient = (lane: MessageLane): boolean =>
    lane.kind === 'client' && client !== undefined && (lane.name === client || lane.name.startsWith(`${client}/`))
  return (from, to) =>
    (replica === undefined || isReplica(from) || isReplica(to)) && (client === undefined || isClient(from) || isClient(to))
}

const summaryMatcherOf = (filter: MessageFilter): ((way: Way) => boolean) => {
  const lanes = laneMatcherOf(filter)
  return ({ from, to, kind }) => (filter.kinds === undefined || filter.kinds.includes(kind)) && lanes(from, to)
}

const matcherOf = (filter: MessageFilter): ((hop: Hop) => boolean) => {
  const lanes = laneMatcherOf(filter)
  const { seq, view, kinds } = filter
  return (hop) =>
    (seq === undefined || hop.seq === seq) &&
    (view === undefined || hop.view === view) &&
    (kinds === undefined || kinds.includes(hop.kind)) &&
    lanes(hop.from, hop.to)
}

const packHops = (hops: readonly Hop[]): Pick<MessagesPage, 'packed' | 'lanes' | 'kinds' | 'digests' | 'reasons' | 'count'> => {
  const [lanes, kinds, digests, reasons] = [
    new Dictionary<MessageLane>(),
    new Dictionary<string>(),
    new Dictionary<string>(),
    new Dictionary<string>(),
  ]
  const floats = (field: (hop: Hop) => number | null): Float64Array => Float64Array.from(hops, (hop) => field(hop) ?? NaN)
  const indices = (field: (hop: Hop) => number): Int32Array => Int32Array.from(hops, field)
  const bytes = packMessages({
    count: hops.length,
    id: floats((hop) => hop.id),
    sentAt: floats((hop) => hop.sentAt),
    receivedAt: floats((hop) => hop.receivedAt),
    seq: floats((hop) => hop.seq),
    view: floats((hop) => hop.view),
    timestamp: floats((hop) => hop.timestamp),
    bytes: floats((hop) => hop.bytes),
    from: indices((hop) => placeOf(lanes, hop.from)),
    to: indices((hop) => placeOf(lanes, hop.to)),
    kind: indices((hop) => kinds.of(hop.kind)),
    digest: indices((hop) => digests.of(hop.digest)),
    fate: indices((hop) => messageFates.indexOf(hop.fate)),
    reason: indices((hop) => reasons.of(hop.reason)),
  })
  return {
    packed: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64'),
    lanes: lanes.values,
    kinds: kinds.values,
    digests: digests.values,
    reasons: reasons.values,
    count: hops.length,
  }
}
