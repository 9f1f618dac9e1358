/** Log records <-> bytes, for the disk. */
import type { LogRecord, LossReason } from '../protocol/records.ts'
import { readBatch, writeBatch } from './batch.ts'
import { readDigest, readList, readSeq, writeList } from './fields.ts'
import { entriesMax, replicasMax, resultBytesMax } from './limits.ts'
import {
  readCheckpoint,
  readDisk,
  readNewView,
  readPreparedEntries,
  readPrePreparedEntries,
  readPrePrepareHeader,
  readSignature,
  readStable,
  readViewChange,
  writeCertificates,
  writeCheckpoint,
  writeDisk,
  writeNewView,
  writePrePrepareHeader,
  writeSignature,
  writeStable,
  writeViewChange,
} from './parts.ts'
import { Reader, type Decoded } from './reader.ts'
import { recordTags } from './tags.ts'
import { Writer } from './writer.ts'

/**
 * The bytes of a record. Those of a `checkpoint` record leave out its partitions, which the disk keeps apart by index
 * (the last write wins). Throws a RangeError for values that have no encoding.
 */
export function encodeRecord(record: LogRecord): Uint8Array {
  const writer = new Writer()
  writer.u8(recordTags[record.kind])
  writeBody(writer, record)
  return writer.finish()
}

/**
 * A `checkpoint` record comes back without partitions. Byte strings are views on `bytes`. Never throws: a reason means that the
 * disk's content is not what was written.
 */
export function decodeRecord(bytes: Uint8Array): Decoded<LogRecord> {
  const reader = new Reader(bytes)
  const read = readers[reader.u8()]
  if (read !== undefined) return reader.finish(read(reader))
  return { ok: false, reason: bytes.length === 0 ? 'truncated' : 'unknown-tag' }
}

function writeBody(writer: Writer, record: LogRecord): void {
  switch (record.kind) {
    case 'pre-prepared':
      writePrePrepareHeader(writer, record)
      writeSignature(writer, record.signature)
      return writeBatch(writer, record.batch)
    case 'prepared':
      return writePrePrepareHeader(writer, record)
    case 'executed':
      writePrePrepareHeader(writer, record)
      writeBatch(writer, record.batch)
      return writeList(writer, record.results, entriesMax, writeResult)
    case 'batch':
      writer.u53(record.seq)
      writer.digest(record.digest)
      return writeBatch(writer, record.batch)
    case 'view-change':
      return writeViewChange(writer, record.message)
    case 'new-view':
      writeNewView(writer, record.message)
      writeCertificates(writer, record.prepared)
      return writeCertificates(writer, record.prePrepared)
    case 'checkpoint':
      writeCheckpoint(writer, record.message)
      writer.u53(record.timeMs)
      return writer.bool(record.transferred)
    case 'stable':
      return writeStable(writer, record.stable)
    case 'born':
      writeDisk(writer, record)
      return writer.u8(record.lost === null ? 0 : 1 + lossReasons.indexOf(record.lost))
    case 'stopped':
    case 'started':
      return
    case 'disks':
      return writeList(writer, record.disks, replicasMax, writeDisk)
  }
}

const readers: Readonly<Record<number, (reader: Reader) => LogRecord>> = {
  [recordTags['pre-prepared']]: readPrePrepared,
  [recordTags.prepared]: (reader) => ({ kind: 'prepared', ...readPrePrepareHeader(reader) }),
  [recordTags.executed]: readExecuted,
  [recordTags.batch]: (reader) => ({ kind: 'batch', seq: readSeq(reader), digest: readDigest(reader), batch: readBatch(reader) }),
  [recordTags['view-change']]: (reader) => ({ kind: 'view-change', message: readViewChange(reader) }),
  [recordTags['new-view']]: (reader) => ({
    kind: 'new-view',
    message: readNewView(reader),
    prepared: readPreparedEntries(reader),
    prePrepared: readPrePreparedEntries(reader),
  }),
  [recordTags.checkpoint]: readCheckpointRecord,
  [recordTags.stable]: (reader) => ({ kind: 'stable', stable: readStable(reader) }),
  [recordTags.born]: (reader) => ({ kind: 'born', ...readDisk(reader), lost: readLoss(reader) }),
  [recordTags.stopped]: () => ({ kind: 'stopped' }),
  [recordTags.started]: () => ({ kind: 'started' }),
  [recordTags.disks]: (reader) => ({ kind: 'disks', disks: readList(reader, replicasMax, readDisk) }),
}

const lossReasons: readonly LossReason[] = ['no-disk', 'old-disk']

function readLoss(reader: Reader): LossReason | null {
  const at = reader.u8()
  if (at === 0) return null
  const reason = lossReasons[at - 1]
  if (reason === undefined) reader.fail('unknown-tag')
  return reason ?? null
}

function readPrePrepared(reader: Reader): LogRecord {
  const header = readPrePrepareHeader(reader)
  const signature = readSignature(reader)
  return { kind: 'pre-prepared', ...header, batch: readBatch(reader), signature }
}

function readExecuted(reader: Reader): LogRecord {
  const header = readPrePrepareHeader(reader)
  const batch = readBatch(reader)
  return { kind: 'executed', ...header, batch, results: readList(reader, entriesMax, readOneResult) }
}

function readCheckpointRecord(reader: Reader): LogRecord {
  const message = readCheckpoint(reader)
  const timeMs = reader.u53()
  return { kind: 'checkpoint', message, timeMs, partitions: [], transferred: reader.bool() }
}

function writeResult(writer: Writer, result: Uint8Array): void {
  writer.bytes(result, resultBytesMax)
}

const readOneResult = (reader: Reader): Uint8Array => reader.bytes(resultBytesMax)
