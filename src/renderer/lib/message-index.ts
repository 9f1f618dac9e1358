/**
 * The messages of a window, indexed for drawing: what is in sight, bundled where a pixel holds more than one; neighbours for moving the
 * selection; rows for the table. Works in a worker, on columns of numbers. Pure.
 */
import { oneLine } from './format.ts'
import { messageFates, unpackMessages, type MessageColumns, type MessageLane, type MessagesPage } from '../../contract/messages.ts'

/** Rows of the diagram: replicas by id, then clients by name; those beyond `clientRowsMax` share the last row. */
export interface MessageRow {
  readonly label: string
  readonly kind: 'replica' | 'client' | 'clients'
  /** Of a replica. */
  readonly id: number | null
  /** How many clients share it. */
  readonly clients: number
}

export const clientRowsMax = 6

/** Lines to draw; the same index in all arrays is one line. */
export interface Drawn {
  readonly count: number
  /** Ids; -1: a bundle. */
  readonly id: Float64Array
  readonly start: Float64Array
  readonly end: Float64Array
  readonly from: Int32Array
  readonly to: Int32Array
  /** Index into the page's kinds. */
  readonly kind: Int32Array
  /** Index into `messageFates`; of a bundle: 'delivered'. */
  readonly fate: Int32Array
  /** How many messages it stands for, and how many of them were lost or refused. */
  readonly weight: Int32Array
  readonly lost: Int32Array
  /** All messages in the window. */
  readonly total: number
  /** One line is one message. */
  readonly single: boolean
  /** A line is all of a kind in a bin, over every lane that it touched; the kinds of a bin stand side by side. */
  readonly spans: boolean
}

/** One message, as the table and the selection have it. */
export interface MessageSummary {
  readonly id: number
  readonly kind: string
  readonly from: MessageLane
  readonly to: MessageLane
  readonly fromRow: number
  readonly toRow: number
  /** ms since the epoch; null: not seen. */
  readonly sentAt: number | null
  readonly receivedAt: number | null
  readonly seq: number | null
  readonly view: number | null
  readonly bytes: number
  readonly fate: (typeof messageFates)[number]
  readonly reason: string | null
}

/** Lines of single messages, and of bundles, which need no dashes and markers. */
const linesMax = 1_500
const bundlesMax = 2_500
const kindsMax = 64
const delivered = messageFates.indexOf('delivered')
const lostFates: ReadonlySet<number> = new Set([messageFates.indexOf('lost'), messageFates.indexOf('refused')])

/** The order of rows for lanes, and each lane's row. */
export function rowsOf(lanes: readonly MessageLane[]): { rows: MessageRow[]; rowOfLane: Int32Array } {
  const replicas = [...new Set(lanes.flatMap((lane) => (lane.kind === 'replica' ? [lane.id] : [])))].sort((a, b) => a - b)
  const clients = [...new Set(lanes.flatMap((lane) => (lane.kind === 'client' ? [lane.name] : [])))].sort()
  const shared = clients.length > clientRowsMax
  const own = shared ? clients.slice(0, clientRowsMax - 1) : clients
  const rows: MessageRow[] = [
    ...replicas.map((id): MessageRow => ({ label: `r${id}`, kind: 'replica', id, clients: 0 })),
    ...own.map((name): MessageRow => ({ label: oneLine(name), kind: 'client', id: null, clients: 1 })),
    ...(shared ? [{ label: '', kind: 'clients', id: null, clients: clients.length - own.length } as const] : []),
  ]
  const rowOfLane = Int32Array.from(lanes, (lane) => {
    if (lane.kind === 'replica') return replicas.indexOf(lane.id)
    const at = own.indexOf(lane.name)
    return at === -1 ? rows.length - 1 : replicas.length + at
  })
  return { rows, rowOfLane }
}

const known = (value: number | undefined): number | null => (value === undefined || Number.isNaN(value) ? null : value)

export class MessageIndex {
  readonly rows: readonly MessageRow[]
  readonly count: number
  readonly #page: MessagesPage
  readonly #columns: MessageColumns
  readonly #rowOfLane: Int32Array
  /** Where it begins: when it was sent, else when it was received. Ascending, as the page is. */
  readonly #start: Float64Array
  /** Where it ends; of one that was not seen to arrive, after as long as the others take. */
  readonly #end: Float64Array
  readonly #longestMs: number
  readonly #indexOfId = new Map<number, number>()

