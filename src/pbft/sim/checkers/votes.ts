import type { Violation, Vote } from './history.ts'

/**
 * No replica contradicts a vote of its own, over crashes too: one digest per (type, view, seq); and once its view-change for a view
 * has left, it casts no new vote in a lower one, unless it
 * has lost its disk since. Votes in the order in which they left.
 */
export function checkVotes(votes: readonly Vote[]): Violation[] {
  const cast = new Map<string, string>()
  const leftFor = new Map<number, number>()
  const violations: Violation[] = []
  const violated = (detail: string): void => void violations.push({ checker: 'votes', detail })
  for (const vote of votes) {
    if (vote.type === 'view-change') {
      leftFor.set(vote.replica, Math.max(vote.view, leftFor.get(vote.replica) ?? 0))
      continue
    }
    if (vote.type === 'new-disk') {
      leftFor.delete(vote.replica)
      continue
    }
    const key = `replica ${vote.replica}: ${vote.type} in view ${vote.view} at seq ${vote.seq}`
    const known = cast.get(key)
    if (known === undefined) {
      cast.set(key, vote.digest)
      const left = leftFor.get(vote.replica) ?? 0
      if (vote.type !== 'checkpoint' && vote.view < left) violated(`${key} after its view-change for view ${left}`)
    } else if (known !== vote.digest) violated(`${key} for ${known}, then for ${vote.digest}`)
  }
  return violations
}
