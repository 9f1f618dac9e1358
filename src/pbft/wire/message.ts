/** Messages <-> bytes: a tag, then the fields in a fixed order. One encoding per message, and no message per two encodings. */
import type { SeqNo } from '../protocol/ids.ts'
import type {
  AuthenticationWanted,
  BatchData,
  Commit,
  Fetch,
  Memory,
  Message,
  MetaData,
  PartitionData,
  PrePrepare,
  Prepare,
  Proposal,
  SlotStatus,
  Status,
} from '../protocol/messages.ts'
import { readBatch, writeBatch } from './batch.ts'
import {
  readClient,
  readDigest,
  readList,
  readReplica,
  readSeq,
  readTimestamp,
  readView,
  requireAscending,
  writeList,
  writeReplica,
} from './fields.ts'
import { childrenMax, clientCharsMax, entriesMax, levelsMax, messageBytesMax, partitionBytesMax, replicasMax } from './limits.ts'
import {
  readCheckpoint,
  readDisk,
  readNewView,
  readPrePrepareHeader,
  readSignature,
  readViewChange,
  writeCheckpoint,
  writeDisk,
  writeNewView,
  writePrePrepareHeader,
  writeSignature,
  writeViewChange,
} from './parts.ts'
import { Reader, type Decoded } from './reader.ts'
import { readReply, writeReply } from './reply.ts'
import { readRequest, writeRequest } from './request.ts'
import { messageTags } from './tags.ts'
import { Writer } from './writer.ts'

/** Throws a RangeError for values that have no encoding; whatever a correct core makes has one. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new Writer()
  writer.u8(messageTags[message.type])
  writeBody(writer, message)
  return writer.finish()
}

/**
 * Strict: what decodes is canonical, so encoding it again gives `bytes`. Byte strings in the message are views on `bytes`, which
 * must not change afterwards. Never throws. At most 32 MiB.
 */
export function decodeMessage(bytes: Uint8Array): Decoded<Message> {
  if (bytes.length > messageBytesMax) return { ok: false, reason: 'too-large' }
  const reader = new Reader(bytes)
  const read = readers[reader.u8()]
  if (read !== undefined) return reader.finish(read(reader))
  reader.fail('unknown-tag')
  return { ok: false, reason: bytes.length === 0 ? 'truncated' : 'unknown-tag' }
}

function writeBody(writer: Writer, message: Message): void {
  switch (message.type) {
    case 'request':
      return writeRequest(writer, message)
    case 'pre-prepare':
      return writePrePrepare(writer, message)
    case 'proposal':
      return writeProposal(writer, message)
    case 'prepare':
    case 'commit':
      return writeVote(writer, message)
    case 'reply':
      return writeReply(writer, message)
    case 'checkpoint':
      return writeCheckpoint(writer, message)
    case 'view-change':
      return writeViewChange(writer, message)
    case 'new-view':
      return writeNewView(writer, message)
    case 'status':
      return writeStatus(writer, message)
    case 'batch-data':
      return writeBatch(writer, message.batch)
    case 'fetch':
      return writeFetch(writer, message)
    case 'meta-data':
      return writeMetaData(writer, message)
    case 'data':
      return writePartitionData(writer, message)
    case 'authentication-wanted':
      return writeAuthenticationWanted(writer, message)
  }
}

const readers: Readonly<Record<number, (reader: Reader) => Message>> = {
  [messageTags.request]: readRequest,
  [messageTags['pre-prepare']]: readPrePrepare,
  [messageTags.proposal]: (reader): Proposal => ({ type: 'proposal', ...readPrePrepareHeader(reader), signature: readSignature(reader) }),
  [messageTags.prepare]: (reader) => readVote(reader, 'prepare'),
  [messageTags.commit]: (reader) => readVote(reader, 'commit'),
  [messageTags.reply]: readReply,
  [messageTags.checkpoint]: readCheckpoint,
  [messageTags['view-change']]: readViewChange,
  [messageTags['new-view']]: readNewView,
  [messageTags.status]: readStatus,
  [messageTags['batch-data']]: (reader): BatchData => ({ type: 'batch-data', batch: readBatch(reader) }),
  [messageTags.fetch]: readFetch,
  [messageTags['meta-data']]: readMetaData,
  [messageTags.data]: readPartitionData,
  [messageTags['authentication-wanted']]: readAuthenticationWanted,
}

function writePrePrepare(writer: Writer, message: PrePrepare): void {
  writePrePrepareHeader(writer, message)
  writeSignature(writer, message.signature)
  writeBatch(writer, message.batch)
}

function readPrePrepare(reader: Reader): PrePrepare {
  const header = readPrePrepareHeader(reader)
  const signature = readSignature(reader)
  return { type: 'pre-prepare', ...header, batch: readBatch(reader), signature }
}

function writeProposal(writer: Writer, message: Proposal): void {
  writePrePrepareHeader(writer, message)
  writeSignature(writer, message.signature)
}

function writeVote(writer: Writer, message: Prepare | Commit): void {
  writePrePrepareHeader(writer, message)
  writeReplica(writer, message.replica)
}

