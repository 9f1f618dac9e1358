/**
 * The start interlock: when a replica may vote after a start (SPEC, I19 to I23).
 *
 * Roll call: with its disk kept, it first asks whether its peers remember more of it than the disk does; then the disk is an old copy.
 * Probation: with its disk lost, it may contradict what it has promised. It learns and fetches, but casts no vote and answers no
 * client until a stable checkpoint lies so high that nothing that it may have voted for is above it (the estimation of TOCS 2002,
 * section 5.3), and a quorum has made durable that the words of its old disk are void.
 */
import { assertThat } from './assert.ts'
import { noteDisk, setDisk, spokenSeq } from './disks.ts'
import { asSeqNo, asView, type ReplicaId, type SeqNo } from './ids.ts'
import type { Status } from './messages.ts'
import { resumeVotes } from './ordering.ts'
import type { LossReason } from './records.ts'
import { emit, lowWatermark, persist, primary, promise, type PeerReport, type ReplicaState } from './state.ts'
import { solicit } from './status.ts'
import type { DiskOrigin, ProbationState } from './steps.ts'
import { resign, startViewChange } from './view-change.ts'

/** A peer's word that this replica's incarnation was higher is believed up to this far ahead of the clock, ms: ten years. */
const INCARNATION_AHEAD_MAX_MS = 315_360_000_000

/** First of all in a run: `disk` says what the driver found. */
export const beginRun = (r: ReplicaState, disk: DiskOrigin): void => {
  assertThat(disk === 'lost' || (disk === 'kept') === r.incarnation > 0, 'a disk is kept exactly when it was born')
  if (disk === 'genesis') {
    r.since = asView(0)
    bear(r, Math.max(1, Math.floor(r.nowMs)), null)
  } else if (disk === 'lost') loseDisk(r, 'no-disk')
  if (r.endedInOrder) persist(r, { kind: 'started' })
  if (disk === 'kept' && r.silence === null && r.peers.length > 0) r.silence = { kind: 'roll-call', view: r.view, seq: spokenSeq(r) }
  solicit(r)
  if (r.silence === null) resume(r)
  r.again = true
}

/** What a crash interrupted goes on. */
const resume = (r: ReplicaState): void => {
  resumeVotes(r)
  resign(r)
  const own = r.viewChanges.get(r.config.id)
  if (!r.active && own !== undefined) promise(r, own)
  r.again = true
}

const bear = (r: ReplicaState, incarnation: number, lost: LossReason | null): void => {
  r.incarnation = incarnation
  persist(r, { kind: 'born', incarnation, since: r.since, lost })
  setDisk(r, r.config.id, { incarnation, since: r.since })
}

const report = (r: ReplicaState, state: 'began' | 'waiting' | 'ended', reason: LossReason, until: SeqNo | null): void => {
  emit(r, { type: 'probation', state, reason, until, incarnation: r.incarnation })
}

/** From here on this replica is another one, as far as its votes go. */
const loseDisk = (r: ReplicaState, reason: LossReason): void => {
  r.silence = { kind: 'probation', reason, until: null }
  r.since = null
  r.restarted = true
  for (const peer of r.reports) peer.named = null
  r.suspended.clear()
  // The view that the old disk wanted is no longer its business.
  r.viewChanges.delete(r.config.id)
  if (!r.active) {
    r.view = r.newView?.view ?? asView(0)
    r.active = true
  }
  bear(r, Math.max(1, Math.floor(r.nowMs), r.incarnation + 1), reason)
  report(r, 'began', reason, null)
  r.again = true
}

/** Reads what a status says of disks; false when nothing else in it is to be taken either. */
export const noteStatus = (r: ReplicaState, from: ReplicaId, status: Status): boolean => {
  const peer = r.reports[from]
  if (peer === undefined || status.replica !== from || !noteDisk(r, from, peer, status)) return false
  peer.answered = true
  peer.ofMe = status.memories[r.config.id] ?? null
  peer.probation = status.probation
  peer.goal = status.probation ? status.goal : null
  peer.goalAtMs = r.nowMs
  if (r.silence !== null) r.again = true
  if (r.silence?.kind === 'probation') noteNamed(peer, status)
  else if (isForgetful(r)) loseDisk(r, 'old-disk')
  else if (r.silence === null && r.active && status.probation && from === primary(r)) {
    startViewChange(r, asView(r.view + 1), { kind: 'primary-lost' })
  }
  return true
}

