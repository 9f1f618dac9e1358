/**
 * The normal case (TOCS 2002, section 4.3): the primary proposes batches; pre-prepare, prepare and commit carry them to
 * committed-local. Batches that a new-view chose come in here too and run through prepare and commit again.
 */
import { assertThat } from './assert.ts'
import { isBacked, keepSuspendedBatch, suspend, takeBacked, takeProven, unprovenOf } from './authentication.ts'
import { awaitProof, takeChecked } from './deferred-proof.ts'
import { takeEmptyBatch } from './empty-batches.ts'
import { confront, confrontVoters, proposalOf, weighProposal } from './evidence.ts'
import { asSeqNo, type Digest, type ReplicaId, type SeqNo, type View } from './ids.ts'
import type { Batch, BatchData, Commit, Prepare, PrePrepare, Request } from './messages.ts'
import { TIMESTAMP_AHEAD_MAX_MS } from './replicated-state.ts'
import type { Slot } from './slots.ts'
import { emit, highWatermark, inWindow, isPrimary, lowWatermark, persist, promise, reject, type ReplicaState } from './state.ts'
import type { RejectionReason } from './steps.ts'

/** Batches that the primary has ordered and not executed. */
const inFlight = (r: ReplicaState): number => r.highestOrdered - r.lastExecuted

/**
 * Proposes what waits: at once while the pipeline has room, so that light load keeps its latency; else requests gather into
 * the next batch, so that heavy load gets its throughput. Called when the driver has handed in all that it had.
 */
export const propose = (r: ReplicaState): void => {
  if (!r.active || !isPrimary(r) || r.transfer !== null || r.silence !== null) return
  while (inFlight(r) < r.config.pipelineMax && r.highestOrdered < highWatermark(r)) {
    const requests = r.pending.takeBatch(r.config.batchRequestsMax, r.config.batchBytesMax)
    if (requests.length === 0 && !takeEmptyBatch(r)) return
    const seq = asSeqNo(r.highestOrdered + 1)
    // No two empty ones are to be the same batch.
    const earliest = earliestTime(r, seq) + (requests.length === 0 ? 1 : 0)
    const batch = r.capabilities.encodeBatch(Math.max(Math.floor(r.nowMs), earliest), requests)
    const digest = r.capabilities.digest(batch.bytes)
    const unsigned = { type: 'pre-prepare', view: r.view, seq, digest, batch } as const
    acceptBatch(r, r.log.open(seq), { ...unsigned, signature: r.capabilities.sign(unsigned) })
  }
}

/**
 * The latest time that a proposed batch may have. There is no earliest by itself (`isTooEarly`): execution never lets agreed time go back. A
 * clock that was set back, on one machine that of all replicas, makes the time already agreed look far ahead; it is not refused for that.
 */
const latestTime = (r: ReplicaState): number => Math.max(r.nowMs + r.config.clockSkewMaxMs, r.replicated.timeMs, r.highestTimeMs)

/**
 * A time so long ago that it would have a request answered `clock-ahead` whose client's clock is not ahead, as seen here: before the first
 * batch, or after a day without any, a faulty primary could have every client refused.
 */
function isTooEarly(r: ReplicaState, { timeMs, requests }: Batch): boolean {
  if (timeMs >= r.nowMs - r.config.clockSkewMaxMs) return false
  const latestTaken = (Math.max(timeMs, r.replicated.timeMs) + TIMESTAMP_AHEAD_MAX_MS) * 1_000
  const latestGood = (r.nowMs + TIMESTAMP_AHEAD_MAX_MS - r.config.clockSkewMaxMs) * 1_000
  return requests.some(({ timestamp }) => timestamp > latestTaken && timestamp <= latestGood)
}

/** Agreed time never decreases: not below what was executed, nor below the batch before. */
const earliestTime = (r: ReplicaState, seq: SeqNo): number => Math.max(r.replicated.timeMs, r.log.get(seq - 1)?.batch?.timeMs ?? 0)

