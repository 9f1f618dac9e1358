/**
 * Who checks the signatures of the clients in a batch. f+1 prepares prove a batch to everyone (SPEC, I24), so it is enough that f+1
 * replicas check it: the primary, which did before it proposed, and f backups in turn. The others wait for their prepares, and check
 * it themselves when those do not come. Whoever was waited for in vain is not waited for again for a while.
 */
import { isSigned, type Suspended } from './authentication.ts'
import { asReplicaId, type Digest, type ReplicaId, type SeqNo, type View } from './ids.ts'
import type { PrePrepare } from './messages.ts'
import { faultsTolerated, primaryOf } from './quorum.ts'
import { isYounger, reject, setTimer, type ReplicaState } from './state.ts'

/** The f backups that check batch `seq` of `view`: the turn goes round all backups. n >= 4. */
export const checkersOf = (view: View, seq: SeqNo, n: number): ReplicaId[] => {
  const primary = primaryOf(view, n)
  return Array.from({ length: faultsTolerated(n) }, (_, k) => asReplicaId((primary + 1 + ((seq + k) % (n - 1))) % n))
}

/** What a signature takes to be checked, ms: what a slow processor needs. */
const CHECK_MS = 0.125
/** As a part of the view time-out: what is checked here after that still has to be voted on. */
const PATIENCE_MAX = 0.375

/**
 * How long the prepares of others are waited for, ms: a quarter of what a view change takes, and what they need to check so many, but never
 * more than three eighths of it. Who gives up while they are still at work makes everyone check everything.
 */
const patienceMs = (r: ReplicaState, { message }: Suspended): number =>
  Math.min(r.config.viewTimeoutMs / 4 + message.batch.requests.length * CHECK_MS, r.config.viewTimeoutMs * PATIENCE_MAX)

/** How long one that was waited for in vain has to wait for trust, ms. */
const DISTRUST_MS = 60_000

/** Whether this replica may leave the signatures of the requests in this pre-prepare unchecked for now. */
export const defers = (r: ReplicaState, message: PrePrepare): boolean => {
  const { n, id, deferProofFrom } = r.config
  if (deferProofFrom === undefined || message.batch.requests.length < deferProofFrom || n < 4) return false
  if (!r.active || message.view !== r.view) return false
  const checkers = checkersOf(message.view, message.seq, n)
  const isDoubtful = (replica: ReplicaId): boolean => isYounger(r, r.distrusted.get(replica) ?? Number.NEGATIVE_INFINITY, DISTRUST_MS)
  return !checkers.includes(id) && ![primaryOf(message.view, n), ...checkers].some(isDoubtful)
}

/** After a pre-prepare was suspended: it is looked at again when patience ends. */
export const awaitProof = (r: ReplicaState, waiting: Suspended): void => {
  if (r.proofTimerRuns || !waiting.unproven.some(isSigned)) return
  r.proofTimerRuns = true
  const patience = patienceMs(r, waiting)
  // Less for one that has waited for a while; no more after the clock was set back.
  setTimer(r, 'proof', Math.min(patience, Math.max(waiting.sinceMs + patience - r.nowMs, 0)))
}

/** Patience has ended for some: what others should have vouched for is checked here. */
export const onProofTimer = (r: ReplicaState): void => {
  r.proofTimerRuns = false
  for (const waiting of r.suspended.values()) {
    if (waiting.isBeingChecked || !waiting.unproven.some(isSigned)) continue
    if (isYounger(r, waiting.sinceMs, patienceMs(r, waiting))) awaitProof(r, waiting)
    else check(r, waiting)
  }
}

const check = (r: ReplicaState, waiting: Suspended): void => {
  waiting.isBeingChecked = true
  r.out.push({ type: 'check-signatures', message: waiting.message })
}

/** Not even in the time that it took this replica to check it too. */
const distrustSilent = (r: ReplicaState, { view, seq, digest }: PrePrepare): void => {
  for (const replica of [primaryOf(view, r.config.n), ...checkersOf(view, seq, r.config.n)]) {
    if (r.log.get(seq)?.prepares.has(replica, view, digest) !== true) r.distrusted.set(replica, r.nowMs)
  }
}

/** The signatures of a pre-prepare were checked after all: the message, if nothing else is missing. A forged one is dropped. */
export const takeChecked = (r: ReplicaState, seq: SeqNo, digest: Digest, holds: boolean): PrePrepare | null => {
  const waiting = r.suspended.get(seq)
  if (waiting === undefined || waiting.message.digest !== digest) return null
  if (!holds) {
    r.suspended.delete(seq)
    reject(r, 'forged-request', 'pre-prepare', primaryOf(waiting.message.view, r.config.n))
    return null
  }
  distrustSilent(r, waiting.message)
  waiting.unproven = waiting.unproven.filter((request) => !isSigned(request))
  return waiting.unproven.length === 0 ? waiting.message : null
}
