/**
 * Draws the space-time diagram: lanes and time axis on one canvas, arrows on another, which a worker may hold (thousands of lines take
 * longer than a frame to rasterise). No state of its own.
 */
import { messageFates } from '../../contract/messages.ts'
import { formatTime } from './format.ts'
import type { Drawn, MessageRow } from './message-index.ts'
import { lookOfKind, lookTokens, traceMarker } from './message-looks.ts'

export const axisHeight = 26
export const labelWidth = 112
const markersMax = 700
const crossSize = 4.5
/** How far a lost message is drawn, of its way. */
const lostAt = 0.4

/** The page's own thread has the one, a worker the other. */
export type Pen = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D

/** Where times and rows lie. */
export interface Plot {
  readonly width: number
  readonly height: number
  /** ms since the epoch. */
  readonly from: number
  readonly to: number
  readonly rows: readonly MessageRow[]
}

interface Coloured {
  /** The value of a custom property of the theme. */
  color(token: string): string
}

export interface LanesScene extends Plot, Coloured {
  /** A lane that the keyboard is on. */
  readonly row: number | null
  readonly cursor: number | null
  readonly gaps: readonly { readonly replica: number; readonly from: number; readonly to: number }[]
  readonly utc: boolean
}

export interface LinesScene extends Plot, Coloured {
  readonly kinds: readonly string[]
  readonly drawn: Drawn
  readonly selected: number | null
}

/** The custom properties that lines need. */
export const lineTokens: readonly string[] = [...lookTokens, '--bad', '--surface', '--text']

export const xOf = ({ from, to, width }: Pick<Plot, 'from' | 'to' | 'width'>, time: number): number =>
  labelWidth + ((time - from) / (to - from)) * (width - labelWidth)

export const timeOf = ({ from, to, width }: Pick<Plot, 'from' | 'to' | 'width'>, x: number): number =>
  from + ((x - labelWidth) / (width - labelWidth)) * (to - from)

export const yOf = ({ height, rows }: Pick<Plot, 'height' | 'rows'>, row: number): number =>
  axisHeight + ((row + 0.5) / Math.max(1, rows.length)) * (height - axisHeight)

const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 3_600_000]

/** Lanes, time axis, what is missing of the recording, and the moment. */
export function drawLanes(context: CanvasRenderingContext2D, scene: LanesScene): void {
  const { width, height } = scene
  context.clearRect(0, 0, width, height)
  drawAxis(context, scene)
  drawRows(context, scene)
  withinPlot(context, scene, () => {
    drawGaps(context, scene)
    if (scene.cursor !== null) line(context, xOf(scene, scene.cursor), scene.color('--accent'), height)
  })
}

/** The messages, and the one that is selected. */
export function drawLines(context: Pen, scene: LinesScene): void {
  context.clearRect(0, 0, scene.width, scene.height)
  withinPlot(context, scene, () => drawMessages(context, scene))
}

function withinPlot(context: Pen, { width, height }: Plot, draw: () => void): void {
  context.save()
  context.beginPath()
  context.rect(labelWidth, axisHeight - 6, width - labelWidth, height)
  context.clip()
  draw()
  context.restore()
}

function line(context: CanvasRenderingContext2D, x: number, color: string, height: number): void {
  context.strokeStyle = color
  context.lineWidth = 1.5
  context.setLineDash([])
  context.beginPath()
  context.moveTo(x, 0)
  context.lineTo(x, height)
  context.stroke()
}