/** Pre-prepares a proposed batch: at the primary its own, at a backup the primary's. */
const acceptBatch = (r: ReplicaState, slot: Slot, message: PrePrepare): void => {
  const { view, seq, digest, batch, signature } = message
  slot.prePrepare = message
  confrontVoters(r, slot, proposalOf(message))
  persist(r, { kind: 'pre-prepared', view, seq, digest, batch, signature })
  if (isPrimary(r)) announce(r, message)
  enterPrePrepared(r, slot, digest, batch)
}

/**
 * A pre-prepare is no vote, the primary's own prepare is. So it need not wait for the disk, and the primary's flush and the
 * backups' run at the same time: two flushes in sequence to a reply, not three. But then a crash may make the primary forget what
 * it has proposed, and two proposals for one place convict it; so after a restart it proposes nothing more in its view
 * (`resign` in view-change.ts). For that its disk has to tell of the view: until one proposal has prepared in this view, which
 * takes backups that were told of it, and so records that are durable, proposals do wait.
 */
const announce = (r: ReplicaState, message: PrePrepare): void => {
  if (r.peers.length > 0) r.out.push({ type: 'send', to: r.peers, message, gated: r.establishedView !== r.view })
}

/** What pre-preparing changes here; the record that backs it is on its way to disk, or was just read from there. */
export const recordPrePrepared = (r: ReplicaState, slot: Slot, digest: Digest, batch: Batch): void => {
  assertThat(slot.executed === null || slot.executed === digest, 'one batch is agreed under one sequence number')
  slot.digest = digest
  slot.batch = batch
  slot.acceptedAtMs = r.nowMs
  r.log.keepBatch(slot.seq, digest, batch)
  r.log.notePrePrepared(slot, digest, r.view)
  if (slot.seq > r.highestOrdered) r.highestOrdered = slot.seq
  if (slot.seq > r.highestSpoken) r.highestSpoken = slot.seq
  if (batch.timeMs > r.highestTimeMs) r.highestTimeMs = batch.timeMs
  slot.prepares.add(r.config.id, r.view, digest)
}

/** Enters (seq, digest) into P for `view`; in the current view the own commit counts from here on. */
export const recordPrepared = (r: ReplicaState, slot: Slot, digest: Digest, view: View): void => {
  slot.lastPrepared = { digest, view }
  if (slot.seq > r.highestPrepared) r.highestPrepared = slot.seq
  if (view !== r.view || slot.digest !== digest) return
  slot.prepared = true
  slot.commits.add(r.config.id, view, digest)
}

/** What is common to proposed and chosen batches, once the record that backs the vote is on its way to disk. */
const enterPrePrepared = (r: ReplicaState, slot: Slot, digest: Digest, batch: Batch): void => {
  recordPrePrepared(r, slot, digest, batch)
  emit(r, { type: 'phase', phase: 'pre-prepared', view: r.view, seq: slot.seq, digest, requests: batch.requests.length })
  promise(r, { type: 'prepare', view: r.view, seq: slot.seq, digest, replica: r.config.id })
  tryPrepared(r, slot)
}

/** The pre-prepare, and matching prepares by a quorum: each is backed by a record, the primary's too. */
const tryPrepared = (r: ReplicaState, slot: Slot): void => {
  const digest = slot.digest
  if (digest === null || r.silence !== null || slot.prepared || slot.prepares.count(r.view, digest) < r.quorum) return
  if (isPrimary(r)) r.establishedView = r.view
  recordPrepared(r, slot, digest, r.view)
  persist(r, { kind: 'prepared', view: r.view, seq: slot.seq, digest })
  emit(r, { type: 'phase', phase: 'prepared', view: r.view, seq: slot.seq, digest, requests: slot.batch?.requests.length ?? 0 })
  promise(r, { type: 'commit', view: r.view, seq: slot.seq, digest, replica: r.config.id })
  if (slot.seq === r.lastExecuted + 1) r.again = true
  tryCommitted(r, slot)
}

const tryCommitted = (r: ReplicaState, slot: Slot): void => {
  const digest = slot.digest
  if (digest === null || !slot.prepared || slot.committed || slot.commits.count(r.view, digest) < r.quorum) return
  slot.committed = true
  emit(r, { type: 'phase', phase: 'committed', view: r.view, seq: slot.seq, digest, requests: slot.batch?.requests.length ?? 0 })
  r.again = true
}

