/** The part of a run that the time bar shows, and moves within it. Pure; times in ms since the epoch by the host's clock. */

export interface TimeWindow {
  readonly from: number
  readonly to: number
}

/** Which part: of so many ms (null: the whole run) up to `end` (null: the present). */
export interface TimeFrame {
  readonly spanMs: number | null
  readonly end: number | null
}

export const wholeRun: TimeFrame = { spanMs: null, end: null }
const spanMinMs = 10_000
/** A run that has just begun is shown in this much. */
const wholeMinMs = 60_000

export const wholeWindow = (first: number | null, now: number): TimeWindow => ({
  from: Math.min(first ?? now, now - wholeMinMs),
  to: now,
})

/** Never beyond the run. */
export function windowOf({ spanMs, end }: TimeFrame, first: number | null, now: number): TimeWindow {
  const whole = wholeWindow(first, now)
  if (spanMs === null || spanMs >= whole.to - whole.from) return whole
  const to = Math.min(whole.to, Math.max(whole.from + spanMs, end ?? whole.to))
  return { from: to - spanMs, to }
}

/** `factor` below 1 shows less. What is at `around` stays where it is; the present stays at the right end while it is there. */
export function zoomed(frame: TimeFrame, factor: number, around: number, first: number | null, now: number): TimeFrame {
  const { from, to } = windowOf(frame, first, now)
  const whole = wholeWindow(first, now)
  const span = Math.max(spanMinMs, (to - from) * factor)
  if (span >= whole.to - whole.from) return wholeRun
  const isAtPresent = frame.end === null && around >= to
  const share = Math.min(1, Math.max(0, (around - from) / (to - from)))
  return { spanMs: span, end: isAtPresent ? null : Math.min(now, around + span * (1 - share)) }
}

/** Brings `at` into sight, in the middle when it was not. */
export function framed(frame: TimeFrame, at: number, first: number | null, now: number): TimeFrame {
  const { from, to } = windowOf(frame, first, now)
  return frame.spanMs === null || (at >= from && at <= to) ? frame : { spanMs: frame.spanMs, end: at + frame.spanMs / 2 }
}

/** How far an arrow key goes, ms: a second, more where that would not be seen. */
export const stepOf = ({ from, to }: TimeWindow): number => Math.max(1_000, Math.round((to - from) / 200_000) * 1_000)

/** 0 at the left end, 1 at the right one; beyond them outside. */
export const shareOf = ({ from, to }: TimeWindow, at: number): number => (at - from) / (to - from)
