import type { LogEvent, Violation } from './history.ts'

/**
 * Every replica executes 1, 2, 3 and so on without a gap and without going back; only a state transfer jumps, upwards or (to repair)
 * to the same place, and only a restart goes back, never below what had been made durable.
 */
export function checkOrder(log: readonly LogEvent[]): Violation[] {
  const positions = new Map<number, number>()
  const violations: Violation[] = []
  for (const event of log) {
    const position = positions.get(event.replica) ?? 0
    const problem = problemWith(event, position)
    if (problem !== null) violations.push({ checker: 'order', detail: `replica ${event.replica}: ${problem}` })
    positions.set(event.replica, event.seq)
  }
  return violations
}

function problemWith(event: LogEvent, position: number): string | null {
  switch (event.kind) {
    case 'executed':
      return event.seq === position + 1 ? null : `executed ${event.seq} after ${position}`
    case 'transferred':
      return event.seq >= position ? null : `a state transfer took it from ${position} back to ${event.seq}`
    case 'restarted':
      if (event.seq > position) return `came back with ${event.seq} although it had executed up to ${position}`
      return event.seq >= event.durableSeq ? null : `came back with ${event.seq} although ${event.durableSeq} was durable`
  }
}
