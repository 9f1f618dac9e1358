import type { Execution, LogEvent, Violation } from './history.ts'
import { isEqualBytes, requestKey } from './history.ts'

/** Executes one operation of one client at the agreed time; a fresh one per check. */
export type Execute = (operation: Uint8Array, client: string, timeMs: number) => Uint8Array

/** The agreed order as far as any replica executed it: the first execution of each sequence number, ascending. */
export function agreedOrder(log: readonly LogEvent[]): Execution[] {
  const first = new Map<number, Execution>()
  for (const event of log) if (event.kind === 'executed' && !first.has(event.seq)) first.set(event.seq, event)
  return [...first.values()].toSorted((a, b) => a.seq - b.seq)
}

/**
 * Exactly once, and deterministic: an independent run through the agreed order, which executes each client's timestamps once and in
 * ascending order, comes to the same results as every replica. Also: agreed time never goes back.
 */
export function checkReplay(log: readonly LogEvent[], execute: Execute): Violation[] {
  const violations: Violation[] = []
  const expected = new Map<number, (Uint8Array | null)[]>()
  const lastTimestamps = new Map<string, { timestamp: number; result: Uint8Array }>()
  let timeMs = 0
  for (const execution of agreedOrder(log)) {
    timeMs = Math.max(timeMs, execution.timeMs)
    const results = execution.requests.map(({ client, timestamp, operation }): Uint8Array | null => {
      const last = lastTimestamps.get(client)
      if (last !== undefined && timestamp === last.timestamp) return last.result
      // Superseded: whatever stands there is for nobody.
      if (last !== undefined && timestamp < last.timestamp) return null
      const result = execute(operation, client, timeMs)
      lastTimestamps.set(client, { timestamp, result })
      return result
    })
    expected.set(execution.seq, results)
  }
  for (const event of log) {
    if (event.kind !== 'executed') continue
    event.requests.forEach(({ client, timestamp }, index) => {
      const result = expected.get(event.seq)?.[index]
      const own = event.results[index]
      if (result === null || result === undefined || (own !== undefined && isEqualBytes(own, result))) return
      const detail = `replica ${event.replica}, seq ${event.seq}, ${requestKey(client, timestamp)}: another result than executing once in order gives`
      violations.push({ checker: 'exactly-once', detail })
    })
  }
  return violations
}
