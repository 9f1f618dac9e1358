/** Certificates and proofs inside view-changes, new-views and records. */
import type {
  CertificateEntry,
  Checkpoint,
  CheckpointEntry,
  NewView,
  PrePrepare,
  StableCheckpoint,
  Unsigned,
  ViewChange,
} from '../protocol/messages.ts'
import type { KnownDisk } from '../protocol/records.ts'
import { readDigest, readList, readReplica, readSeq, readView, requireAscending, writeList, writeReplica } from './fields.ts'
import { entriesMax, replicasMax, signatureBytesMax } from './limits.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

/** View, sequence number and digest: what the primary signs, and the whole body of votes but for their sender. */
export function writePrePrepareHeader(writer: Writer, header: Pick<PrePrepare, 'view' | 'seq' | 'digest'>): void {
  writer.u53(header.view)
  writer.u53(header.seq)
  writer.digest(header.digest)
}

export function readPrePrepareHeader(reader: Reader): Pick<PrePrepare, 'view' | 'seq' | 'digest'> {
  return { view: readView(reader), seq: readSeq(reader), digest: readDigest(reader) }
}

export function writeUnsignedCheckpoint(writer: Writer, message: Unsigned<Checkpoint>): void {
  writer.u53(message.seq)
  writer.digest(message.digest)
  writeReplica(writer, message.replica)
}

export function writeCheckpoint(writer: Writer, message: Checkpoint): void {
  writeUnsignedCheckpoint(writer, message)
  writeSignature(writer, message.signature)
}

export function readCheckpoint(reader: Reader): Checkpoint {
  return {
    type: 'checkpoint',
    seq: readSeq(reader),
    digest: readDigest(reader),
    replica: readReplica(reader),
    signature: readSignature(reader),
  }
}

export function writeStable(writer: Writer, stable: StableCheckpoint): void {
  writer.u53(stable.seq)
  writer.digest(stable.digest)
  writeList(writer, stable.proof, replicasMax, writeCheckpoint)
}

export function readStable(reader: Reader): StableCheckpoint {
  return { seq: readSeq(reader), digest: readDigest(reader), proof: readList(reader, replicasMax, readCheckpoint) }
}

export function writeUnsignedViewChange(writer: Writer, message: Unsigned<ViewChange>): void {
  writer.u53(message.view)
  writeReplica(writer, message.replica)
  writer.u53(message.incarnation)
  writeStable(writer, message.stable)
  writeList(writer, message.checkpoints, entriesMax, writeCheckpointEntry)
  writeCertificates(writer, message.prepared)
  writeCertificates(writer, message.prePrepared)
}

export function writeViewChange(writer: Writer, message: ViewChange): void {
  writeUnsignedViewChange(writer, message)
  writeSignature(writer, message.signature)
}

export function readUnsignedViewChange(reader: Reader): Unsigned<ViewChange> {
  const view = readView(reader)
  const replica = readReplica(reader)
  const incarnation = reader.u53()
  const stable = readStable(reader)
  const checkpoints = readList(reader, entriesMax, readCheckpointEntry)
  requireAscending(reader, checkpoints, isLaterSeq)
  const prepared = readPreparedEntries(reader)
  const prePrepared = readPrePreparedEntries(reader)
  return { type: 'view-change', view, replica, incarnation, stable, checkpoints, prepared, prePrepared }
}

export function readViewChange(reader: Reader): ViewChange {
  const unsigned = readUnsignedViewChange(reader)
  return { ...unsigned, signature: readSignature(reader) }
}

export function writeUnsignedNewView(writer: Writer, message: Unsigned<NewView>): void {
  writer.u53(message.view)
  writeReplica(writer, message.replica)
  writeList(writer, message.viewChanges, replicasMax, writeViewChange)
  writeCheckpointEntry(writer, message.start)
  writeList(writer, message.chosen, entriesMax, writeCheckpointEntry)
}

export function writeNewView(writer: Writer, message: NewView): void {
  writeUnsignedNewView(writer, message)
  writeSignature(writer, message.signature)
}

export function readNewView(reader: Reader): NewView {
  const view = readView(reader)
  const replica = readReplica(reader)
  const viewChanges = readList(reader, replicasMax, readViewChange)
  requireAscending(reader, viewChanges, isHigherReplica)
  const start = readCheckpointEntry(reader)
  const chosen = readList(reader, entriesMax, readCheckpointEntry)
  requireAscending(reader, chosen, isLaterSeq)
  return { type: 'new-view', view, replica, viewChanges, start, chosen, signature: readSignature(reader) }
}

export function writeSignature(writer: Writer, signature: Uint8Array): void {
  writer.shortBytes(signature, signatureBytesMax)
}

export const readSignature = (reader: Reader): Uint8Array => reader.shortBytes(signatureBytesMax)

function writeCheckpointEntry(writer: Writer, entry: CheckpointEntry): void {
  writer.u53(entry.seq)
  writer.digest(entry.digest)
}

const readCheckpointEntry = (reader: Reader): CheckpointEntry => ({ seq: readSeq(reader), digest: readDigest(reader) })

function writeCertificateEntry(writer: Writer, entry: CertificateEntry): void {
  writer.u53(entry.seq)
  writer.digest(entry.digest)
  writer.u53(entry.view)
}

export function writeCertificates(writer: Writer, entries: readonly CertificateEntry[]): void {
  writeList(writer, entries, entriesMax, writeCertificateEntry)
}

/** P: one entry per sequence number. */
export function readPreparedEntries(reader: Reader): CertificateEntry[] {
  const prepared = readList(reader, entriesMax, readCertificateEntry)
  requireAscending(reader, prepared, isLaterSeq)
  return prepared
}

/** Q: one entry per sequence number and digest. */
export function readPrePreparedEntries(reader: Reader): CertificateEntry[] {
  const prePrepared = readList(reader, entriesMax, readCertificateEntry)
  requireAscending(reader, prePrepared, isLaterSeqOrDigest)
  return prePrepared
}

const readCertificateEntry = (reader: Reader): CertificateEntry => ({
  seq: readSeq(reader),
  digest: readDigest(reader),
  view: readView(reader),
})

/** A replica's incarnation, and from which view on it votes under it. */
export function writeDisk(writer: Writer, disk: KnownDisk): void {
  writer.u53(disk.incarnation)
  writer.bool(disk.since !== null)
  writer.u53(disk.since ?? 0)
}

export function readDisk(reader: Reader): KnownDisk {
  const incarnation = reader.u53()
  const isKnown = reader.bool()
  const since = readView(reader)
  if (!isKnown && since !== 0) reader.fail('out-of-range')
  return { incarnation, since: isKnown ? since : null }
}

const isLaterSeq = (later: CheckpointEntry, earlier: CheckpointEntry): boolean => later.seq > earlier.seq

// Lower-case hex of one length compares as its bytes do.
const isLaterSeqOrDigest = (later: CheckpointEntry, earlier: CheckpointEntry): boolean =>
  later.seq > earlier.seq || (later.seq === earlier.seq && later.digest > earlier.digest)

const isHigherReplica = (later: ViewChange, earlier: ViewChange): boolean => later.replica > earlier.replica
