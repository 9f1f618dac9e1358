import type { LogEvent, Vote, Violation } from './history.ts'

/** No two replicas execute different batches at one sequence number, and neither does one of them twice. */
export function checkAgreement(log: readonly LogEvent[]): Violation[] {
  const first = new Map<number, { digest: string; replica: number }>()
  const violations: Violation[] = []
  for (const event of log) {
    if (event.kind !== 'executed') continue
    const known = first.get(event.seq)
    if (known === undefined) first.set(event.seq, { digest: event.digest, replica: event.replica })
    else if (known.digest !== event.digest) {
      const detail = `seq ${event.seq}: replica ${known.replica} executed ${known.digest}, replica ${event.replica} ${event.digest}`
      violations.push({ checker: 'agreement', detail })
    }
  }
  return violations
}

/** All checkpoints of one sequence number have one digest. */
export function checkCheckpoints(votes: readonly Vote[]): Violation[] {
  const first = new Map<number, Vote>()
  const reported = new Set<number>()
  const violations: Violation[] = []
  for (const vote of votes) {
    // Sent again and again, and reported once.
    if (vote.type !== 'checkpoint' || reported.has(vote.seq)) continue
    const known = first.get(vote.seq)
    if (known === undefined) first.set(vote.seq, vote)
    else if (known.digest !== vote.digest) {
      reported.add(vote.seq)
      const detail = `checkpoint ${vote.seq}: replica ${known.replica} has ${known.digest}, replica ${vote.replica} ${vote.digest}`
      violations.push({ checker: 'checkpoints', detail })
    }
  }
  return violations
}
