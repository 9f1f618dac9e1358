import type { FinalState, Violation } from './history.ts'

/** Liveness, part one: nothing that a client waits for is left when the bound after healing has passed. */
export function checkAnswered(waiting: readonly string[], boundMs: number): Violation[] {
  return waiting.map((request) => ({ checker: 'liveness', detail: `${request} was not answered within ${boundMs} ms after healing` }))
}

/** Liveness, part two: all replicas have come to one place. Two states at one sequence number are worse: divergence. */
export function checkConverged(states: readonly FinalState[], boundMs: number): Violation[] {
  const violations: Violation[] = []
  const summary = states.map((s) => `${s.replica}: view ${s.view}${s.active ? '' : ' (changing)'}, seq ${s.lastExecuted}`).join('; ')
  const [first] = states
  const isTogether = states.every((s) => s.active && s.view === first!.view && s.lastExecuted === first!.lastExecuted)
  if (!isTogether) violations.push({ checker: 'liveness', detail: `replicas are apart ${boundMs} ms after healing: ${summary}` })
  const digests = new Map<number, FinalState>()
  for (const state of states) {
    const known = digests.get(state.lastExecuted)
    if (known === undefined) digests.set(state.lastExecuted, state)
    else if (known.stateDigest !== state.stateDigest) {
      const detail = `replicas ${known.replica} and ${state.replica} have different states after seq ${state.lastExecuted}`
      violations.push({ checker: 'divergence', detail })
    }
  }
  return violations
}
