/** A replica's state in one word, from everything the host knows of it. Pure. */
import type { ReplicaState } from '../../contract/model.ts'

const staleAfterMs = 2_000

export interface ReplicaFacts {
  readonly local: boolean
  /** On purpose: the host restarts it and waits until it takes part again. */
  readonly recovering: boolean
  /** A process of it runs under this host (local ones only). */
  readonly running: boolean
  readonly paused: boolean
  readonly isolated: boolean
  /** It misbehaves because an operator wants it to. */
  readonly faulty: boolean
  readonly diverged: boolean
  readonly linkUp: boolean
  /** When the last report came, ms; null: none since it was started (or dialled first). */
  readonly reportedAt: number | null
  readonly transferring: boolean
  /** It has lost its disk and takes no part. */
  readonly onProbation: boolean
  /** It has not executed yet what others had executed a while ago. */
  readonly behind: boolean
  /** Still within the time that a start (or first connection) may take. */
  readonly starting: boolean
}

/** What is worse hides what is better: a replica that is paused and isolated is paused. */
export const replicaStateOf = (facts: ReplicaFacts, nowMs: number): ReplicaState => {
  if (facts.recovering) return 'recovering'
  if (facts.local && !facts.running) return 'stopped'
  if (facts.paused) return 'paused'
  if (facts.starting && facts.reportedAt === null) return 'starting'
  if (!facts.linkUp) return 'unreachable'
  if (facts.faulty) return 'faulty'
  if (facts.diverged) return 'diverged'
  if (facts.isolated) return 'isolated'
  if (facts.reportedAt === null || nowMs - facts.reportedAt > staleAfterMs) return 'stale'
  return facts.transferring || facts.onProbation || facts.behind ? 'recovering' : 'live'
}