function drawAxis(context: CanvasRenderingContext2D, scene: LanesScene): void {
  const { width, height, from, to } = scene
  context.font = `11.5px ${scene.color('--font-sans')}`
  context.textBaseline = 'middle'
  context.setLineDash([])
  const wanted = ((to - from) / (width - labelWidth)) * 110
  const step = steps.find((one) => one >= wanted) ?? 3_600_000
  context.lineWidth = 1
  for (let time = Math.ceil(from / step) * step; time < to; time += step) {
    const x = Math.round(xOf(scene, time)) + 0.5
    context.strokeStyle = scene.color('--chart-grid')
    context.beginPath()
    context.moveTo(x, axisHeight - 6)
    context.lineTo(x, height)
    context.stroke()
    context.fillStyle = scene.color('--text-muted')
    context.textAlign = 'center'
    const text = formatTime(time, scene.utc)
    const fraction = step < 1 ? `.${String(Math.round((time % 1) * 10))}` : ''
    context.fillText(
      step >= 1_000 ? text.slice(0, 8) : text.slice(0, 12) + fraction,
      Math.max(labelWidth + 40, Math.min(x, width - 40)),
      10,
    )
  }
}

function drawRows(context: CanvasRenderingContext2D, scene: LanesScene): void {
  const { width, rows } = scene
  rows.forEach((row, index) => {
    const y = yOf(scene, index)
    const focused = scene.row === index
    context.strokeStyle = scene.color(focused ? '--focus' : '--line-strong')
    context.lineWidth = focused ? 2 : 1
    context.beginPath()
    context.moveTo(labelWidth, Math.round(y) + 0.5)
    context.lineTo(width, Math.round(y) + 0.5)
    context.stroke()
    context.textAlign = 'right'
    context.fillStyle = scene.color('--text')
    context.font = `${row.kind === 'replica' ? 640 : 500} 12px ${scene.color(row.kind === 'clients' ? '--font-sans' : '--font-mono')}`
    context.fillText(row.kind === 'clients' ? `+${row.clients}` : shortened(row.label, 12), labelWidth - 10, y)
  })
}

/** The end says more of a client's name than its beginning: sessions of one principal. */
const shortened = (text: string, charsMax: number): string => (text.length > charsMax ? `…${text.slice(-charsMax + 1)}` : text)

function drawGaps(context: CanvasRenderingContext2D, scene: LanesScene): void {
  context.fillStyle = scene.color('--warn-soft')
  const half = ((scene.height - axisHeight) / Math.max(1, scene.rows.length)) * 0.32
  for (const gap of scene.gaps) {
    const row = scene.rows.findIndex(({ id }) => id === gap.replica)
    if (row === -1) continue
    const y = yOf(scene, row)
    const left = xOf(scene, gap.from)
    context.fillRect(left, y - half, Math.max(3, xOf(scene, gap.to) - left), half * 2)
  }
}

/** What it takes to know which line is where. */
export type HitScene = Plot & Pick<LinesScene, 'drawn'>

/** Where a line ends on the screen: a lost one on its way, and not on the lane of a replica in between. */
function endOf(scene: HitScene, i: number): { x: number; y: number; lost: boolean } {
  const { drawn } = scene
  const y1 = yOf(scene, drawn.from[i] ?? 0)
  const y2 = yOf(scene, drawn.to[i] ?? 0)
  const x1 = xOf(scene, drawn.start[i] ?? 0)
  const x2 = xOf(scene, drawn.end[i] ?? 0)
  const fate = messageFates[drawn.fate[i] ?? 0]
  if (fate === 'lost') return { x: x1 + (x2 - x1) * lostAt, y: y1 + (y2 - y1) * lostAt, lost: true }
  if (fate === 'in-flight') return { x: x1 + (x2 - x1) * 0.7, y: y1 + (y2 - y1) * 0.7, lost: false }
  return { x: x2, y: y2, lost: fate === 'refused' }
}

/** Lines of one kind and about one weight are one path: a canvas strokes few long paths faster than many short ones. */
function drawMessages(context: Pen, scene: LinesScene): void {
  const { drawn } = scene
  const groups = new Map<number, number[]>()
  for (let i = 0; i < drawn.count; i += 1) {
    const width = drawn.single || drawn.spans ? 0 : Math.min(5, Math.floor(Math.log2(drawn.weight[i] ?? 1)))
    const key = (drawn.kind[i] ?? 0) * 8 + width
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [i])
    else group.push(i)
  }
  for (const [key, group] of groups) drawGroup(context, scene, group, scene.kinds[key >> 3] ?? '', key & 7)
  drawCrosses(context, scene)
  if (scene.selected !== null) drawSelected(context, scene, drawn.id.indexOf(scene.selected))
}

