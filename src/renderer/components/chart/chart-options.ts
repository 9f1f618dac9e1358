/** How a chart of samples is drawn: axes, lines, fault bands and view-change marks, in the theme's colours. */
import type UPlot from 'uplot'
import type { Sample } from '../../../contract/model.ts'
import { formatTime } from '../../lib/format.ts'

export interface ChartSeries {
  readonly label: string
  /** The colour token, `chart-1` to `chart-3`. */
  readonly token: 'chart-1' | 'chart-2' | 'chart-3'
  readonly value: (sample: Sample) => number | null
  readonly filled?: boolean
}

interface ChartSetting {
  readonly width: number
  readonly height: number
  readonly series: readonly ChartSeries[]
  readonly style: CSSStyleDeclaration
  readonly utc: boolean
  readonly samples: () => readonly Sample[]
  readonly range: () => [number, number]
  readonly onHover: (index: number | null) => void
}

const font = '11px "Inter Variable", system-ui, sans-serif'

/** Consecutive samples with an active fault, as ranges of seconds. */
export function faultBands(samples: readonly Sample[]): [number, number][] {
  const bands: [number, number][] = []
  for (const sample of samples) {
    if (sample.faults === 0) continue
    const at = sample.at / 1_000
    const last = bands.at(-1)
    if (last !== undefined && at - last[1] <= 0.5) last[1] = at + 1
    else bands.push([at, at + 1])
  }
  return bands
}

/** Where the view changed between two samples. */
export function viewMarks(samples: readonly Sample[]): { at: number; view: number }[] {
  const marks: { at: number; view: number }[] = []
  let known: number | null = null
  for (const sample of samples) {
    if (sample.view === null) continue
    if (known !== null && sample.view !== known) marks.push({ at: sample.at / 1_000, view: sample.view })
    known = sample.view
  }
  return marks
}

/** Values without a neighbour to draw a line to: they are drawn as points, or a single request could not be seen. */
export function lonePoints(values: ArrayLike<number | null | undefined>): number[] {
  const has = (index: number): boolean => typeof values[index] === 'number'
  return Array.from({ length: values.length }, (_, index) => index).filter((index) => has(index) && !has(index - 1) && !has(index + 1))
}

function drawBackground(plot: UPlot, setting: ChartSetting, color: (token: string) => string): void {
  const { ctx, bbox } = plot
  ctx.save()
  ctx.beginPath()
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
  ctx.clip()
  ctx.fillStyle = color('chart-band')
  for (const [from, to] of faultBands(setting.samples())) {
    const left = plot.valToPos(from, 'x', true)
    ctx.fillRect(left, bbox.top, plot.valToPos(to, 'x', true) - left, bbox.height)
  }
  const ratio = devicePixelRatio
  ctx.font = font.replace('11', String(10.5 * ratio))
  ctx.textBaseline = 'top'
  ctx.textAlign = 'left'
  for (const mark of viewMarks(setting.samples())) {
    const x = plot.valToPos(mark.at, 'x', true)
    ctx.strokeStyle = color('move-fill')
    ctx.lineWidth = 1.5 * ratio
    ctx.setLineDash([4 * ratio, 3 * ratio])
    ctx.beginPath()
    ctx.moveTo(x, bbox.top)
    ctx.lineTo(x, bbox.top + bbox.height)
    ctx.stroke()
    ctx.fillStyle = color('move')
    ctx.fillText(`v${mark.view}`, x + 4 * ratio, bbox.top + 2 * ratio)
  }
  ctx.restore()
}

/** Options for uPlot; `style` is read once, so a change of theme makes a new chart. */
export function makeChartOptions(setting: ChartSetting): UPlot.Options {
  const color = (token: string): string => setting.style.getPropertyValue(`--${token}`).trim()
  const axis = { stroke: color('text-faint'), font, ticks: { show: false }, grid: { stroke: color('chart-grid'), width: 1 } }
  return {
    width: setting.width,
    height: setting.height,
    padding: [8, 6, 0, 0],
    legend: { show: false },
    cursor: { drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: { time: true, range: () => setting.range() },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.15 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 74,
        grid: { show: false },
        values: (_plot, splits) => splits.map((at) => formatTime(at * 1_000, setting.utc).slice(0, 8)),
      },
      { ...axis, size: 46, space: 34 },
    ],
    series: [
      {},
      ...setting.series.map((series) => ({
        label: series.label,
        stroke: color(series.token),
        width: 1.8,
        ...(series.filled === true ? { fill: `${color(series.token)}26` } : {}),
        points: {
          show: false,
          filter: (plot: UPlot, index: number) => lonePoints(plot.data[index] ?? []),
          size: 6,
          width: 0,
          fill: color(series.token),
        },
        spanGaps: false,
      })),
    ],
    hooks: {
      drawClear: [(plot) => drawBackground(plot, setting, color)],
      setCursor: [(plot) => setting.onHover(plot.cursor.idx ?? null)],
    },
  }
}
