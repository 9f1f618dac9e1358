/** The view change (TOCS 2002, section 4.5): leaving a view, gathering view-changes, making and entering the new view. */
import { isSigned } from './authentication.ts'
import { checkpointEntries, onCheckpoint } from './checkpoints.ts'
import { isVoid, restsOnVoid } from './disks.ts'
import { weighViewChange } from './evidence.ts'
import { asSeqNo, asView, type ClientId, type ClientTimestamp, type ReplicaId, type SeqNo, type View } from './ids.ts'
import type { NewView, Request, ViewChange } from './messages.ts'
import { forgetDebt } from './pace.ts'
import { emit, isPrimary, persist, primary, promise, reject, sendTo, type ReplicaState } from './state.ts'
import { nullSeqsMax, type SeqSpan, type ViewChangeReason } from './steps.ts'
import { chooseNewView, problemOfNewView, problemOfViewChange, type RuleParameters } from './view-change-rule.ts'

const ruleParameters = (r: ReplicaState): RuleParameters => ({
  n: r.config.n,
  quorum: r.quorum,
  weak: r.weak,
  checkpointInterval: r.config.checkpointInterval,
  logWindow: r.config.logWindow,
  genesisDigest: r.genesis.digest,
  nullDigest: r.nullDigest,
})

/** Leaves the current view for `view`, which is higher: from here on this replica votes in no lower one. Not while it may not vote. */
export const startViewChange = (r: ReplicaState, view: View, reason: ViewChangeReason): void => {
  if (r.silence !== null) return
  r.view = view
  r.active = false
  r.tentative = null
  forgetDebt(r)
  // An operator's wish says nothing about how long the network takes.
  if (reason.kind !== 'operator') r.viewTimer.consecutive++
  r.viewTimer.postponed = 0
  r.missing.clear()
  r.suspended.clear()
  const unsigned = {
    type: 'view-change',
    view,
    replica: r.config.id,
    incarnation: r.incarnation,
    stable: r.checkpoints.stable,
    checkpoints: checkpointEntries(r),
    prepared: r.log.prepared(),
    prePrepared: r.log.prePrepared(),
  } as const
  const message: ViewChange = { ...unsigned, signature: r.capabilities.sign(unsigned) }
  r.viewChanges.set(r.config.id, message)
  emit(r, { type: 'view-change-started', view, reason })
  persist(r, { kind: 'view-change', message })
  promise(r, message)
  r.again = true
}

/**
 * After a restart the primary gives up its view instead of proposing in it again: a proposal leaves before it is durable, so it
 * may have forgotten one. The others follow when a request waits for their time-out, or after a while (`followStranded`).
 */
export const resign = (r: ReplicaState): void => {
  if (r.restarted && r.active && isPrimary(r) && r.peers.length > 0) startViewChange(r, asView(r.view + 1), { kind: 'restarted' })
}

export const changeViewByOperator = (r: ReplicaState): void => {
  startViewChange(r, asView(r.view + 1), { kind: 'operator' })
}

/** Signed by `message.replica`, so any replica may relay it. An invalid one never takes the place of a valid one. */
export const onViewChange = (r: ReplicaState, from: ReplicaId, message: ViewChange): void => {
  weighViewChange(r, message)
  if (message.replica === r.config.id || message.view < r.view || (message.view === r.view && r.active)) return
  if ((r.viewChanges.get(message.replica)?.view ?? 0) >= message.view) return
  if (isVoid(r, message)) return reject(r, 'void-view-change', 'view-change', from)
  if (problemOfViewChange(message, ruleParameters(r)) !== null) return reject(r, 'invalid-view-change', 'view-change', from)
  r.viewChanges.set(message.replica, message)
  emit(r, {
    type: 'view-change-received',
    view: message.view,
    from: message.replica,
    stableSeq: message.stable.seq,
    prepared: message.prepared.length,
    prePrepared: message.prePrepared.length,
    checkpoints: message.checkpoints.length,
    preparedSpan: spanOf(message.prepared),
    prePreparedSpan: spanOf(message.prePrepared),
  })
  for (const checkpoint of message.stable.proof) onCheckpoint(r, from, checkpoint)
  r.again = true
}

