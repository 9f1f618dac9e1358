/**
 * Entries of a replica's recording <-> bytes: what its core was given, in order, with its times, and in short what left. Whoever has the
 * entries from a `start` on can run the core again: it is deterministic, and the signatures that it made are among them.
 */
import type { DiskOrigin, OperatorCommand, Input, TimerName } from '../protocol/steps.ts'
import type { Digest, ReplicaId, SeqNo } from '../protocol/ids.ts'
import type { Message, ReplicaMessage } from '../protocol/messages.ts'
import { readDigest, readList, readReplica, readSeq, writeList, writeReplica } from './fields.ts'
import { crc32 } from './crc32.ts'
import { headOf, readHead, writeHead, type MessageHead } from './head.ts'
import { entriesMax, messageBytesMax, partitionBytesMax, replicasMax, signatureBytesMax } from './limits.ts'
import { decodeMessage, encodeMessage } from './message.ts'
import { Reader, type Decoded } from './reader.ts'
import { decodeReplies } from './reply.ts'
import { recordedTags } from './tags.ts'
import type { Writer } from './writer.ts'

/**
 * What became of a message on its way out of its sender; `held`: a fault delays it, what happened then is not known; `withheld`: its sender
 * found that it is not signed as it says.
 */
export const sendFates = ['sent', 'held', 'cut', 'loss', 'corrupt', 'no-link', 'clients-cut', 'no-client', 'withheld'] as const
export type SendFate = (typeof sendFates)[number]

const textMax = 1_024
const jsonMax = 65_535

export type RecordedEntry =
  /** The first of each file. */
  | { readonly kind: 'segment'; readonly clusterId: string; readonly replica: ReplicaId }
  /** A process began. `config` is the core's, as JSON. What it found on its disk follows, when `whole`; else it was too much. */
  | { readonly kind: 'start'; readonly config: string; readonly whole: boolean }
  /** A record or partition of the disk, in the order in which the disk gave them. */
  | { readonly kind: 'record'; readonly bytes: Uint8Array }
  | { readonly kind: 'partition'; readonly index: number; readonly bytes: Uint8Array }
  /** The core's input and clock. `bytes`: those of its message on the wire; empty where there is none. */
  | { readonly kind: 'input'; readonly nowMs: number; readonly input: Input; readonly bytes: Uint8Array }
  /** The core's last step (or its restoring) signed something. */
  | { readonly kind: 'signed'; readonly signature: Uint8Array }
  /** The core refused its last input. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** The core took a checkpoint: what another run of the same inputs has to come to. */
  | { readonly kind: 'checkpoint'; readonly seq: SeqNo; readonly digest: Digest }
  /** A message left, or should have; to replicas or, for a reply, to its client (`to` is empty then). `sum`: CRC-32 of its bytes. */
  | {
      readonly kind: 'sent'
      readonly head: MessageHead
      readonly size: number
      readonly sum: number
      readonly to: readonly { readonly replica: ReplicaId; readonly fate: SendFate }[]
      readonly fate: SendFate
    }
  /** A message that came over a link and was kept from the core. `from`: a replica's number or a principal's name. */
  | {
      readonly kind: 'refused'
      readonly from: string
      readonly reason: string
      readonly type: number
      readonly size: number
      readonly sum: number
    }
  /** What an operator makes this replica do wrong from now on: the contract's transport faults as JSON. */
  | { readonly kind: 'faults'; readonly faults: string }
  /** The process ended as it should. */
  | { readonly kind: 'end' }

/** ms since the epoch, with a fraction, beside the entry. */
export type Timed<T> = T & { readonly at: number }

/** The fields of every input that `encodeInputHead` covers: a new one does not compile until it is written too. */
interface Covered {
  start: 'type' | 'disk'
  message: 'type' | 'from' | 'message' | 'unverified'
  request: 'type' | 'request' | 'isUnverified'
  'signatures-checked': 'type' | 'seq' | 'digest' | 'holds'
  timer: 'type' | 'timer'
  connected: 'type' | 'peer'
  drained: 'type'
  operator: 'type' | 'command'
  stop: 'type'
}
type Uncovered = {
  [T in Input['type']]: Exclude<keyof Extract<Input, { type: T }>, Covered[T]>
}[Input['type']]
const nothingUncovered: [Uncovered] extends [never] ? 1 : never = 1
const inputTags = {
  start: nothingUncovered,
  message: 2,
  request: 3,
  timer: 4,
  connected: 5,
  drained: 6,
  operator: 7,
  stop: 8,
  'signatures-checked': 9,
} as const

const timers = ['view-change', 'status', 'fetch', 'proof'] as const satisfies readonly TimerName[]
const allTimers: [Exclude<TimerName, (typeof timers)[number]>] extends [never] ? typeof timers : never = timers
const commands = ['change-view'] as const satisfies readonly OperatorCommand['kind'][]
const allCommands: [Exclude<OperatorCommand['kind'], (typeof commands)[number]>] extends [never] ? typeof commands : never = commands