  private constructor(page: MessagesPage, columns: MessageColumns) {
    this.#page = page
    this.#columns = columns
    this.count = columns.count
    const { rows, rowOfLane } = rowsOf(page.lanes)
    this.rows = rows
    this.#rowOfLane = rowOfLane
    const typicalMs = typicalOf(columns)
    this.#start = new Float64Array(columns.count)
    this.#end = new Float64Array(columns.count)
    let longest = 0
    for (let i = 0; i < columns.count; i += 1) {
      const sent = columns.sentAt[i] ?? NaN
      const received = columns.receivedAt[i] ?? NaN
      const start = Number.isNaN(sent) ? received - typicalMs : sent
      const end = Number.isNaN(received) ? start + typicalMs : received
      this.#start[i] = start
      this.#end[i] = end
      longest = Math.max(longest, end - start)
      this.#indexOfId.set(columns.id[i] ?? -1, i)
    }
    this.#longestMs = longest
  }

  /** null: the page is not what it says. */
  static of(page: MessagesPage): MessageIndex | null {
    const columns = unpackMessages(page.packed)
    return columns === null || columns.count !== page.count ? null : new MessageIndex(page, columns)
  }

  /** What is in sight of [from, to): single messages while they are few, else bundles of one for each of `pixels` columns, or coarser. */
  visible(from: number, to: number, pixels: number): Drawn {
    const first = this.#lowerBound(from - Math.min(this.#longestMs, to - from))
    const end = this.#lowerBound(to)
    if (end - first <= linesMax) return this.#singles(first, end)
    const widths = { from, span: to - from }
    for (const perBin of [1, 2, 4]) {
      const bundles = this.#bundles(first, end, widths, pixels / perBin, true)
      if (bundles !== null) return bundles
    }
    // Too dense for each pair of lanes: what of each kind went on, over all the lanes that it touched.
    for (let perBin = 8; ; perBin *= 2) {
      const spans = this.#bundles(first, end, widths, pixels / perBin, false)
      if (spans !== null) return spans
    }
  }

