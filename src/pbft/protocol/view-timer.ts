/**
 * The view-change timer (TOCS 2002, section 4.5; protocol.md section 6): what it runs for, its back-off, and what its expiry
 * means.
 *
 * Leaving a view cannot be taken back, and a replica that leaves alone is lost to its view. So expiry is not enough when this
 * replica is the one cut off or behind: unless a quorum is within hearing a view change could not complete anyway, and when
 * f+1 peers have executed more in this very view, the primary is not what is late.
 */
import { asSeqNo } from './ids.ts'
import { cancelTimer, emit, isPrimary, setTimer, type ReplicaState, type Watched } from './state.ts'
import type { ViewChangeReason } from './steps.ts'

/** Expiries put off in a row, at most, because others are ahead: beyond it not even they can help. */
const POSTPONED_MAX = 8

/** Time-out now: doubled for each consecutive view change without progress but the first. */
export const currentTimeout = (r: ReplicaState): number =>
  Math.min(r.config.viewTimeoutMs * 2 ** Math.min(Math.max(r.viewTimer.consecutive - 1, 0), 30), r.config.viewTimeoutMaxMs)

/** How many replicas ask for a view at or above the one that this replica wants to enter. */
export const viewChangesHeld = (r: ReplicaState): number => {
  let count = 0
  for (const viewChange of r.viewChanges.values()) if (viewChange.view >= r.view) count++
  return count
}

/** Also what waits for proof: if it never comes, a new view fills the place with what all can take. */
const orderedThrough = (r: ReplicaState): number =>
  r.suspended.size === 0 ? r.highestOrdered : Math.max(r.highestOrdered, ...r.suspended.keys())

/** What there is to wait for. The primary of an active view has nobody but itself to wait for. */
const toWatch = (r: ReplicaState): Watched | null => {
  if (r.silence !== null) return null
  // The timer for the next view starts only with a quorum for this one: else a lone replica's back-off would explode.
  if (!r.active) return viewChangesHeld(r) >= r.quorum ? { kind: 'new-view', view: r.view } : null
  if (isPrimary(r)) return null
  const oldest = r.pending.oldest()
  if (oldest !== null) return { kind: 'request', client: oldest.client, timestamp: oldest.timestamp }
  return orderedThrough(r) > r.lastExecuted ? { kind: 'slot', seq: asSeqNo(r.lastExecuted + 1) } : null
}

const isStillDue = (r: ReplicaState, watched: Watched): boolean => {
  switch (watched.kind) {
    case 'request':
      return r.active && !isPrimary(r) && r.pending.get(watched.client)?.timestamp === watched.timestamp
    case 'slot':
      return r.active && !isPrimary(r) && r.lastExecuted < watched.seq && orderedThrough(r) >= watched.seq
    case 'new-view':
      return !r.active && r.view === watched.view
  }
}

const arm = (r: ReplicaState, watched: Watched, delayMs: number): void => {
  const timer = r.viewTimer
  timer.watched = watched
  timer.delayMs = delayMs
  timer.dueAtMs = r.nowMs + delayMs
  timer.heard.fill(false)
  timer.heardCount = 0
  setTimer(r, 'view-change', delayMs)
}

/** Starts, restarts or stops the timer as the state wants it; called at the end of every step. */
export const refreshViewTimer = (r: ReplicaState): void => {
  const timer = r.viewTimer
  if (timer.watched !== null && isStillDue(r, timer.watched)) return
  const watched = toWatch(r)
  if (watched !== null) arm(r, watched, currentTimeout(r))
  else if (timer.watched !== null) {
    timer.watched = null
    cancelTimer(r, 'view-change')
  }
  const shown = timer.watched === null ? 0 : timer.delayMs
  if (shown === timer.shown) return
  timer.shown = shown
  emit(r, { type: 'view-timer', running: shown > 0, delayMs: currentTimeout(r) })
}

/** Any message from a peer shows that it is within hearing. */
export const noteHeard = (r: ReplicaState, from: number): void => {
  const timer = r.viewTimer
  if (timer.heard[from] !== false) return
  timer.heard[from] = true
  timer.heardCount++
}

export const hearsQuorum = (r: ReplicaState): boolean => r.viewTimer.heardCount >= r.quorum - 1

/** f+1 peers, so at least one correct one, have executed more than this replica in this view. */
export const isBehind = (r: ReplicaState): boolean => {
  let ahead = 0
  for (const report of r.reports) if (report.active && report.view === r.view && report.lastExecuted > r.lastExecuted) ahead++
  return ahead >= r.weak
}

const reasonOf = (r: ReplicaState, watched: Watched): ViewChangeReason => {
  if (watched.kind === 'request') return { kind: 'request-timeout', client: watched.client, timestamp: watched.timestamp }
  for (let seq = r.lastExecuted + 1; watched.kind === 'slot' && seq <= r.highestOrdered; seq++) {
    const request = r.log.get(seq)?.batch?.requests[0]
    if (request !== undefined) return { kind: 'request-timeout', client: request.client, timestamp: request.timestamp }
  }
  return { kind: 'new-view-timeout', view: r.view }
}

/** The timer fired: the reason to leave the view, or null when it is not time for that. */
export const onViewTimer = (r: ReplicaState): ViewChangeReason | null => {
  const timer = r.viewTimer
  const watched = timer.watched
  if (watched === null) return null
  if (!isStillDue(r, watched)) {
    timer.watched = null
    return null
  }
  // Far too late: this process itself was stopped, and has not read yet what came meanwhile.
  const wasStopped = r.nowMs - timer.dueAtMs > timer.delayMs
  const helpIsComing = r.active && isBehind(r) && timer.postponed < POSTPONED_MAX
  if (r.transfer !== null || wasStopped || helpIsComing || !hearsQuorum(r)) {
    if (helpIsComing) timer.postponed++
    arm(r, watched, currentTimeout(r))
    return null
  }
  timer.watched = null
  return reasonOf(r, watched)
}