const disks = ['genesis', 'kept', 'lost'] as const satisfies readonly DiskOrigin[]
const allDisks: [Exclude<DiskOrigin, (typeof disks)[number]>] extends [never] ? typeof disks : never = disks

function begin(writer: Writer, tag: number, at: number): void {
  writer.u8(tag)
  writer.u53(Math.round(at * 1_000))
}

/**
 * The entry of an input; `wire`: the bytes in which its message came, null: it is encoded anew. `at` in ms. Throws a RangeError for what has
 * no encoding.
 */
export function writeInput(writer: Writer, input: Input, nowMs: number, wire: Uint8Array | null, at: number): void {
  begin(writer, recordedTags.input, at)
  writer.u53(nowMs)
  writer.u8(inputTags[input.type])
  switch (input.type) {
    case 'message':
      writeReplica(writer, input.from)
      writeList(writer, input.unverified ?? [], entriesMax, writeIndex)
      break
    case 'request':
      writer.bool(input.isUnverified === true)
      break
    case 'signatures-checked':
      writer.u53(input.seq)
      writer.digest(input.digest)
      writer.bool(input.holds)
      break
    case 'timer':
      writer.u8(allTimers.indexOf(input.timer))
      break
    case 'connected':
      writeReplica(writer, input.peer)
      break
    case 'operator':
      writer.u8(allCommands.indexOf(input.command.kind))
      break
    case 'start':
      writer.u8(allDisks.indexOf(input.disk))
      break
    case 'drained':
    case 'stop':
      return
  }
  if (wire !== null) writer.fixed(wire)
  else if (input.type === 'message') writer.fixed(encodeMessage(input.message))
  else if (input.type === 'request') writer.fixed(encodeMessage(input.request))
}
const none = new Uint8Array(0)

/**
 * A bundle of replies that was handed to a client's link: it is recorded as it left, and read as one `sent` for each reply in it, which so
 * counts as many entries.
 */
export function writeReplies(writer: Writer, bundle: Uint8Array, at: number): void {
  begin(writer, recordedTags.replies, at)
  writer.fixed(bundle)
}

export type ShortEntry = Exclude<RecordedEntry, { kind: 'input' }>

const writeIndex = (writer: Writer, index: number): void => writer.u32(index)

/** Any other entry. Throws a RangeError for what has no encoding. */
export function writeEntry(writer: Writer, entry: ShortEntry, at: number): void {
  begin(writer, recordedTags[entry.kind], at)
  switch (entry.kind) {
    case 'segment':
      writer.text(entry.clusterId, 64)
      writeReplica(writer, entry.replica)
      break
    case 'start':
      writer.text(entry.config, jsonMax)
      writer.bool(entry.whole)
      break
    case 'record':
      writer.bytes(entry.bytes, messageBytesMax * 2)
      break
    case 'partition':
      writer.u32(entry.index)
      writer.bytes(entry.bytes, partitionBytesMax)
      break
    case 'signed':
      writer.shortBytes(entry.signature, signatureBytesMax)
      break
    case 'rejected':
      writer.text(entry.reason, textMax)
      break
    case 'checkpoint':
      writer.u53(entry.seq)
      writer.digest(entry.digest)
      break
    case 'sent':
      writeHead(writer, entry.head)
      writer.u32(entry.size)
      writer.u32(entry.sum)
      writer.u8(sendFates.indexOf(entry.fate))
      writer.u8(entry.to.length)
      for (const { replica, fate } of entry.to) {
        writeReplica(writer, replica)
        writer.u8(sendFates.indexOf(fate))
      }
      break
    case 'refused':
      writer.text(entry.from, textMax)
      writer.text(entry.reason, textMax)
      writer.u8(entry.type)
      writer.u32(entry.size)
      writer.u32(entry.sum)
      break
    case 'faults':
      writer.text(entry.faults, jsonMax)
      break
    case 'end':
      break
  }
}

/** One entry, or the several that a bundle of replies stands for. Strict; never throws. Byte strings are views on `bytes`. */
export function decodeEntries(bytes: Uint8Array): Decoded<readonly Timed<RecordedEntry>[]> {
  const reader = new Reader(bytes)
  const tag = reader.u8()
  const at = reader.u53() / 1_000
  if (tag === recordedTags.replies) return decodeBundle(reader, at)
  const read = entryReaders[tag]
  if (read === undefined) return { ok: false, reason: 'unknown-tag' }
  return reader.finish([{ ...read(reader), at }])
}

function decodeBundle(reader: Reader, at: number): Decoded<readonly Timed<RecordedEntry>[]> {
  const decoded = decodeReplies(reader.fixed(reader.rest().length))
  if (!decoded.ok) return decoded
  const entries = decoded.value.map((reply): Timed<RecordedEntry> => {
    const alone = encodeMessage(reply)
    return { kind: 'sent', head: headOf(reply), size: alone.length, sum: crc32(alone), to: [], fate: 'sent', at }
  })
  return reader.finish(entries)
}