  /** The messages of [from, to), `limit` of them from the `offset`th on. */
  list(from: number, to: number, offset: number, limit: number): { readonly total: number; readonly messages: MessageSummary[] } {
    const first = this.#lowerBound(from)
    const end = this.#lowerBound(to)
    const messages: MessageSummary[] = []
    for (let i = first + offset; i < Math.min(end, first + offset + limit); i += 1) messages.push(this.#summary(i))
    return { total: end - first, messages }
  }

  /** One of them; null when it is not among these. */
  find(id: number): MessageSummary | null {
    const index = this.#indexOfId.get(id)
    return index === undefined ? null : this.#summary(index)
  }

  /**
   * The next message (`by` 1) or the one before (-1) that begins or ends on `row`, from message `id`; without one, from `at`. With `by` 0
   * the one nearest in time to it. null at the end.
   */
  step(id: number | null, at: number, row: number, by: -1 | 0 | 1): MessageSummary | null {
    const here = (id === null ? undefined : this.#indexOfId.get(id)) ?? null
    const from = here ?? this.#lowerBound(at)
    if (by !== 0) {
      for (let i = here === null && by === 1 ? from : from + by; i >= 0 && i < this.count; i += by)
        if (this.#touches(i, row)) return this.#summary(i)
      return null
    }
    for (let distance = 0; distance <= this.count; distance += 1) {
      for (const i of [from - distance, from + distance]) if (i >= 0 && i < this.count && this.#touches(i, row)) return this.#summary(i)
    }
    return null
  }

  #touches(index: number, row: number): boolean {
    return this.#rowOf(this.#columns.from[index]) === row || this.#rowOf(this.#columns.to[index]) === row
  }

  #rowOf(lane: number | undefined): number {
    return this.#rowOfLane[lane ?? -1] ?? -1
  }

  #summary(i: number): MessageSummary {
    const { columns, page } = { columns: this.#columns, page: this.#page }
    const nowhere: MessageLane = { kind: 'client', name: '' }
    return {
      id: columns.id[i] ?? -1,
      kind: page.kinds[columns.kind[i] ?? -1] ?? '',
      from: page.lanes[columns.from[i] ?? -1] ?? nowhere,
      to: page.lanes[columns.to[i] ?? -1] ?? nowhere,
      fromRow: this.#rowOf(columns.from[i]),
      toRow: this.#rowOf(columns.to[i]),
      sentAt: known(columns.sentAt[i]),
      receivedAt: known(columns.receivedAt[i]),
      seq: known(columns.seq[i]),
      view: known(columns.view[i]),
      bytes: columns.bytes[i] ?? 0,
      fate: messageFates[columns.fate[i] ?? 0] ?? 'delivered',
      reason: page.reasons[columns.reason[i] ?? -1] ?? null,
    }
  }

  /** The first index whose start is at or after `time`. */
  #lowerBound(time: number): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#start[middle] ?? 0) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  #singles(first: number, end: number): Drawn {
    const columns = this.#columns
    const count = Math.max(0, end - first)
    const rows = (lanes: Int32Array): Int32Array => lanes.slice(first, end).map((lane) => this.#rowOf(lane))
    return {
      count,
      id: columns.id.slice(first, end),
      start: this.#start.slice(first, end),
      end: this.#end.slice(first, end),
      from: rows(columns.from),
      to: rows(columns.to),
      kind: columns.kind.slice(first, end),
      fate: columns.fate.slice(first, end),
      weight: new Int32Array(count).fill(1),
      lost: columns.fate.slice(first, end).map((fate) => (lostFates.has(fate) ? 1 : 0)),
      total: count,
      single: true,
      spans: false,
    }
  }

  /** One line for each bin, kind and, if `byPair`, pair of lanes. null: more lines than can be drawn. */
  #bundles(first: number, end: number, { from, span }: { from: number; span: number }, bins: number, byPair: boolean): Drawn | null {
    const columns = this.#columns
    const rows = this.rows.length
    const binMs = span / Math.max(1, Math.floor(bins))
    const bundles = new Map<number, Bundle>()
    for (let i = first; i < end; i += 1) {
      const start = this.#start[i] ?? 0
      const source = this.#rowOf(columns.from[i])
      const target = this.#rowOf(columns.to[i])
      const kind = columns.kind[i] ?? 0
      const key = (Math.floor((start - from) / binMs) * kindsMax + kind) * rows * rows + (byPair ? source * rows + target : 0)
      let bundle = bundles.get(key)
      if (bundle === undefined) {
        // Without pairs the coarsest has one bin, and is drawn whatever it holds.
        if (bundles.size >= bundlesMax && binMs < span) return null
        bundle = { start: 0, end: 0, weight: 0, lost: 0, kind, source, target }
        bundles.set(key, bundle)
      }
      bundle.start += start
      bundle.end += this.#end[i] ?? start
      bundle.weight += 1
      bundle.lost += lostFates.has(columns.fate[i] ?? delivered) ? 1 : 0
      if (byPair) continue
      bundle.source = Math.min(bundle.source, source, target)
      bundle.target = Math.max(bundle.target, source, target)
    }
    const all = [...bundles.values()]
    const kinds = Math.max(1, this.#page.kinds.length)
    const beside = ({ start, weight, kind }: Bundle): number => {
      const bin = Math.floor((start / weight - from) / binMs)
      return from + (bin + (kind + 0.5) / kinds) * binMs
    }
    const ints = (of: (bundle: Bundle) => number): Int32Array => Int32Array.from(all, of)
    return {
      count: all.length,
      id: new Float64Array(all.length).fill(-1),
      start: Float64Array.from(all, (bundle) => (byPair ? bundle.start / bundle.weight : beside(bundle))),
      end: Float64Array.from(all, (bundle) => (byPair ? bundle.end / bundle.weight : beside(bundle))),
      from: ints(({ source }) => source),
      to: ints(({ target }) => target),
      kind: ints(({ kind }) => kind),
      fate: new Int32Array(all.length).fill(delivered),
      weight: ints(({ weight }) => weight),
      lost: ints(({ lost }) => lost),
      total: end - first,
      single: false,
      spans: !byPair,
    }
  }
}

interface Bundle {
  start: number
  end: number
  weight: number
  lost: number
  kind: number
  source: number
  target: number
}

/** How long a message is on its way, in the middle of a sample of those that arrived, ms. */
function typicalOf({ count, sentAt, receivedAt }: MessageColumns): number {
  const samples: number[] = []
  const stride = Math.max(1, Math.floor(count / 500))
  for (let i = 0; i < count; i += stride) {
    const took = (receivedAt[i] ?? NaN) - (sentAt[i] ?? NaN)
    if (!Number.isNaN(took)) samples.push(took)
  }
  return samples.sort((a, b) => a - b)[samples.length >> 1] ?? 1
}

/** "r2", or a client's id. */
export const laneName = (lane: MessageLane): string => (lane.kind === 'replica' ? `r${lane.id}` : oneLine(lane.name))
