/** Windows of time onto the recorded messages: moving, zooming, keeping within what there is. Pure; ms since the epoch. */
import { messageFates, type MessagesOverview } from '../../contract/messages.ts'
import { rowsOf, type Drawn, type MessageRow } from './message-index.ts'

export interface TimeWindow {
  readonly from: number
  readonly to: number
}

const spanMinMs = 0.5
const spanMaxMs = 24 * 3_600_000

/** By a share of its length; positive goes on in time. */
export const panned = ({ from, to }: TimeWindow, share: number): TimeWindow => ({
  from: from + (to - from) * share,
  to: to + (to - from) * share,
})

/** Zooms by `factor` (below 1: in) around the time `at`, within what makes sense. */
export function zoomed({ from, to }: TimeWindow, factor: number, at: number): TimeWindow {
  const span = to - from
  const wanted = Math.min(spanMaxMs, Math.max(spanMinMs, span * factor))
  const start = at - ((at - from) / span) * wanted
  return { from: start, to: start + wanted }
}

/** The same length with `at` in its middle. */
export const centred = ({ from, to }: TimeWindow, at: number): TimeWindow => ({ from: at - (to - from) / 2, to: at + (to - from) / 2 })

export const contains = (outer: TimeWindow, inner: TimeWindow): boolean => outer.from <= inner.from && outer.to >= inner.to

/** `from-to` of an address; null when it is none. */
export function windowOfText(text: string): TimeWindow | null {
  const [from = NaN, to = NaN] = text.split('-').map(Number)
  return Number.isFinite(from) && Number.isFinite(to) && from > 0 && to - from >= spanMinMs && to - from <= spanMaxMs ? { from, to } : null
}

export const textOfWindow = ({ from, to }: TimeWindow): string => `${from.toFixed(3)}-${to.toFixed(3)}`

/** Counts of the host as lines: bundles that leave and arrive in the middle of their bin. */
export function drawnOfOverview(overview: MessagesOverview): { readonly rows: readonly MessageRow[]; readonly drawn: Drawn } {
  const { rows, rowOfLane } = rowsOf(overview.lanes)
  const binMs = (overview.to - overview.from) / overview.bins
  const count = overview.bin.length
  const middle = (bin: number): number => overview.from + (bin + 0.5) * binMs
  const row = (lane: number): number => rowOfLane[lane] ?? -1
  return {
    rows,
    drawn: {
      count,
      id: new Float64Array(count).fill(-1),
      start: Float64Array.from(overview.bin, (bin) => middle(bin) - binMs * 0.3),
      end: Float64Array.from(overview.bin, (bin) => middle(bin) + binMs * 0.3),
      from: Int32Array.from(overview.source, row),
      to: Int32Array.from(overview.target, row),
      kind: Int32Array.from(overview.kind),
      fate: new Int32Array(count).fill(messageFates.indexOf('delivered')),
      weight: Int32Array.from(overview.count),
      lost: Int32Array.from(overview.lost),
      total: overview.total,
      single: false,
      spans: false,
    },
  }
}