function drawGroup(context: Pen, scene: LinesScene, group: readonly number[], kind: string, weight: number): void {
  const { drawn } = scene
  const look = lookOfKind(kind)
  const marked = drawn.single && drawn.count <= markersMax
  context.strokeStyle = context.fillStyle = scene.color(look.token)
  context.lineWidth = 1.2 + weight * 0.55
  context.globalAlpha = drawn.single ? 0.95 : 0.7
  // Dashes cost more than all the rest; bundles are told apart by colour and table.
  context.setLineDash(drawn.single ? look.dash : [])
  context.beginPath()
  for (const i of group) {
    const { x, y } = endOf(scene, i)
    context.moveTo(xOf(scene, drawn.start[i] ?? 0), yOf(scene, drawn.from[i] ?? 0))
    context.lineTo(x, y)
  }
  context.stroke()
  context.setLineDash([])
  if (marked) {
    context.beginPath()
    for (const i of group) {
      const { x, y, lost } = endOf(scene, i)
      if (!lost) traceMarker(context, look.marker, x, y, 7)
    }
    if (look.marker === 'ring') context.stroke()
    else context.fill()
  }
  context.globalAlpha = 1
}

function drawCrosses(context: Pen, scene: LinesScene): void {
  const { drawn } = scene
  context.strokeStyle = scene.color('--bad')
  context.lineWidth = 2
  context.beginPath()
  for (let i = 0; i < drawn.count; i += 1) {
    if ((drawn.lost[i] ?? 0) === 0) continue
    const end = endOf(scene, i)
    const x = drawn.single ? end.x : (xOf(scene, drawn.start[i] ?? 0) + end.x) / 2
    const y = drawn.single ? end.y : (yOf(scene, drawn.from[i] ?? 0) + end.y) / 2
    context.moveTo(x - crossSize, y - crossSize)
    context.lineTo(x + crossSize, y + crossSize)
    context.moveTo(x + crossSize, y - crossSize)
    context.lineTo(x - crossSize, y + crossSize)
  }
  context.stroke()
}

function drawSelected(context: Pen, scene: LinesScene, i: number): void {
  if (i === -1) return
  const { drawn } = scene
  const { x, y } = endOf(scene, i)
  const x1 = xOf(scene, drawn.start[i] ?? 0)
  const y1 = yOf(scene, drawn.from[i] ?? 0)
  for (const [color, width] of [
    [scene.color('--surface'), 7],
    [scene.color('--text'), 3],
  ] as const) {
    context.strokeStyle = color
    context.lineWidth = width
    context.beginPath()
    context.moveTo(x1, y1)
    context.lineTo(x, y)
    context.stroke()
  }
  context.fillStyle = scene.color('--text')
  context.beginPath()
  traceMarker(context, lookOfKind(scene.kinds[drawn.kind[i] ?? -1] ?? '').marker, x, y, 11)
  context.fill()
}

/** The line within `reach` pixels of a point that is nearest to it; null: none. */
export function nearestLine(scene: HitScene, x: number, y: number, reach: number): number | null {
  let best: number | null = null
  let least = reach
  for (let i = 0; i < scene.drawn.count; i += 1) {
    const end = endOf(scene, i)
    const distance = distanceTo(x, y, xOf(scene, scene.drawn.start[i] ?? 0), yOf(scene, scene.drawn.from[i] ?? 0), end.x, end.y)
    if (distance >= least) continue
    least = distance
    best = i
  }
  return best
}

function distanceTo(x: number, y: number, x1: number, y1: number, x2: number, y2: number): number {
  const dx = x2 - x1
  const dy = y2 - y1
  const length = dx * dx + dy * dy
  const along = length === 0 ? 0 : Math.max(0, Math.min(1, ((x - x1) * dx + (y - y1) * dy) / length))
  return Math.hypot(x - x1 - along * dx, y - y1 - along * dy)
}