/** The lowest and the highest that a peer has named count: progress meanwhile must not move the goal. */
const noteNamed = (peer: PeerReport, status: Status): void => {
  const { lastCheckpoint: checkpoint, lastPrepared: prepared } = status
  if (status.probation) peer.named = null
  else if (peer.named === null) peer.named = { checkpoint, prepared }
  else {
    if (checkpoint < peer.named.checkpoint) peer.named.checkpoint = checkpoint
    if (prepared > peer.named.prepared) peer.named.prepared = prepared
  }
}

/** f+1 peers, so a correct one, have heard more of this very disk than it remembers: it is an old copy. */
const isForgetful = (r: ReplicaState): boolean => {
  // What it learns before it votes is no memory.
  const { view, seq } = r.silence?.kind === 'roll-call' ? r.silence : { view: r.view, seq: spokenSeq(r) }
  let count = 0
  for (const { ofMe } of r.reports) {
    if (ofMe !== null && ofMe.incarnation === r.incarnation && (ofMe.view > view || ofMe.seq > seq)) count++
  }
  return count >= r.weak
}

/** Ends what keeps this replica silent as soon as it may. */
export const settleSilence = (r: ReplicaState): void => {
  const { silence } = r
  if (silence === null) return
  if (silence.kind === 'probation') return settleProbation(r, silence)
  if (r.reports.filter((peer) => peer.answered).length < r.quorum - 1) return
  r.silence = null
  resume(r)
}

const settleProbation = (r: ReplicaState, silence: Extract<ReplicaState['silence'], { kind: 'probation' }>): void => {
  outgrowIncarnation(r, silence.reason)
  const until = goal(r)
  if (until !== silence.until) {
    silence.until = until
    report(r, 'waiting', silence.reason, until)
  }
  if (until === null || lowWatermark(r) < until || !r.active || r.transfer !== null) return
  if (r.since === null) {
    r.since = r.view
    bear(r, r.incarnation, silence.reason)
    solicit(r)
  }
  if (acknowledgements(r) < enough(r)) return
  r.silence = null
  bear(r, r.incarnation, null)
  report(r, 'ended', silence.reason, until)
  resume(r)
}

/** Peers on whose disk it is that words of this replica's old disk are void in views above this one. */
const acknowledgements = (r: ReplicaState): number =>
  r.reports.filter(({ ofMe }) => ofMe !== null && ofMe.incarnation === r.incarnation && ofMe.since !== null && ofMe.since <= r.view).length

/** A clock that was set back can give a new disk a lower number than the lost one had; peers know that one. */
const outgrowIncarnation = (r: ReplicaState, reason: LossReason): void => {
  let highest = 0
  for (const { ofMe } of r.reports) {
    if (ofMe === null || ofMe.incarnation > r.nowMs + INCARNATION_AHEAD_MAX_MS) continue
    // The number is this one's own as long as no disk has voted under it.
    const isOther = ofMe.incarnation > r.incarnation || (ofMe.incarnation === r.incarnation && ofMe.since !== null && r.since === null)
    if (isOther) highest = Math.max(highest, ofMe.incarnation)
  }
  if (highest === 0) return
  r.since = null
  bear(r, highest + 1, reason)
}

/**
 * So many peers that, of those who signed a checkpoint with this replica, a correct one is among them: n - q + f + 1. With four
 * replicas that is all the others; with this one lost, they are also what a quorum takes.
 */
const enough = (r: ReplicaState): number => r.config.n - r.quorum + r.weak

/**
 * M + L. M is a checkpoint that `enough` peers have not passed and that f+1 have prepared: as a quorum had signed h of the lost disk,
 * one of the former names at least h; and as one of the latter is correct, no liar puts it out of reach. Null until they have said so.
 */
const goal = (r: ReplicaState): SeqNo | null => {
  const named = r.reports.flatMap((peer) => peer.named ?? [])
  const checkpoints = named.map(({ checkpoint }) => checkpoint).sort((a, b) => a - b)
  const estimate = checkpoints[enough(r) - 1]
  if (estimate === undefined || named.filter(({ prepared }) => prepared >= estimate).length < r.weak) return null
  return asSeqNo(estimate + r.config.logWindow)
}

export const probationState = (r: ReplicaState): ProbationState | null => {
  if (r.silence?.kind !== 'probation') return null
  return { until: r.silence.until, heard: r.reports.filter((peer) => peer.named !== null).length, needed: enough(r) }
}