/** Joins a view change that f+1 want, and, as the primary to be, makes the new-view as soon as it is decided. */
export const settleViewChange = (r: ReplicaState): void => {
  if (r.silence !== null) return
  join(r)
  if (!r.active && isPrimary(r)) tryNewView(r)
}

/** f+1 view-changes for higher views hold one of a correct replica: follow to the smallest of those views. */
const join = (r: ReplicaState): void => {
  const higher = [...r.viewChanges.values()].filter((viewChange) => viewChange.view > r.view)
  if (higher.length < r.weak) return
  const smallest = Math.min(...higher.map((viewChange) => viewChange.view))
  const replicas = higher.map((viewChange) => viewChange.replica).sort((a, b) => a - b)
  startViewChange(r, asView(smallest), { kind: 'joined', replicas })
}

/** First patience with a stranded replica, in view-change time-outs; it doubles with each time that replica is followed. */
const PATIENCE_TIMEOUTS = 4
const PATIENCE_DOUBLINGS_MAX = 6

/**
 * Follows a replica that left its view alone, after a while: it may not return to that view, so without this it would stay
 * out, correct and idle, until something else changes the view. A faulty replica gains no more from it than a view change
 * now and then, ever more rarely. Called when `from` has shown its status.
 */
export const followStranded = (r: ReplicaState, from: ReplicaId): void => {
  const report = r.reports[from]
  const message = r.viewChanges.get(from)
  if (report === undefined) return
  const isStranded = r.active && !report.active && message !== undefined && message.view > r.view && message.view <= r.view + r.config.n
  if (!isStranded) {
    report.strandedAtMs = null
    return
  }
  report.strandedAtMs = Math.min(report.strandedAtMs ?? r.nowMs, r.nowMs)
  const patienceMs = r.config.viewTimeoutMs * PATIENCE_TIMEOUTS * 2 ** Math.min(report.timesFollowed, PATIENCE_DOUBLINGS_MAX)
  if (r.nowMs - report.strandedAtMs < patienceMs) return
  report.strandedAtMs = null
  report.timesFollowed++
  startViewChange(r, message.view, { kind: 'joined', replicas: [from] })
}

const tryNewView = (r: ReplicaState): void => {
  const viewChanges = [...r.viewChanges.values()].filter((viewChange) => viewChange.view === r.view)
  const choice = chooseNewView(viewChanges, ruleParameters(r))
  if (choice === null) return
  // A3: the chosen batches have to be at hand, but those that are in the state already; the next status asks for what is not.
  r.missing.clear()
  for (const { seq, digest } of choice.chosen) {
    if (seq > r.checkpoints.stable.seq && r.log.batch(digest) === undefined) r.missing.set(digest, seq)
  }
  if (r.missing.size > 0) return
  viewChanges.sort((a, b) => a.replica - b.replica)
  const unsigned = { type: 'new-view', view: r.view, replica: r.config.id, viewChanges, ...choice } as const
  const newView: NewView = { ...unsigned, signature: r.capabilities.sign(unsigned) }
  persistNewView(r, newView)
  promise(r, newView)
  enterView(r, newView)
}

/** Signed by the primary of its view, so any replica may relay it; a valid one for any higher view is followed. */
export const onNewView = (r: ReplicaState, from: ReplicaId, newView: NewView): void => {
  if (newView.view < r.view || (newView.view === r.view && r.active) || newView.replica === r.config.id) return
  for (const viewChange of newView.viewChanges) weighViewChange(r, viewChange)
  const isVoided = restsOnVoid(r, newView)
  const problem = isVoided ? 'a view-change of a lost disk' : problemOfNewView(newView, ruleParameters(r))
  if (problem !== null) {
    reject(r, isVoided ? 'void-view-change' : 'invalid-new-view', 'new-view', from)
    const isAwaited = newView.view === r.view && newView.replica === primary(r)
    if (isAwaited) startViewChange(r, asView(r.view + 1), { kind: 'invalid-new-view', detail: problem })
    return
  }
  persistNewView(r, newView)
  enterView(r, newView)
  for (const { stable } of newView.viewChanges) for (const checkpoint of stable.proof) onCheckpoint(r, from, checkpoint)
}

