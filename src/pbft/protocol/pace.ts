/**
 * Whether the primary is slow without being late: one that orders each batch just before the time-out keeps its view for ever and
 * the cluster at a crawl (protocol.md, pitfall 14).
 *
 * A backup keeps an account of time. It is the primary's turn while this replica knows of a request and the next sequence number
 * has no batch with requests: an honest primary then proposes at once, however much waits, for nothing is in its way. The time of
 * its turns, but for the first moments of each, is its debt. The time that the replicas take together for agreeing on a batch
 * pays off a multiple: it is the measure of what is possible here and now, of this load, these disks and these links, and no
 * primary can shorten it. A small part of all time is forgiven. So the primary may take for each batch a fixed allowance and a
 * multiple of what the agreement took; what it takes beyond that, for long, is a reason to leave its view.
 *
 * Nothing is demanded while no request is known here: the clients' first attempts go to the primary alone, so a debt arises only
 * when a client has lost patience. Nor are moments counted in which this replica itself did not run.
 *
 * A replica that finds the primary slow says so in its status, which it can take back; it leaves the view only when f+1 are
 * dissatisfied, so that it never leaves alone for this. Each time that it does, what it demands is halved, and comes back by
 * halves, the more slowly the lower it is: a cluster of which every primary looks slow changes its view ever more rarely.
 */
import { asSeqNo, type ReplicaId } from './ids.ts'
import { chosenThrough } from './ordering.ts'
import { inWindow, isPrimary, isYounger, primary, type ReplicaState, type WaitsOn } from './state.ts'
import type { ViewChangeReason } from './steps.ts'
import { isBehind } from './view-timer.ts'

/** Of a turn of the primary is free, in view-change time-outs. */
const ALLOWED_PER_TURN = 0.15
/** Debt at which it is slow, in view-change time-outs. */
const DEBT_MAX = 2
/** How many times over the time of an agreement pays off. */
const PAID_BY_AGREEMENT = 2
/** Part of all time that is forgiven. */
const FORGIVEN = 0.05
/** Beyond it demands are not halved any more: they have come to nothing. */
const LENIENCE_MAX = 6
/** How long until demands double again, in view-change time-outs; doubled for each halving. */
const LENIENT_TIMEOUTS = 60
/** Two steps further apart, in status periods: this replica was not running in between. */
const STEP_GAP_PERIODS = 2

const waitsOn = (r: ReplicaState): WaitsOn => {
  // A replica that must not vote takes no proposal, and cannot leave the view either.
  if (r.silence !== null) return 'nothing'
  // Bytes of chosen batches that are still fetched are nobody's delay.
  if (!r.active || isPrimary(r) || r.transfer !== null || r.repair !== null || r.missing.size > 0) return 'nothing'
  const next = asSeqNo(r.lastExecuted + 1)
  if ((r.log.get(next)?.batch?.requests.length ?? 0) > 0) return 'agreement'
  // One that waits for a client's signature is no delay of the primary's either.
  if (r.suspended.has(next)) return 'nothing'
  if (r.pending.size === 0 || next <= chosenThrough(r) || !inWindow(r, next) || isBehind(r)) return 'nothing'
  return 'primary'
}

const timeoutMs = (r: ReplicaState): number => r.config.viewTimeoutMs * 2 ** r.pace.lenience

/** Brings the account up to now. */
const settleAccount = (r: ReplicaState): void => {
  const { pace } = r
  const elapsedMs = r.nowMs - pace.atMs
  pace.atMs = r.nowMs
  if (elapsedMs < 0 || elapsedMs > STEP_GAP_PERIODS * r.config.statusIntervalMs) return
  let debtMs = pace.debtMs - FORGIVEN * elapsedMs
  if (pace.waitsOn === 'agreement') debtMs -= PAID_BY_AGREEMENT * elapsedMs
  if (pace.waitsOn === 'primary') {
    debtMs += Math.max(0, elapsedMs - pace.allowedMs)
    pace.allowedMs = Math.max(0, pace.allowedMs - elapsedMs)
  }
  pace.debtMs = Math.max(0, debtMs)
}

const becomeStricter = (r: ReplicaState): void => {
  const { pace } = r
  if (pace.lenience === 0 || isYounger(r, pace.lenientSinceMs, LENIENT_TIMEOUTS * timeoutMs(r))) return
  pace.lenience--
  pace.lenientSinceMs = r.nowMs
}

/** What the status says: this replica would leave the view if others did. */
export const isPrimarySlow = (r: ReplicaState): boolean => r.active && r.pace.debtMs > DEBT_MAX * timeoutMs(r)

/** Those that find the primary slow, or have left its view for whatever reason; this replica, which does, among them. */
const dissatisfied = (r: ReplicaState): ReplicaId[] => {
  const isDissatisfied = (peer: ReplicaId): boolean => {
    const report = r.reports[peer]
    const finds = report !== undefined && report.findsSlow && report.active && report.view === r.view
    return finds || (r.viewChanges.get(peer)?.view ?? 0) > r.view
  }
  return [...r.peers.filter(isDissatisfied), r.config.id].sort((a, b) => a - b)
}

/** Keeps the account; called at the end of every step. Returns the reason to leave the view, or null. */
export const measurePace = (r: ReplicaState): ViewChangeReason | null => {
  const { pace } = r
  settleAccount(r)
  const next = waitsOn(r)
  if (next === 'primary' && pace.waitsOn !== 'primary') pace.allowedMs = ALLOWED_PER_TURN * timeoutMs(r)
  pace.waitsOn = next
  if (pace.lenience > 0) becomeStricter(r)
  if (!isPrimarySlow(r)) return null
  const replicas = dissatisfied(r)
  if (replicas.length < r.weak) return null
  pace.lenience = Math.min(pace.lenience + 1, LENIENCE_MAX)
  pace.lenientSinceMs = r.nowMs
  return { kind: 'slow-primary', primary: primary(r), lateMs: Math.round(pace.debtMs), replicas }
}

/** The account is with one primary, of one view. */
export const forgetDebt = (r: ReplicaState): void => {
  r.pace.debtMs = 0
  r.pace.waitsOn = 'nothing'
}
