import type { Execution, FinalState, LogEvent, Violation, Vote } from './history.ts'
import { agreedOrder } from './replay.ts'

/** A replicated state that nothing has been executed on; a fresh one per check. */
export interface FreshState {
  execute(execution: Execution): void
  /** Root of the partition tree after what was executed. */
  digest(): string
}

/**
 * The state of every correct replica, at each checkpoint that it signed and when the run ended, is that of an independent run through the
 * agreed order and of nothing else: no batch that was executed and undone, or never agreed on, has left a trace. As far as `log` has the
 * order without a gap.
 */
export function checkStates(
  log: readonly LogEvent[],
  votes: readonly Vote[],
  states: readonly FinalState[],
  fresh: FreshState,
): Violation[] {
  const claims = new Map<number, { readonly replica: number; readonly digest: string; readonly where: string }[]>()
  const claim = (seq: number, replica: number, digest: string, where: string): void => {
    const known = claims.get(seq) ?? []
    if (known.some((other) => other.replica === replica && other.digest === digest)) return
    claims.set(seq, [...known, { replica, digest, where }])
  }
  for (const { type, seq, replica, digest } of votes) if (type === 'checkpoint') claim(seq, replica, digest, 'at its checkpoint')
  for (const { lastExecuted, replica, stateDigest } of states) claim(lastExecuted, replica, stateDigest, 'at the end')
  const violations: Violation[] = []
  let next = 1
  for (const execution of agreedOrder(log)) {
    if (execution.seq !== next++) break
    fresh.execute(execution)
    const claimed = claims.get(execution.seq) ?? []
    const digest = claimed.length === 0 ? '' : fresh.digest()
    for (const { replica, where, digest: own } of claimed) {
      if (own === digest) continue
      const detail = `replica ${replica} ${where}, seq ${execution.seq}: not the state that the agreed order gives`
      violations.push({ checker: 'states', detail })
    }
  }
  return violations
}
