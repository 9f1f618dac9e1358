/** The replica: takes inputs to the modules that own them and settles what they made possible. */
import { heldPrincipals } from './authentication.ts'
import type { Capabilities } from './capabilities.ts'
import { onCheckpoint, settleStable } from './checkpoints.ts'
import type { ProtocolConfig } from './config.ts'
import { defers, onProofTimer } from './deferred-proof.ts'
import { noteSpoken } from './disks.ts'
import { weighProposal } from './evidence.ts'
import { executeReady } from './execution.ts'
import { asView, type ReplicaId } from './ids.ts'
import type { ReplicaMessage } from './messages.ts'
import { adoptChosen, onBatchData, onCommit, onPrepare, onPrePrepare, onSignaturesChecked, propose } from './ordering.ts'
import { beginRun, noteStatus, probationState, settleSilence } from './probation.ts'
import type { Persisted } from './records.ts'
import { answerReads, onForwarded, onRequest } from './requests.ts'
import { measurePace } from './pace.ts'
import { restore } from './restore.ts'
import type { Service } from './service.ts'
import { onFetch, onFetchTimer, onMetaData, onPartitionData, settleTransfer } from './state-transfer.ts'
import { executeTentatively } from './tentative.ts'
import { createState, highWatermark, lowWatermark, persist, primary, type ReplicaState } from './state.ts'
import { onConnected, onStatus, onStatusTimer, refreshStatusTimer } from './status.ts'
import type { Effect, Input, ReplicaCore, ReplicaSnapshot, TimerName } from './steps.ts'
import { changeViewByOperator, followStranded, onNewView, onViewChange, settleViewChange, startViewChange } from './view-change.ts'
import { currentTimeout, noteHeard, onViewTimer, refreshViewTimer } from './view-timer.ts'

const NONE: readonly number[] = []

const onMessage = (r: ReplicaState, from: ReplicaId, message: ReplicaMessage, unverified: readonly number[]): void => {
  noteHeard(r, from)
  noteSpoken(r, from, message)
  switch (message.type) {
    case 'request':
      return onForwarded(r, from, message, unverified.length === 0)
    case 'pre-prepare':
      return onPrePrepare(r, from, message, unverified)
    case 'proposal':
      return weighProposal(r, message)
    case 'prepare':
      return onPrepare(r, from, message)
    case 'commit':
      return onCommit(r, from, message)
    case 'checkpoint':
      return onCheckpoint(r, from, message)
    case 'status':
      if (!noteStatus(r, from, message)) return
      onStatus(r, from, message)
      return followStranded(r, from)
    case 'view-change':
      return onViewChange(r, from, message)
    case 'new-view':
      return onNewView(r, from, message)
    case 'batch-data':
      return onBatchData(r, message)
    case 'fetch':
      return onFetch(r, from, message)
    case 'meta-data':
      return onMetaData(r, from, message)
    case 'data':
      return onPartitionData(r, from, message)
  }
}

const onTimer = (r: ReplicaState, timer: TimerName): void => {
  switch (timer) {
    case 'view-change': {
      const reason = onViewTimer(r)
      if (reason !== null) startViewChange(r, asView(r.view + 1), reason)
      return
    }
    case 'status':
      return onStatusTimer(r)
    case 'fetch':
      return onFetchTimer(r)
    case 'proof':
      return onProofTimer(r)
  }
}

const dispatch = (r: ReplicaState, input: Input): void => {
  switch (input.type) {
    case 'start':
      return beginRun(r, input.disk)
    case 'message':
      return onMessage(r, input.from, input.message, input.unverified ?? NONE)
    case 'request':
      return onRequest(r, input.request, input.isUnverified !== true)
    case 'signatures-checked':
      return onSignaturesChecked(r, input.seq, input.digest, input.holds)
    case 'timer':
      return onTimer(r, input.timer)
    case 'connected':
      return onConnected(r, input.peer)
    case 'drained':
      return propose(r)
    case 'operator':
      return changeViewByOperator(r)
    case 'stop':
      // A primary that has not come to giving up its view yet may have forgotten what it proposed there before it restarted.
      if (!r.restarted || r.silence === null) persist(r, { kind: 'stopped' })
      return
  }
}

/** What is due at the end of every step. */
const settle = (r: ReplicaState): void => {
  settleAll(r)
  const reason = measurePace(r)
  if (reason !== null) {
    startViewChange(r, asView(r.view + 1), reason)
    settleAll(r)
  }
  if (r.reads.length > 0) answerReads(r)
  refreshViewTimer(r)
  refreshStatusTimer(r)
}

/** One thing makes another possible: execution a checkpoint, a stable checkpoint room in the window, and so on. */
const settleAll = (r: ReplicaState): void => {
  while (r.again) {
    r.again = false
    executeReady(r)
    executeTentatively(r)
    settleStable(r)
    settleViewChange(r)
    adoptChosen(r)
    settleTransfer(r)
    settleSilence(r)
  }
}

const snapshotOf = (r: ReplicaState): ReplicaSnapshot => {
  let inFlight = 0
  for (const slot of r.log.all()) if (slot.seq > r.lastExecuted && slot.digest !== null) inFlight++
  return {
    view: r.view,
    active: r.active,
    primary: primary(r),
    lastExecuted: r.lastExecuted,
    lowWatermark: lowWatermark(r),
    highWatermark: highWatermark(r),
    stableDigest: r.checkpoints.stable.digest,
    pending: r.pending.size,
    inFlight,
    viewTimeoutMs: currentTimeout(r),
    viewTimerDueAtMs: r.viewTimer.watched === null ? null : r.viewTimer.dueAtMs,
    transferring: r.transfer !== null,
    damage: r.damage === null ? null : { ...r.damage },
    suspended: r.suspended.size,
    held: heldPrincipals(r),
    probation: probationState(r),
    timeMs: r.replicated.timeMs,
  }
}

/** The state of a replica from an empty service and what the disk hands back; for those who look into it (pbft/replay). */
export const restoreReplica = (
  config: ProtocolConfig,
  capabilities: Capabilities,
  service: Service,
  persisted: Persisted,
): ReplicaState => {
  const r = createState(config, capabilities, service)
  restore(r, persisted)
  return r
}

/** The replica around a state that was just restored. */
export const coreOf = (r: ReplicaState): ReplicaCore => {
  // What recovery found undone, a checkpoint at most, leaves with the first step.
  let first = true
  const step = (input: Input, nowMs: number): Effect[] => {
    r.nowMs = nowMs
    if (!first) r.out = []
    first = false
    dispatch(r, input)
    settle(r)
    return r.out
  }
  return { step, defers: (message) => defers(r, message), snapshot: () => snapshotOf(r), stateDigest: () => r.replicated.root() }
}

/**
 * Makes a replica, from an empty service and what the disk hands back (`persisted`; empty at the first start).
 * Its first input is `start`.
 */
export const createReplica = (config: ProtocolConfig, capabilities: Capabilities, service: Service, persisted: Persisted): ReplicaCore =>
  coreOf(restoreReplica(config, capabilities, service, persisted))
