/**
 * Recovery: replays what the disk hands back, in its order, so that the replica is in the view it was in and contradicts no
 * vote that it may have sent. Nothing is sent meanwhile.
 */
import { assertThat } from './assert.ts'
import { noteOwn, takeCheckpoint } from './checkpoints.ts'
import { proposalOf } from './evidence.ts'
import { asSeqNo, type Digest, type SeqNo } from './ids.ts'
import type { Batch, Checkpoint, NewView } from './messages.ts'
import { recordPrepared, recordPrePrepared } from './ordering.ts'
import type { LogRecord, Persisted } from './records.ts'
import { emit, highWatermark, inWindow, lowWatermark, type ReplicaState } from './state.ts'

type RecordOf<K extends LogRecord['kind']> = Extract<LogRecord, { readonly kind: K }>

const lastOf = <K extends LogRecord['kind']>(records: readonly LogRecord[], kind: K): RecordOf<K> | null =>
  records.findLast((record): record is RecordOf<K> => record.kind === kind) ?? null

/** Brings a state that is at genesis to what `persisted` says. Throws when the records contradict themselves; damaged partitions are repaired. */
export const restore = (r: ReplicaState, persisted: Persisted): void => {
  const { records } = persisted
  r.endedInOrder = records.at(-1)?.kind === 'stopped'
  r.restarted = records.length > 0 && !r.endedInOrder
  const born = lastOf(records, 'born')
  if (born !== null) {
    r.incarnation = born.incarnation
    r.since = born.since
    if (born.lost !== null) r.silence = { kind: 'probation', reason: born.lost, until: null }
  }
  r.disks = lastOf(records, 'disks')?.disks ?? r.disks
  const stable = lastOf(records, 'stable')
  if (stable !== null) {
    r.checkpoints.stable = stable.stable
    r.checkpoints.proven = stable.stable
  }
  const base = lastOf(records, 'checkpoint')
  if (base !== null) loadBase(r, base, persisted)
  for (const record of records) replay(r, record)
  r.highestSpoken = spokenBy(r, records)
  assertThat(r.lastExecuted >= lowWatermark(r), 'the disk leads to the state of its stable checkpoint')
  r.highestOrdered = asSeqNo(Math.max(r.highestOrdered, r.lastExecuted))
  r.again = true
}

/** The highest sequence number of any record: nothing higher was ever spoken of. */
const spokenBy = (r: ReplicaState, records: readonly LogRecord[]): SeqNo => {
  let highest: number = Math.max(r.highestSpoken, r.lastExecuted)
  for (const record of records) if ('seq' in record && record.seq > highest) highest = record.seq
  return asSeqNo(highest)
}

/** The state as of the last checkpoint taken. */
const loadBase = (r: ReplicaState, base: RecordOf<'checkpoint'>, persisted: Persisted): void => {
  for (const { index, bytes } of persisted.partitions) r.replicated.load(index, bytes)
  r.lastExecuted = base.message.seq
  if (r.replicated.root() !== base.message.digest) return repairBase(r, base.message)
  r.replicated.forgetChanges()
  const snapshot = r.replicated.snapshot()
  r.checkpoints.held.set(base.message.seq, { message: base.message, snapshot, takenAtMs: 0, fetchedAtMs: Number.NEGATIVE_INFINITY })
}

/**
 * The partitions on disk are not those of their checkpoint (I29). What this replica has promised lies in its records, which are whole; the
 * root lies there too, so the peers' partitions can be checked against it. All of them are written anew with the next checkpoint record.
 */
const repairBase = (r: ReplicaState, { seq, digest }: Checkpoint): void => {
  assertThat(r.peers.length > 0, 'the partitions on disk have the digest of their checkpoint, or peers that have them')
  const { stable } = r.checkpoints
  r.repair = stable.seq === seq ? stable : { seq, digest, proof: [] }
  r.damage = { seq, repaired: false }
  emit(r, { type: 'damaged', seq, expected: digest, found: r.replicated.root() })
}