const readFate = (reader: Reader): SendFate => {
  const fate = sendFates[reader.u8()]
  if (fate === undefined) reader.fail('unknown-tag')
  return fate ?? 'sent'
}

const entryReaders: Readonly<Record<number, (reader: Reader) => RecordedEntry>> = {
  [recordedTags.segment]: (reader) => ({ kind: 'segment', clusterId: reader.text(64), replica: readReplica(reader) }),
  [recordedTags.start]: (reader) => ({ kind: 'start', config: reader.text(jsonMax), whole: reader.bool() }),
  [recordedTags.record]: (reader) => ({ kind: 'record', bytes: reader.bytes(messageBytesMax * 2) }),
  [recordedTags.partition]: (reader) => ({ kind: 'partition', index: reader.u32(), bytes: reader.bytes(partitionBytesMax) }),
  [recordedTags.input]: readInput,
  [recordedTags.signed]: (reader) => ({ kind: 'signed', signature: reader.shortBytes(signatureBytesMax) }),
  [recordedTags.rejected]: (reader) => ({ kind: 'rejected', reason: reader.text(textMax) }),
  [recordedTags.checkpoint]: (reader) => ({ kind: 'checkpoint', seq: readSeq(reader), digest: readDigest(reader) }),
  [recordedTags.sent]: readSent,
  [recordedTags.refused]: (reader) => ({
    kind: 'refused',
    from: reader.text(textMax),
    reason: reader.text(textMax),
    type: reader.u8(),
    size: reader.u32(),
    sum: reader.u32(),
  }),
  [recordedTags.faults]: (reader) => ({ kind: 'faults', faults: reader.text(jsonMax) }),
  [recordedTags.end]: () => ({ kind: 'end' }),
}

function readSent(reader: Reader): RecordedEntry {
  const head = readHead(reader)
  const size = reader.u32()
  const sum = reader.u32()
  const fate = readFate(reader)
  const count = reader.u8()
  if (count > replicasMax) reader.fail('too-large')
  const to: { replica: ReplicaId; fate: SendFate }[] = []
  for (let i = 0; i < count && !reader.failed; i++) to.push({ replica: readReplica(reader), fate: readFate(reader) })
  return { kind: 'sent', head, size, sum, to, fate }
}

function readInput(reader: Reader): RecordedEntry {
  const nowMs = reader.u53()
  const tag = reader.u8()
  switch (tag) {
    case inputTags.start:
      return { kind: 'input', nowMs, input: { type: 'start', disk: readOneOf(reader, allDisks) }, bytes: none }
    case inputTags.stop:
      return { kind: 'input', nowMs, input: { type: 'stop' }, bytes: none }
    case inputTags.drained:
      return { kind: 'input', nowMs, input: { type: 'drained' }, bytes: none }
    case inputTags['signatures-checked']: {
      const input = { type: 'signatures-checked', seq: readSeq(reader), digest: readDigest(reader), holds: reader.bool() } as const
      return { kind: 'input', nowMs, input, bytes: none }
    }
    case inputTags.timer:
      return { kind: 'input', nowMs, input: { type: 'timer', timer: readOneOf(reader, allTimers) }, bytes: none }
    case inputTags.connected:
      return { kind: 'input', nowMs, input: { type: 'connected', peer: readReplica(reader) }, bytes: none }
    case inputTags.operator:
      return { kind: 'input', nowMs, input: { type: 'operator', command: { kind: readOneOf(reader, allCommands) } }, bytes: none }
    case inputTags.message: {
      const from = readReplica(reader)
      const unverified = readList(reader, entriesMax, (one) => one.u32())
      const { message, bytes } = readMessage(reader)
      const input = { type: 'message', from, message: message as ReplicaMessage } as const
      return { kind: 'input', nowMs, input: unverified.length === 0 ? input : { ...input, unverified }, bytes }
    }
    case inputTags.request: {
      const isUnverified = reader.bool()
      const { message, bytes } = readMessage(reader)
      if (message.type !== 'request') break
      const input = { type: 'request', request: message } as const
      return { kind: 'input', nowMs, input: isUnverified ? { ...input, isUnverified } : input, bytes }
    }
    default:
      break
  }
  reader.fail('unknown-tag')
  return { kind: 'end' }
}

function readOneOf<T>(reader: Reader, values: readonly [T, ...T[]]): T {
  const value = values[reader.u8()]
  if (value === undefined) reader.fail('unknown-tag')
  return value ?? values[0]
}

/** All that is left is the message. */
function readMessage(reader: Reader): { readonly message: Message; readonly bytes: Uint8Array } {
  const bytes = reader.fixed(reader.rest().length)
  const decoded = decodeMessage(bytes)
  if (decoded.ok) return { message: decoded.value, bytes }
  reader.fail(decoded.reason)
  return { message: placeholder, bytes }
}
const placeholder: Message = { type: 'status' } as Message
