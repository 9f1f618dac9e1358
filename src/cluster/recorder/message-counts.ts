/**
 * How many messages of each kind went from lane to lane, for windows too wide to look at each. A block of a recording is read once; what it
 * held is kept as counts, about a thirtieth of its size.
 */
import type { MessageLane, MessagesOverview } from '../../contract/messages.ts'
import { isLost, joinHops, type Seen } from './hops.ts'
import { Dictionary, laneName, placeOf } from './lanes.ts'
import { makePauses } from './pauses.ts'
import type { BlockPlace } from './segments.ts'

/** Messages of one kind on one way. */
export interface Way {
  readonly from: MessageLane
  readonly to: MessageLane
  readonly kind: string
}

export interface CountedBlock {
  readonly replica: number
  readonly block: BlockPlace
  /** Its middle by the host's clock, ms. */
  readonly at: number
}

/** How long one call reads blocks that nobody has counted yet, ms; the next call goes on. */
const callWorkMs = 400
/** A block's counts: way, count and lost of each way. */
const perWay = 3

export class BlockSummaries {
  readonly #read: (replica: number, block: BlockPlace) => readonly Omit<Seen, 'at'>[]
  readonly #workMs: number
  readonly #ways = new Dictionary<Way>()
  /** By replica, then by the position of the block. */
  readonly #known = new Map<number, Map<number, Int32Array>>()

  /** `workMs`: how long a call may read; it reads one block at least. */
  constructor(read: (replica: number, block: BlockPlace) => readonly Omit<Seen, 'at'>[], workMs = callWorkMs) {
    this.#read = read
    this.#workMs = workMs
  }

  /** Of a replica only blocks from `position` on are there any more. */
  forgetBefore(replica: number, position: number): void {
    const known = this.#known.get(replica)
    for (const one of known?.keys() ?? []) if (one < position) known?.delete(one)
  }

  /**
   * Counts what it knows of `blocks`, reading more of them while its time lasts, from coarse to fine, so that the whole of a long run is in
   * sight at once. Where a bin's blocks were read in part, its counts stand for all of them. Gives how many were read, of how many.
   */
  async count(blocks: readonly CountedBlock[], into: Counts, matches: (way: Way) => boolean): Promise<{ read: number; of: number }> {
    await this.#readSome(blocks)
    const shares = new Map<number, { all: number; read: number }>()
    const found: { at: number; summary: Int32Array }[] = []
    for (const { replica, block, at } of blocks) {
      const bin = into.binOf(at)
      const share = shares.get(bin) ?? { all: 0, read: 0 }
      shares.set(bin, share)
      share.all += block.count
      const summary = this.#known.get(replica)?.get(block.position)
      if (summary === undefined) continue
      share.read += block.count
      found.push({ at, summary })
    }
    for (const { at, summary } of found) {
      const share = shares.get(into.binOf(at))
      this.#add(at, summary, share === undefined ? 1 : share.all / Math.max(1, share.read), into, matches)
    }
    return { read: found.length, of: blocks.length }
  }

  #add(at: number, summary: Int32Array, factor: number, into: Counts, matches: (way: Way) => boolean): void {
    for (let i = 0; i < summary.length; i += perWay) {
      const way = this.#ways.values[summary[i] ?? -1]
      if (way !== undefined && matches(way)) into.add(at, way, (summary[i + 1] ?? 0) * factor, (summary[i + 2] ?? 0) * factor)
    }
  }

  async #readSome(blocks: readonly CountedBlock[]): Promise<void> {
    const pause = makePauses()
    const until = Date.now() + this.#workMs
    for (const { replica, block } of coarseToFine(blocks)) {
      const known = this.#known.get(replica) ?? new Map<number, Int32Array>()
      this.#known.set(replica, known)
      if (known.has(block.position)) continue
      known.set(block.position, this.#summaryOf(this.#read(replica, block)))
      if (Date.now() > until) return
      await pause()
    }
  }

  #summaryOf(seen: readonly Omit<Seen, 'at'>[]): Int32Array {
    const counts = new Map<number, { count: number; lost: number }>()
    for (const hop of joinHops(seen.map((one) => ({ ...one, at: one.entry.at })))) {
      const { from, to, kind, sentAt } = hop
      // Each message once: by its sender, and by its receiver where the sender is a client.
      if (from.kind !== 'client' && sentAt === null) continue
      const way = this.#ways.of({ from, to, kind }, `${from.kind} ${laneName(from)}>${to.kind} ${laneName(to)} ${kind}`)
      const count = counts.get(way) ?? { count: 0, lost: 0 }
      counts.set(way, count)
      count.count += 1
      if (isLost(hop)) count.lost += 1
    }
    return Int32Array.from([...counts].flatMap(([way, { count, lost }]) => [way, count, lost]))
  }
}

/** Every one once: first few over all of them, then those between, and so on. */
function* coarseToFine<T>(all: readonly T[]): Generator<T> {
  let stride = 1
  while (stride < all.length) stride *= 2
  for (let first = true; stride >= 1; stride /= 2, first = false) {
    for (let i = first ? 0 : stride; i < all.length; i += first ? stride : stride * 2) {
      const one = all[i]
      if (one !== undefined) yield one
    }
  }
}

/** Counts by bin, source, target and kind, as the contract has them. */
export class Counts {
  readonly #from: number
  readonly #width: number
  readonly #bins: number
  readonly #lanes = new Dictionary<MessageLane>()
  readonly #kinds = new Dictionary<string>()
  readonly #rows = new Map<string, { bin: number; source: number; target: number; kind: number; count: number; lost: number }>()

  constructor(from: number, width: number, bins: number) {
    this.#from = from
    this.#width = width
    this.#bins = bins
  }

  binOf(at: number): number {
    return Math.min(this.#bins - 1, Math.max(0, Math.floor((at - this.#from) / this.#width)))
  }

  add(at: number, { from, to, kind }: Way, count: number, lost: number): void {
    const bin = this.binOf(at)
    const [source, target, place] = [placeOf(this.#lanes, from), placeOf(this.#lanes, to), this.#kinds.of(kind)]
    const key = `${bin} ${source} ${target} ${place}`
    const row = this.#rows.get(key) ?? { bin, source, target, kind: place, count: 0, lost: 0 }
    this.#rows.set(key, row)
    row.count += count
    row.lost += lost
  }

  /** Whole numbers; `total` is their sum. */
  columns(): Pick<MessagesOverview, 'lanes' | 'kinds' | 'bin' | 'source' | 'target' | 'kind' | 'count' | 'lost' | 'total'> {
    const rows = [...this.#rows.values()].sort((a, b) => a.bin - b.bin)
    const count = rows.map((row) => Math.max(1, Math.round(row.count)))
    return {
      lanes: this.#lanes.values,
      kinds: this.#kinds.values,
      bin: rows.map(({ bin }) => bin),
      source: rows.map(({ source }) => source),
      target: rows.map(({ target }) => target),
      kind: rows.map(({ kind }) => kind),
      count,
      lost: rows.map(({ lost }) => Math.round(lost)),
      total: count.reduce((sum, one) => sum + one, 0),
    }
  }
}