/** After a restart: certificates that the votes on disk make by themselves. With n = 1 no other vote ever comes to complete them. */
export const resumeVotes = (r: ReplicaState): void => {
  if (!r.active) return
  for (const slot of r.log.all()) {
    if (slot.seq <= r.lastExecuted) continue
    tryPrepared(r, slot)
    tryCommitted(r, slot)
  }
}

/** Last sequence number that the current view's new-view decided; proposals come after it. */
export const chosenThrough = (r: ReplicaState): SeqNo =>
  r.newView === null || r.newView.view !== r.view ? asSeqNo(0) : (r.newView.chosen.at(-1)?.seq ?? r.newView.start.seq)

/** A replica that knows itself to be behind cannot tell a liar from one that is where it should be. */
const reasonAboveWindow = (r: ReplicaState): RejectionReason => {
  const isBehind = r.checkpoints.proven.seq > lowWatermark(r) || r.reports.some((report) => report.stableSeq > lowWatermark(r))
  return isBehind ? 'late' : 'outside-watermarks'
}

/**
 * Signed by the primary of its view, so any replica may relay it. With requests that are not proven here it waits, without a vote, until
 * they are or until f+1 replicas vouch for the batch.
 */
export const onPrePrepare = (r: ReplicaState, from: ReplicaId, message: PrePrepare, unverified: readonly number[]): void => {
  weighProposal(r, message)
  if (!r.active || r.silence !== null || message.seq <= lowWatermark(r)) return
  if (message.view !== r.view) return reject(r, message.view < r.view ? 'late' : 'wrong-view', 'pre-prepare', from)
  if (isPrimary(r)) return
  if (message.seq > highWatermark(r)) return reject(r, reasonAboveWindow(r), 'pre-prepare', from)
  const slot = r.log.get(message.seq)
  // What was executed is never voted on anew with another digest, whatever led there.
  const accepted = slot?.digest ?? slot?.executed ?? null
  if (slot?.digest === message.digest) return
  if ((accepted !== null && accepted !== message.digest) || message.seq <= chosenThrough(r))
    return reject(r, 'conflicting-pre-prepare', 'pre-prepare', from)
  if (r.capabilities.digest(message.batch.bytes) !== message.digest) return reject(r, 'digest-mismatch', 'pre-prepare', from)
  // Not kept: its sender shows it again when this replica's status lacks it, and by then the clock may agree.
  if (message.batch.timeMs > latestTime(r) || isTooEarly(r, message.batch)) return reject(r, 'time-out-of-bounds', 'pre-prepare', from)
  const unproven = unverified.length === 0 || isBacked(r, message.seq, message.digest) ? [] : unprovenOf(r, message, unverified)
  const waiting = r.suspended.get(message.seq)
  if (unproven.length === 0) return release(r, message)
  if (waiting === undefined) return awaitProof(r, suspend(r, message, unproven))
  if (waiting.message.digest !== message.digest) reject(r, 'conflicting-pre-prepare', 'pre-prepare', from)
}

/** Nothing speaks against it any more. */
const release = (r: ReplicaState, message: PrePrepare): void => {
  r.suspended.delete(message.seq)
  acceptBatch(r, r.log.open(message.seq), message)
}

/** The driver has checked what was left to others. */
export const onSignaturesChecked = (r: ReplicaState, seq: SeqNo, digest: Digest, holds: boolean): void => {
  const message = takeChecked(r, seq, digest, holds)
  if (message !== null) release(r, message)
}

/** This replica knows now that a client sent `request`: what waited for that goes on. */
export const releaseProven = (r: ReplicaState, request: Request): void => {
  for (const message of takeProven(r, request)) release(r, message)
}

