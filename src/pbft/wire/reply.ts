/**
 * Replies, one by one and bundled: what one replica says to the sessions behind one link about one place in the order. In a bundle the
 * sender, the view and the place stand once, and two replicas that say the same say it in the same bytes but for their own id and for whether it is final.
 */
import type { ReplicaId, SeqNo } from '../protocol/ids.ts'
import type { Reply } from '../protocol/messages.ts'
import { readClient, readDigest, readReplica, readSeq, readTimestamp, readView, writeReplica } from './fields.ts'
import { clientCharsMax, entriesMax, messageBytesMax, resultBytesMax } from './limits.ts'
import { Reader, type Decoded } from './reader.ts'
import { repliesTag } from './tags.ts'
import { Writer } from './writer.ts'

const fullResult = 0
const digestResult = 1

export function writeReply(writer: Writer, message: Reply): void {
  writer.u53(message.view)
  writer.u53(message.seq)
  writer.text(message.client, clientCharsMax)
  writer.u53(message.timestamp)
  writeReplica(writer, message.replica)
  writer.bool(message.tentative)
  writeResult(writer, message.result)
}

export function readReply(reader: Reader): Reply {
  const view = readView(reader)
  const seq = readSeq(reader)
  const client = readClient(reader)
  const timestamp = readTimestamp(reader)
  const replica = readReplica(reader)
  const tentative = reader.bool()
  return { type: 'reply', view, seq, client, timestamp, replica, tentative, result: readResult(reader) }
}

function writeResult(writer: Writer, result: Reply['result']): void {
  if (result.kind === 'full') {
    writer.u8(fullResult)
    writer.bytes(result.bytes, resultBytesMax)
  } else {
    writer.u8(digestResult)
    writer.digest(result.digest)
  }
}

function readResult(reader: Reader): Reply['result'] {
  const kind = reader.u8()
  if (kind === fullResult) return { kind: 'full', bytes: reader.bytes(resultBytesMax) }
  if (kind !== digestResult) reader.fail('unknown-tag')
  return { kind: 'digest', digest: readDigest(reader) }
}

/** Whether two replies may stand in one bundle. */
export const areBundled = (a: Reply, b: Reply): boolean =>
  a.seq === b.seq && a.view === b.view && a.replica === b.replica && a.tentative === b.tentative

/** A bundle of two replies or more that agree in what `areBundled` compares. Throws a RangeError for what has no encoding. */
export function encodeReplies(replies: readonly Reply[]): Uint8Array {
  const [first] = replies
  if (first === undefined || replies.length < 2) throw new RangeError(`a bundle of ${replies.length} replies`)
  const writer = new Writer()
  writer.u8(repliesTag)
  writeReplica(writer, first.replica)
  writer.bool(first.tentative)
  writer.u53(first.view)
  writer.u53(first.seq)
  writer.count(replies.length, entriesMax)
  for (const reply of replies) {
    if (!areBundled(first, reply)) throw new RangeError('replies of different senders, views or places are no bundle')
    writer.text(reply.client, clientCharsMax)
    writer.u53(reply.timestamp)
    writeResult(writer, reply.result)
  }
  return writer.finish()
}

export const isBundle = (bytes: Uint8Array): boolean => bytes[0] === repliesTag

/** Where in a bundle begins what another replica that says the same, tentatively or not, says in the same bytes. */
export const sharedFrom = 3

export interface RepliesHead {
  readonly replica: ReplicaId
  readonly tentative: boolean
  readonly seq: SeqNo
}

/** Who sent a bundle, and of which place it speaks, without a look at the rest; null: these bytes are none. */
export function headOfReplies(bytes: Uint8Array): RepliesHead | null {
  const reader = new Reader(bytes)
  if (reader.u8() !== repliesTag) return null
  const replica = readReplica(reader)
  const tentative = reader.bool()
  readView(reader)
  const seq = readSeq(reader)
  return reader.failed ? null : { replica, tentative, seq }
}

/** Strict; results are views on `bytes`, which must not change afterwards. Never throws. At most 32 MiB. */
export function decodeReplies(bytes: Uint8Array): Decoded<readonly Reply[]> {
  if (bytes.length > messageBytesMax) return { ok: false, reason: 'too-large' }
  const reader = new Reader(bytes)
  if (reader.u8() !== repliesTag) reader.fail('unknown-tag')
  const replica = readReplica(reader)
  const tentative = reader.bool()
  const view = readView(reader)
  const seq = readSeq(reader)
  const count = reader.count(entriesMax)
  // One reply has an encoding of its own.
  if (count < 2) reader.fail('out-of-range')
  const replies: Reply[] = []
  for (let i = 0; i < count && !reader.failed; i++) {
    const client = readClient(reader)
    const timestamp = readTimestamp(reader)
    replies.push({ type: 'reply', view, seq, client, timestamp, replica, tentative, result: readResult(reader) })
  }
  return reader.finish(replies)
}
