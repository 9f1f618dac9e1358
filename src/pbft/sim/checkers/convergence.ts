import type { FinalState, Violation } from './history.ts'

/** Liveness, part one: nothing that a client waits for is left when the bound after healing has passed. */
export function checkAnswered(waiting: readonly string[], boundMs: number): Violation[] {
  return waiting.map((request) => ({ checker: 'liveness', detail: `${request} was not answered within ${boundMs} ms after healing` }))
}

/**
 * Liveness, part two: all replicas have come to one place, but for at most `f` that left the view alone (a promise that they cannot
 * take back: they come in again with the next view change). Two states at one sequence number are worse: divergence.
 */
export function checkConverged(states: readonly FinalState[], f: number, boundMs: number): Violation[] {
  const violations: Violation[] = []
  const summary = states.map((s) => `${s.replica}: view ${s.view}${s.active ? '' : ' (changing)'}, seq ${s.lastExecuted}`).join('; ')
  if (!isTogether(states, f)) violations.push({ checker: 'liveness', detail: `replicas are apart ${boundMs} ms after healing: ${summary}` })
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

/** All active ones are in one view at one sequence number, and at most `f` are not active, in higher views. */
export function isTogether(states: readonly Omit<FinalState, 'stateDigest'>[], f: number): boolean {
  const active = states.filter((state) => state.active)
  const [first] = active
  if (first === undefined || states.length - active.length > f) return false
  const isAlone = (state: Omit<FinalState, 'stateDigest'>): boolean => !state.active && state.view > first.view
  return states.every((state) => isAlone(state) || (state.active && state.view === first.view && state.lastExecuted === first.lastExecuted))
}
