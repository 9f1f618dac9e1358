/**
 * Status messages and retransmission (TOCS 2002, section 5.2): each replica says what it holds, and the others send what it
 * misses. Retransmission is the receiver's business: nothing is queued for a peer, however long it is away.
 */
import { askForSignatures } from './authentication.ts'
import { diskStatus } from './disks.ts'
import type { ReplicaId, SeqNo } from './ids.ts'
import type { SlotStatus, Status } from './messages.ts'
import { isPrimarySlow } from './pace.ts'
import type { Slot } from './slots.ts'
import { highWatermark, isPrimary, isYounger, lowWatermark, promise, sendTo, setTimer, type ReplicaState } from './state.ts'
import { hearsQuorum } from './view-timer.ts'

/** Most slots and batches that one status is answered with. */
const SLOTS_PER_ANSWER_MAX = 64
/** Bytes of batches after which an answer ends; the next status asks for the rest. */
const BATCH_BYTES_PER_ANSWER_MAX = 4_194_304
/** A backup relays a pre-prepare only when the primary has had this many status periods to do it. */
const RELAY_AFTER_PERIODS = 4

const IDLE_PERIODS = 8

const slotStatuses = (r: ReplicaState): SlotStatus[] => {
  const slots: SlotStatus[] = []
  const high = highWatermark(r)
  for (let seq = lowWatermark(r) + 1; seq <= high; seq++) {
    const slot = r.log.get(seq)
    // A batch that was executed in an earlier view has to be committed in this one too, for those who have not executed it.
    if (slot === undefined || (seq <= r.lastExecuted && (slot.digest === null || slot.committed))) continue
    slots.push({
      seq: slot.seq,
      prePrepared: slot.digest !== null || r.suspended.has(slot.seq),
      prepared: slot.prepared,
      committed: slot.committed,
    })
  }
  return slots
}

const makeStatus = (r: ReplicaState, solicits: boolean): Status => {
  const held = r.active ? [] : [...r.viewChanges.values()].filter((viewChange) => viewChange.view === r.view)
  return {
    type: 'status',
    replica: r.config.id,
    view: r.view,
    active: r.active,
    stableSeq: lowWatermark(r),
    lastExecuted: r.lastExecuted,
    slots: r.active ? slotStatuses(r) : [],
    viewChangesFrom: held.map((viewChange) => viewChange.replica).sort((a, b) => a - b),
    findsSlow: isPrimarySlow(r),
    missingBatches: [...new Set([...r.unseen.keys(), ...r.missing.keys()])].slice(0, r.config.logWindow),
    solicits,
    ...diskStatus(r),
  }
}

/** Something is under way or missing, so that a peer's answer may help. */
const isBusy = (r: ReplicaState): boolean => {
  if (
    !r.active ||
    r.silence !== null ||
    r.transfer !== null ||
    r.repair !== null ||
    r.missing.size + r.unseen.size + r.suspended.size > 0 ||
    r.pending.size > 0 ||
    r.reads.length > 0
  )
    return true
  if (r.highestOrdered > r.lastExecuted || r.checkpoints.proven.seq > lowWatermark(r)) return true
  return r.reports.some((report) => report.lastExecuted > r.lastExecuted || report.view > r.view)
}

/** Keeps the status timer going, faster as soon as something is missing; called at the end of every step. */
export const refreshStatusTimer = (r: ReplicaState): void => {
  if (r.statusTimer === 'busy' || r.peers.length === 0) return
  const isBusyNow = isBusy(r)
  if (r.statusTimer === 'idle' && !isBusyNow) return
  r.statusTimer = isBusyNow ? 'busy' : 'idle'
  setTimer(r, 'status', isBusyNow ? r.config.statusIntervalMs : IDLE_PERIODS * r.config.statusIntervalMs)
}

/** At start and on demand: a status that everyone answers with its own. */
export const solicit = (r: ReplicaState): void => {
  promise(r, makeStatus(r, true))
}

export const onConnected = (r: ReplicaState, peer: ReplicaId): void => {
  if (r.peers.includes(peer)) sendTo(r, peer, makeStatus(r, true))
}

export const onStatusTimer = (r: ReplicaState): void => {
  r.statusTimer = 'off'
  if (r.suspended.size > 0) askForSignatures(r)
  // While the view timer runs, silence has to be told from having nothing to say.
  promise(r, makeStatus(r, r.viewTimer.watched !== null && !hearsQuorum(r)))
}

/** Answers with just what the sender lacks. */
export const onStatus = (r: ReplicaState, from: ReplicaId, status: Status): void => {
  const report = r.reports[from]
  if (status.replica !== from || report === undefined) return
  report.view = status.view
  report.active = status.active
  report.stableSeq = status.stableSeq
  report.lastExecuted = status.lastExecuted
  report.findsSlow = status.findsSlow
  if (status.solicits) sendTo(r, from, makeStatus(r, false))
  sendCheckpoints(r, from, status)
  sendBatches(r, from, status)
  if (status.view < r.view || (status.view === r.view && !status.active)) sendViewChanges(r, from, status)
  else if (status.view === r.view && r.active) sendSlots(r, from, status)
  else if (!status.active && r.active) sendCommits(r, from, status)
}