function readVote(reader: Reader, type: 'prepare' | 'commit'): Prepare | Commit {
  return { type, view: readView(reader), seq: readSeq(reader), digest: readDigest(reader), replica: readReplica(reader) }
}

function writeStatus(writer: Writer, message: Status): void {
  writeReplica(writer, message.replica)
  writer.u53(message.view)
  writer.bool(message.active)
  writer.u53(message.stableSeq)
  writer.u53(message.lastExecuted)
  writer.bool(message.findsSlow)
  writeList(writer, message.slots, entriesMax, writeSlot)
  writeList(writer, message.viewChangesFrom, replicasMax, writeReplica)
  writeList(writer, message.missingBatches, entriesMax, writeDigest)
  writer.bool(message.solicits)
  writeDisk(writer, message)
  writer.bool(message.probation)
  writer.u53(message.goal ?? 0)
  writer.u53(message.lastCheckpoint)
  writer.u53(message.lastPrepared)
  writeList(writer, message.memories, replicasMax, writeMemory)
}

function writeMemory(writer: Writer, memory: Memory): void {
  writeDisk(writer, memory)
  writer.u53(memory.view)
  writer.u53(memory.seq)
}

/** 0: none. */
function readGoal(reader: Reader): SeqNo | null {
  const goal = readSeq(reader)
  return goal === 0 ? null : goal
}

const readMemory = (reader: Reader): Memory => ({ ...readDisk(reader), view: readView(reader), seq: readSeq(reader) })

function readStatus(reader: Reader): Status {
  const replica = readReplica(reader)
  const view = readView(reader)
  const active = reader.bool()
  const stableSeq = readSeq(reader)
  const lastExecuted = readSeq(reader)
  const findsSlow = reader.bool()
  const slots = readList(reader, entriesMax, readSlot)
  requireAscending(reader, slots, (later, earlier) => later.seq > earlier.seq)
  const viewChangesFrom = readList(reader, replicasMax, readReplica)
  const missingBatches = readList(reader, entriesMax, readDigest)
  return {
    type: 'status',
    replica,
    view,
    active,
    stableSeq,
    lastExecuted,
    findsSlow,
    slots,
    viewChangesFrom,
    missingBatches,
    solicits: reader.bool(),
    ...readDisk(reader),
    probation: reader.bool(),
    goal: readGoal(reader),
    lastCheckpoint: readSeq(reader),
    lastPrepared: readSeq(reader),
    memories: readList(reader, replicasMax, readMemory),
  }
}

const prePreparedBit = 1
const preparedBit = 2
const committedBit = 4

function writeSlot(writer: Writer, slot: SlotStatus): void {
  writer.u53(slot.seq)
  writer.u8((slot.prePrepared ? prePreparedBit : 0) | (slot.prepared ? preparedBit : 0) | (slot.committed ? committedBit : 0))
}

function readSlot(reader: Reader): SlotStatus {
  const seq = readSeq(reader)
  const bits = reader.u8()
  if (bits > (prePreparedBit | preparedBit | committedBit)) reader.fail('unknown-tag')
  return { seq, prePrepared: (bits & prePreparedBit) !== 0, prepared: (bits & preparedBit) !== 0, committed: (bits & committedBit) !== 0 }
}

function writeDigest(writer: Writer, digest: string): void {
  writer.digest(digest)
}

function writeFetch(writer: Writer, message: Fetch): void {
  writer.u53(message.seq)
  writer.digest(message.root)
  writeNode(writer, message)
}

function readFetch(reader: Reader): Fetch {
  return { type: 'fetch', seq: readSeq(reader), root: readDigest(reader), level: readLevel(reader), index: reader.u32() }
}

function writeMetaData(writer: Writer, message: MetaData): void {
  writer.u53(message.seq)
  writeNode(writer, message)
  writeList(writer, message.children, childrenMax, writeDigest)
}

function readMetaData(reader: Reader): MetaData {
  const seq = readSeq(reader)
  const level = readLevel(reader)
  const index = reader.u32()
  return { type: 'meta-data', seq, level, index, children: readList(reader, childrenMax, readDigest) }
}

function writeNode(writer: Writer, node: Pick<Fetch, 'level' | 'index'>): void {
  if (!(node.level < levelsMax)) throw new RangeError(`level ${node.level} is not below ${levelsMax}`)
  writer.u8(node.level)
  writer.u32(node.index)
}

function readLevel(reader: Reader): number {
  const level = reader.u8()
  if (level >= levelsMax) reader.fail('out-of-range')
  return level
}

function writePartitionData(writer: Writer, message: PartitionData): void {
  writer.u53(message.seq)
  writer.u32(message.index)
  writer.bytes(message.bytes, partitionBytesMax)
}

function readPartitionData(reader: Reader): PartitionData {
  return { type: 'data', seq: readSeq(reader), index: reader.u32(), bytes: reader.bytes(partitionBytesMax) }
}

function writeAuthenticationWanted(writer: Writer, message: AuthenticationWanted): void {
  writer.text(message.client, clientCharsMax)
  writer.u53(message.timestamp)
}

function readAuthenticationWanted(reader: Reader): AuthenticationWanted {
  return { type: 'authentication-wanted', client: readClient(reader), timestamp: readTimestamp(reader) }
}