const replay = (r: ReplicaState, record: LogRecord): void => {
  switch (record.kind) {
    case 'pre-prepared':
      return replayPrePrepared(r, record)
    case 'prepared':
      return replayPrepared(r, record)
    case 'executed':
      return replayExecuted(r, record)
    case 'batch':
      return replayBatch(r, record.seq, record.digest, record.batch)
    case 'view-change':
      // That of a disk that was lost binds this one to nothing.
      if (record.message.view < r.view || record.message.incarnation !== r.incarnation) return
      r.view = record.message.view
      r.active = false
      r.missing.clear()
      r.viewChanges.set(r.config.id, record.message)
      return
    case 'new-view':
      replayCertificates(r, record)
      return replayNewView(r, record.message)
    case 'checkpoint':
      // The last one is loaded already, with its state.
      return noteOwn(r, record.message)
    case 'stable':
    case 'born':
    case 'disks':
    case 'stopped':
    case 'started':
      return
  }
}

const replayPrePrepared = (r: ReplicaState, record: RecordOf<'pre-prepared'>): void => {
  const { view, seq, digest, batch, signature } = record
  if (!inWindow(r, seq)) return
  const slot = r.log.open(seq)
  if (r.active && view === r.view) {
    slot.prePrepare = { type: 'pre-prepare', view, seq, digest, batch, signature }
    slot.proposal = proposalOf(slot.prePrepare)
    recordPrePrepared(r, slot, digest, batch)
    return
  }
  // Of a view whose new-view is no longer on disk: it counts for Q all the same.
  r.log.keepBatch(seq, digest, batch)
  r.log.notePrePrepared(slot, digest, view)
}

const replayPrepared = (r: ReplicaState, record: RecordOf<'prepared'>): void => {
  const { view, seq, digest } = record
  if (!inWindow(r, seq)) return
  recordPrepared(r, r.log.open(seq), digest, view)
}

/** Executes again what came after the checkpoint; determinism makes it the same state. */
const replayExecuted = (r: ReplicaState, record: RecordOf<'executed'>): void => {
  const { seq, digest, batch } = record
  assertThat(r.capabilities.digest(batch.bytes) === digest, 'an executed batch on disk has its digest')
  if (inWindow(r, seq)) {
    const slot = r.log.open(seq)
    assertThat(slot.executed === null || slot.executed === digest, 'one batch is executed under one sequence number')
    slot.executed = digest
    r.log.keepBatch(seq, digest, batch)
  }
  // On a damaged state nothing is executed; the batch waits in its slot for the repair.
  if (r.repair !== null || seq !== r.lastExecuted + 1) return
  r.replicated.execute(seq, batch)
  r.lastExecuted = seq
  // Its checkpoint record did not reach the disk.
  if (seq % r.config.checkpointInterval === 0) takeCheckpoint(r, false)
}

const replayBatch = (r: ReplicaState, seq: SeqNo, digest: Digest, batch: Batch): void => {
  if (!inWindow(r, seq)) return
  r.log.keepBatch(seq, digest, batch)
  r.missing.delete(digest)
  if (!r.active || r.newView === null) return
  for (const entry of r.newView.chosen) {
    if (entry.digest === digest && inWindow(r, entry.seq)) recordPrePrepared(r, r.log.open(entry.seq), digest, batch)
  }
}

/** P and Q as they were when the view was entered. */
const replayCertificates = (r: ReplicaState, record: RecordOf<'new-view'>): void => {
  for (const { seq, digest, view } of record.prepared) {
    if (!inWindow(r, seq)) continue
    const slot = r.log.open(seq)
    if ((slot.lastPrepared?.view ?? -1) < view) recordPrepared(r, slot, digest, view)
  }
  // The latest view last, as they were entered.
  for (const { seq, digest, view } of record.prePrepared.toSorted((a, b) => a.view - b.view)) {
    if (inWindow(r, seq)) r.log.notePrePrepared(r.log.open(seq), digest, view)
  }
}

const replayNewView = (r: ReplicaState, newView: NewView): void => {
  if (newView.view < r.view) return
  r.view = newView.view
  r.active = true
  r.newView = newView
  r.viewChanges.clear()
  r.missing.clear()
  r.log.leaveView()
  r.highestOrdered = asSeqNo(Math.max(newView.start.seq, newView.chosen.at(-1)?.seq ?? 0))
  r.adopted = newView.chosen.findIndex((entry) => entry.seq > highWatermark(r))
  if (r.adopted < 0) r.adopted = newView.chosen.length
  for (const entry of newView.chosen.slice(0, r.adopted)) {
    if (entry.seq <= lowWatermark(r)) continue
    const batch = r.log.batch(entry.digest)
    if (batch === undefined) r.missing.set(entry.digest, entry.seq)
    else recordPrePrepared(r, r.log.open(entry.seq), entry.digest, batch)
  }
}