/** To one that has left this view by itself: it no longer votes here, but a quorum of commits still tells it what was agreed. */
const sendCommits = (r: ReplicaState, to: ReplicaId, status: Status): void => {
  const first = Math.max(status.lastExecuted, lowWatermark(r)) + 1
  const last = Math.min(status.stableSeq + r.config.logWindow, first + SLOTS_PER_ANSWER_MAX - 1, highWatermark(r))
  for (let seq = first; seq <= last; seq++) {
    const slot = r.log.get(seq)
    if (slot === undefined || slot.digest === null || !slot.prepared || isYounger(r, slot.acceptedAtMs, r.config.statusIntervalMs)) continue
    sendTo(r, to, { type: 'commit', view: r.view, seq: slot.seq, digest: slot.digest, replica: r.config.id })
  }
}

/** The proof of the stable checkpoint to one that is below it; and the own messages for those not stable yet. */
const sendCheckpoints = (r: ReplicaState, to: ReplicaId, status: Status): void => {
  const { stable, held, received, stableAtMs } = r.checkpoints
  // One that is only an instant behind gets there by itself.
  const isRecent = (atMs: number): boolean => isYounger(r, atMs, r.config.statusIntervalMs) && !status.solicits
  if (status.stableSeq < stable.seq && !isRecent(stableAtMs)) for (const message of stable.proof) sendTo(r, to, message)
  if (r.silence?.kind === 'probation') return
  for (const message of received[r.config.id] ?? []) {
    const isWanted = message.seq > stable.seq && message.seq > status.stableSeq
    if (isWanted && !isRecent(held.get(message.seq)?.takenAtMs ?? 0)) sendTo(r, to, message)
  }
}

const sendBatches = (r: ReplicaState, to: ReplicaId, status: Status): void => {
  let bytes = 0
  for (const digest of status.missingBatches.slice(0, SLOTS_PER_ANSWER_MAX)) {
    const batch = r.log.batch(digest)
    if (batch === undefined) continue
    sendTo(r, to, { type: 'batch-data', batch })
    bytes += batch.bytes.length
    if (bytes > BATCH_BYTES_PER_ANSWER_MAX) return
  }
}

/** The new-view that leads to the current view; while it is being made, the view-changes for it. */
const sendViewChanges = (r: ReplicaState, to: ReplicaId, status: Status): void => {
  if (r.active) {
    if (r.newView !== null) sendTo(r, to, r.newView)
    return
  }
  for (const viewChange of r.viewChanges.values()) {
    const isHeld = status.view === r.view && (viewChange.replica === to || status.viewChangesFrom.includes(viewChange.replica))
    if (viewChange.view === r.view && !isHeld) sendTo(r, to, viewChange)
  }
}

const sendSlots = (r: ReplicaState, to: ReplicaId, status: Status): void => {
  const reached = new Map(status.slots.map((slot) => [slot.seq, slot]))
  // What lies above its window it could not take.
  const high = Math.min(r.log.highest(lowWatermark(r)), status.stableSeq + r.config.logWindow)
  let answered = 0
  let bytes = 0
  for (let seq: number = lowWatermark(r) + 1; seq <= high; seq++) {
    const slot = r.log.get(seq)
    if (slot === undefined || slot.digest === null || (seq <= status.lastExecuted && !reached.has(slot.seq))) continue
    // What was accepted an instant ago is on its way anyhow.
    if (isYounger(r, slot.acceptedAtMs, r.config.statusIntervalMs / 2)) continue
    bytes += sendSlot(r, to, slot, reached.get(slot.seq))
    if (++answered >= SLOTS_PER_ANSWER_MAX || bytes > BATCH_BYTES_PER_ANSWER_MAX) return
  }
}

/** Sends what the peer lacks of one slot; returns the bytes of batches among it. */
const sendSlot = (r: ReplicaState, to: ReplicaId, slot: Slot, reached: SlotStatus | undefined): number => {
  const digest = slot.digest
  if (digest === null) return 0
  const { view, config } = r
  const vote = { view, seq: slot.seq as SeqNo, digest, replica: config.id }
  let bytes = 0
  const isMine = isPrimary(r) || !isYounger(r, slot.acceptedAtMs, RELAY_AFTER_PERIODS * config.statusIntervalMs)
  if (reached?.prePrepared !== true && slot.prePrepare !== null && isMine) {
    sendTo(r, to, slot.prePrepare)
    bytes = slot.prePrepare.batch.bytes.length
  }
  if (reached?.prepared !== true) sendTo(r, to, { type: 'prepare', ...vote })
  if (reached?.committed !== true && slot.prepared) sendTo(r, to, { type: 'commit', ...vote })
  return bytes
}
