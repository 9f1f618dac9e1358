import type { LogEvent, Violation } from './history.ts'

/** A replica's agreed time as of a checkpoint that it took itself. */
export interface TimeMark {
  readonly replica: number
  readonly seq: number
  readonly timeMs: number
}

/** Agreed time never goes back: at each checkpoint it is the latest of all batches up to there, as far as the log has them all. */
export function checkTime(log: readonly LogEvent[], marks: readonly TimeMark[]): Violation[] {
  const times = new Map<number, number>()
  for (const event of log) if (event.kind === 'executed') times.set(event.seq, event.timeMs)
  const latest = [0]
  for (let seq = 1; times.has(seq); seq++) latest.push(Math.max(latest[seq - 1] ?? 0, times.get(seq) ?? 0))
  return marks.flatMap(({ replica, seq, timeMs }) => {
    const expected = latest[seq]
    if (expected === undefined || expected === timeMs) return []
    return [{ checker: 'time', detail: `replica ${replica} is at time ${timeMs} after seq ${seq}, where ${expected} was agreed` }]
  })
}