/** The slot that a vote belongs to, or null when the vote is late, early beyond the window, or not its sender's. A commit is never late. */
const slotOfVote = (r: ReplicaState, from: ReplicaId, vote: Prepare | Commit): Slot | null => {
  if (vote.replica !== from) reject(r, 'wrong-sender', vote.type, from)
  else if (vote.view < r.view && vote.type === 'prepare') reject(r, 'late', vote.type, from)
  else if (vote.seq > highWatermark(r)) reject(r, reasonAboveWindow(r), vote.type, from)
  else if (vote.seq > lowWatermark(r)) return r.log.open(vote.seq)
  return null
}

/** Kept also when its pre-prepare or its new-view is yet to come. */
export const onPrepare = (r: ReplicaState, from: ReplicaId, vote: Prepare): void => {
  const slot = slotOfVote(r, from, vote)
  if (slot === null || !slot.prepares.add(from, vote.view, vote.digest)) return
  confront(r, slot, from, vote)
  if (!r.active || vote.view !== r.view) return
  const released = r.suspended.size === 0 ? null : takeBacked(r, vote.seq, vote.digest)
  if (released === null) tryPrepared(r, slot)
  else release(r, released)
}

/** Counts in its own view, also when that is not, or no longer, the one that this replica is in. */
export const onCommit = (r: ReplicaState, from: ReplicaId, vote: Commit): void => {
  const slot = slotOfVote(r, from, vote)
  if (slot === null || !slot.commits.add(from, vote.view, vote.digest)) return
  if (r.active && vote.view === r.view) tryCommitted(r, slot)
  learn(r, slot, vote.view, vote.digest)
}

/**
 * A quorum of commits decides whatever this replica saw of it: f+1 correct replicas have prepared this very batch, so every later
 * view chooses it. It makes a replica execute that left the view alone, or that an equivocating primary gave another batch; it
 * votes for nothing by that.
 */
const learn = (r: ReplicaState, slot: Slot, view: View, digest: Digest): void => {
  if (slot.learned !== null || slot.executed !== null || slot.commits.count(view, digest) < r.quorum) return
  slot.learned = digest
  keepSuspendedBatch(r, slot.seq, digest)
  if (!slot.committed) emit(r, { type: 'phase', phase: 'committed', view, seq: slot.seq, digest, requests: 0 })
  r.again = true
}

/** Takes up the batches that the new-view chose, as far as the window reaches; the others follow when it moves. */
export const adoptChosen = (r: ReplicaState): void => {
  const newView = r.newView
  if (newView === null || !r.active || r.silence !== null || newView.view !== r.view) return
  for (; r.adopted < newView.chosen.length; r.adopted++) {
    const entry = newView.chosen[r.adopted]
    if (entry === undefined || entry.seq > highWatermark(r)) return
    if (entry.seq <= lowWatermark(r)) continue
    const batch = r.log.batch(entry.digest)
    if (batch === undefined) {
      r.missing.set(entry.digest, entry.seq)
      continue
    }
    // A faulty primary can propose one batch twice: the bytes stay on disk as long as the later place needs them.
    if ((r.log.keptThrough(entry.digest) ?? entry.seq) < entry.seq) {
      persist(r, { kind: 'batch', seq: entry.seq, digest: entry.digest, batch })
    }
    enterPrePrepared(r, r.log.open(entry.seq), entry.digest, batch)
  }
}

/** The bytes of a batch that was asked for; anything else is ignored. */
export const onBatchData = (r: ReplicaState, message: BatchData): void => {
  if (r.missing.size === 0 && r.unseen.size === 0) return
  const digest = r.capabilities.digest(message.batch.bytes)
  const seq = r.missing.get(digest) ?? r.unseen.get(digest)
  // Several answer one status: what comes second is late, not wrong.
  if (seq === undefined) return
  r.missing.delete(digest)
  r.unseen.delete(digest)
  persist(r, { kind: 'batch', seq, digest, batch: message.batch })
  r.log.keepBatch(seq, digest, message.batch)
  r.again = true
  if (r.newView === null || !r.active || r.silence !== null) return
  for (const entry of r.newView.chosen.slice(0, r.adopted)) {
    if (entry.digest !== digest || !inWindow(r, entry.seq)) continue
    const slot = r.log.open(entry.seq)
    if (slot.digest === null) enterPrePrepared(r, slot, digest, message.batch)
  }
}
