/** Charts as SVG that stretches with the page; what is written stands beside them as text, so that it stays legible at any width. */
import type { Html } from './html.ts'
import { html } from './html.ts'

/** Of a chart's own coordinates. */
const width = 1_000
const height = 100
/** More points than this are joined. */
const pointsMax = 400

export interface Span {
  readonly from: number
  readonly to: number
}

export interface Point {
  readonly at: number
  readonly value: number | null
}

export interface Series {
  readonly name: string
  readonly look: 'main' | 'second'
  readonly points: readonly Point[]
}

const place = (at: number, { from, to }: Span): number =>
  Math.round(((Math.min(Math.max(at, from), to) - from) / Math.max(1, to - from)) * width * 10) / 10

/** The largest of each stretch, so that no peak is lost. */
const joined = (points: readonly Point[]): readonly Point[] => {
  if (points.length <= pointsMax) return points
  const per = Math.ceil(points.length / pointsMax)
  return Array.from({ length: Math.ceil(points.length / per) }, (_, i) => {
    const stretch = points.slice(i * per, (i + 1) * per)
    const values = stretch.flatMap(({ value }) => value ?? [])
    return { at: stretch[0]?.at ?? 0, value: values.length === 0 ? null : Math.max(...values) }
  })
}

const pathOf = (points: readonly Point[], span: Span, top: number): string => {
  let [path, pen]: [string, 'M' | 'L'] = ['', 'M']
  for (const { at, value } of joined(points)) {
    if (value === null) {
      pen = 'M'
      continue
    }
    path += `${pen}${place(at, span)} ${levelOf(value, top)}`
    pen = 'L'
  }
  return path
}

const levelOf = (value: number, top: number): number => Math.round((1 - value / top) * height * 10) / 10

/** Points without a neighbour, of which no line tells. */
const lonePoints = (points: readonly Point[], span: Span, top: number): string =>
  joined(points)
    .flatMap(({ at, value }, i, all) => {
      const isAlone = (all[i - 1]?.value ?? null) === null && (all[i + 1]?.value ?? null) === null
      return value === null || !isAlone ? [] : `M${place(at, span)} ${levelOf(value, top)}h0`
    })
    .join('')

export interface Marks {
  readonly bands: readonly Span[]
  readonly lines: readonly number[]
}

const marksOf = ({ bands, lines }: Marks, span: Span): Html =>
  html`${bands.map((band) => {
    const from = place(band.from, span)
    return html`<rect class="band" x="${from}" y="0" width="${Math.max(2, place(band.to, span) - from)}" height="${height}" />`
  })}${lines.map((at) => html`<path class="mark" d="M${place(at, span)} 0V${height}" />`)}`

/** A round number not below `value`. */
const roundUp = (value: number): number => {
  const unit = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].map((step) => step * unit).find((step) => step >= value) ?? value
}

/** Lines over time, with bands and marks behind. `label` says of a value what stands at the axis. */
export const chart = (series: readonly Series[], span: Span, marks: Marks, label: (value: number) => string): Html => {
  const top = roundUp(Math.max(1, ...series.flatMap(({ points }) => joined(points).map(({ value }) => value ?? 0))))
  return html`<div class="chart">
    <div class="axis"><span>${label(top)}</span><span>${label(top / 2)}</span><span>0</span></div>
    <svg viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="${series.map(({ name }) => name).join(', ')}">
      ${marksOf(marks, span)}
      <path class="grid" d="M0 0H${width}M0 ${height / 2}H${width}M0 ${height}H${width}" />
      ${series.map(
        ({ look, points }) =>
          html`<path class="line ${look}" d="${pathOf(points, span, top)}" /><path
              class="line dots ${look}"
              d="${lonePoints(points, span, top)}"
            />`,
      )}
    </svg>
  </div>`
}

/** One replica's stretch: how much it executed, bin by bin, as bars (by the root, so that catching up does not hide the rest). `counts` over the whole span. */
export const lane = (counts: readonly number[], most: number, span: Span, marks: Marks): Html => {
  const step = width / Math.max(1, counts.length)
  const bars = counts
    .map((count, i) => {
      const tall = count === 0 ? 0 : Math.max(8, Math.sqrt(count / Math.max(1, most)) * height)
      return tall === 0 ? '' : `M${(i * step).toFixed(1)} ${height}v-${tall.toFixed(1)}h${step.toFixed(1)}V${height}z`
    })
    .join('')
  return html`<svg class="lane" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" aria-hidden="true">
    ${marksOf(marks, span)}
    <path class="bars" d="${bars}" />
  </svg>`
}
