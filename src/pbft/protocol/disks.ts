/**
 * Whose disk is whose. Each disk has an incarnation, which grows when a replica loses what it had; peers remember it durably and say
 * so in their status. By that a replica whose disk was wiped, or put back from an old copy, cannot speak against itself: what its
 * lost disk promised about later views is void (SPEC, I19 to I23).
 */
import { asSeqNo, type ReplicaId, type SeqNo, type View } from './ids.ts'
import type { Memory, NewView, ReplicaMessage, Status, ViewChange } from './messages.ts'
import type { KnownDisk } from './records.ts'
import { emit, isYounger, lowWatermark, persist, type PeerReport, type ReplicaState } from './state.ts'

/** A peer's disk is taken for another one at most once in this many status periods: each time costs a record. */
const DISK_CHANGE_PERIODS = 10

const NO_DISK: KnownDisk = { incarnation: 0, since: null }

export const diskOf = (r: ReplicaState, replica: number): KnownDisk => r.disks[replica] ?? NO_DISK

/** Said by a disk that its replica has lost since, of a view in which the new one votes: two of them would be two replicas. */
export const isVoid = (r: ReplicaState, viewChange: ViewChange): boolean => {
  const { incarnation, since } = diskOf(r, viewChange.replica)
  return viewChange.incarnation < incarnation && since !== null && viewChange.view > since
}

export const restsOnVoid = (r: ReplicaState, newView: NewView): boolean => newView.viewChanges.some((viewChange) => isVoid(r, viewChange))

/** Remembers a disk, for good, and drops what is void by it. */
export const setDisk = (r: ReplicaState, replica: ReplicaId, disk: KnownDisk): void => {
  r.disks = r.disks.map((known, id) => (id === replica ? disk : known))
  persist(r, { kind: 'disks', disks: r.disks })
  const held = r.viewChanges.get(replica)
  if (held !== undefined && isVoid(r, held)) r.viewChanges.delete(replica)
}

const hear = (report: PeerReport | undefined, view: View, seq: SeqNo): void => {
  if (report === undefined) return
  if (view > report.heardView) report.heardView = view
  if (seq > report.heardSeq) report.heardSeq = seq
}

/** What a replica's words show that it must remember itself; view-changes are signed, so that it does not matter who relays them. */
export const noteSpoken = (r: ReplicaState, from: ReplicaId, message: ReplicaMessage): void => {
  if (message.type === 'prepare' || message.type === 'commit') {
    if (message.replica === from) hear(r.reports[from], message.view, message.seq)
  } else if (message.type === 'view-change' && message.incarnation === diskOf(r, message.replica).incarnation) {
    hear(r.reports[message.replica], message.view, asSeqNo(0))
  }
}

/** Takes the disk of a status's sender as it says; false when the status is to be left alone: of a lost disk, or too soon after a change. */
export const noteDisk = (r: ReplicaState, from: ReplicaId, report: PeerReport, status: Status): boolean => {
  const known = diskOf(r, from)
  const { incarnation, since } = status
  if (incarnation < known.incarnation) return false
  if (incarnation > known.incarnation) {
    if (isYounger(r, report.diskChangedAtMs, DISK_CHANGE_PERIODS * r.config.statusIntervalMs)) return false
    if (known.incarnation > 0) emit(r, { type: 'disk-changed', replica: from, incarnation })
    report.diskChangedAtMs = r.nowMs
    report.heardView = status.view
    report.heardSeq = asSeqNo(0)
    report.named = null
    setDisk(r, from, { incarnation, since })
  } else if (known.since === null && since !== null) setDisk(r, from, { incarnation, since })
  // In its roll call it has learned what it tells, and would take its own words for what it forgot.
  if (since !== null) hear(report, status.view, status.lastExecuted)
  return true
}

/** The last checkpoint that this replica has taken, and that is on its disk before any status says so. */
const lastCheckpoint = (r: ReplicaState): SeqNo => {
  const own = r.checkpoints.received[r.config.id]?.at(-1)?.seq ?? 0
  return asSeqNo(Math.max(own, lowWatermark(r)))
}

/** Highest sequence number that this replica has spoken of, or may have. */
export const spokenSeq = (r: ReplicaState): SeqNo => asSeqNo(Math.max(r.highestSpoken, r.lastExecuted))

type DiskStatus = Pick<Status, 'incarnation' | 'since' | 'probation' | 'goal' | 'lastCheckpoint' | 'lastPrepared' | 'memories'>

/** What a status says of disks. */
export const diskStatus = (r: ReplicaState): DiskStatus => ({
  incarnation: r.incarnation,
  since: r.silence?.kind === 'roll-call' ? null : r.since,
  probation: r.silence?.kind === 'probation',
  goal: r.silence?.kind === 'probation' ? r.silence.until : null,
  lastCheckpoint: lastCheckpoint(r),
  lastPrepared: asSeqNo(Math.max(r.highestPrepared, r.lastExecuted)),
  memories: r.reports.map((report, id): Memory => ({ ...diskOf(r, id), view: report.heardView, seq: report.heardSeq })),
})
