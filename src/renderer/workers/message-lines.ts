/**
 * The worker that draws the lines of the space-time diagram onto a canvas that the page gave it: rasterising some thousand lines in
 * software takes most of a frame, and the page's own thread has other things to do.
 */
import { drawLines, type LinesScene, type Plot } from '../lib/message-drawing.ts'
import type { Drawn } from '../lib/message-index.ts'

export interface ToLines extends Plot {
  /** With the first message: the canvas, for good. */
  readonly canvas?: OffscreenCanvas
  /** When it has changed. */
  readonly drawn?: Drawn
  readonly kinds: LinesScene['kinds']
  readonly selected: LinesScene['selected']
  /** Device pixels for each of the page's. */
  readonly ratio: number
  /** Values of `lineTokens`. */
  readonly colors: Readonly<Record<string, string>>
}

/** So many lines are on the canvas now: the next message may come. */
export type FromLines = number

let context: OffscreenCanvasRenderingContext2D | null = null
let drawn: Drawn | null = null

addEventListener('message', ({ data: message }: MessageEvent<ToLines>) => {
  context ??= message.canvas?.getContext('2d') ?? null
  drawn = message.drawn ?? drawn
  if (context !== null && drawn !== null) {
    const { width, height, ratio, colors } = message
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)]
    if (context.canvas.width !== wide) context.canvas.width = wide
    if (context.canvas.height !== high) context.canvas.height = high
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    drawLines(context, { ...message, drawn, color: (token) => colors[token] ?? '' })
  }
  postMessage((drawn?.count ?? 0) satisfies FromLines)
})