/** Of entries that ascend by seq. */
const spanOf = (entries: readonly { readonly seq: SeqNo }[]): SeqSpan | null => {
  const [first] = entries
  const last = entries.at(-1)
  return first === undefined || last === undefined ? null : { first: first.seq, last: last.seq }
}

/** With the own P and Q: the records that they came from, another new-view among them, may be dropped before these sequence numbers. */
const persistNewView = (r: ReplicaState, message: NewView): void => {
  persist(r, { kind: 'new-view', message, prepared: r.log.prepared(), prePrepared: r.log.prePrepared() })
}

const enterView = (r: ReplicaState, newView: NewView): void => {
  const { view, start, chosen } = newView
  keepUnfinished(r)
  r.view = view
  r.active = true
  r.tentative = null
  forgetDebt(r)
  r.newView = newView
  r.adopted = 0
  r.missing.clear()
  r.suspended.clear()
  r.log.leaveView()
  r.highestOrdered = asSeqNo(Math.max(start.seq, chosen.at(-1)?.seq ?? 0, r.lastExecuted))
  for (const [replica, viewChange] of r.viewChanges) if (viewChange.view <= view) r.viewChanges.delete(replica)
  const nulls = chosen.filter((entry) => entry.digest === r.nullDigest)
  emit(r, {
    type: 'view-entered',
    view,
    primary: newView.replica,
    start,
    chosen: chosen.length,
    nulls: nulls.length,
    chosenSpan: spanOf(chosen),
    nullSeqs: nulls.slice(0, nullSeqsMax).map(({ seq }) => seq),
    viewChangesFrom: newView.viewChanges.map((viewChange) => viewChange.replica),
  })
  handOverPending(r, newView)
  // The view came in time and nothing waits in it: that is progress too.
  if (r.pending.size === 0 && r.highestOrdered === r.lastExecuted) r.viewTimer.consecutive = 0
  r.again = true
}

/**
 * Requests of batches that were under way become pending: the new view may not carry them, and then they are proposed again. Only those
 * that are signed: of the others some replicas may have no proof in the new view, and their clients send them again with a signature.
 */
const keepUnfinished = (r: ReplicaState): void => {
  for (const slot of r.log.all()) {
    if (slot.seq <= r.lastExecuted || slot.batch === null) continue
    for (const request of slot.batch.requests) {
      const executed = r.replicated.replies.get(request.client)
      const known = r.pending.get(request.client)
      const isSettled = (executed?.timestamp ?? -1) >= request.timestamp || (known?.timestamp ?? -1) >= request.timestamp
      if (!isSettled && isSigned(request) && (known !== undefined || r.pending.size < r.config.pendingRequestsMax))
        r.pending.add(request, false)
    }
  }
}

/**
 * The primary queues what the view does not carry already; a backup passes the oldest on to it. A backup forgets requests that only it
 * can verify: a timer that runs for one of them could make it leave the view alone.
 */
const handOverPending = (r: ReplicaState, newView: NewView): void => {
  const carried = new Map<ClientId, ClientTimestamp>()
  for (const { seq, digest } of newView.chosen) {
    const batch = seq > r.lastExecuted ? r.log.batch(digest) : undefined
    for (const request of batch?.requests ?? []) carried.set(request.client, request.timestamp)
  }
  const isCarried = (request: Request): boolean => (carried.get(request.client) ?? -1) >= request.timestamp
  r.pending.requeue(isPrimary(r), isCarried)
  if (isPrimary(r)) return
  for (const request of r.pending.first(r.config.batchRequestsMax)) if (!isCarried(request)) sendTo(r, primary(r), request, false)
  r.pending.dropWhere((request) => !isSigned(request))
}
