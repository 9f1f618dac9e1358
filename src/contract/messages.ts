/**
 * The messages of a run, as replicas recorded them: what the space-time diagram and its table show. Many at once travel as packed columns,
 * since 100,000 objects would cost more to parse than to draw.
 */
import { bytesOfBase64 } from './base64.ts'

/** Messages that one answer holds, and that a screen shows one by one: beyond it they are counted in bins. */
export const messagesMax = 120_000

/** Where a message begins or ends: a replica, or a client by its whole id (`principal/session`). */
export type MessageLane = { readonly kind: 'replica'; readonly id: number } | { readonly kind: 'client'; readonly name: string }

/**
 *  delivered   its receiver handed it to its protocol
 *  lost        a fault or a missing link ate it; `reason` says which
 *  in-flight   sent, and not (yet) seen to arrive: its receiver's recording ends before, or is not held here
 *  refused     it arrived and was not taken; `reason` says why
 */
export const messageFates = ['delivered', 'lost', 'in-flight', 'refused'] as const
export type MessageFate = (typeof messageFates)[number]

/** Recorded entries that are missing: the writer fell behind, or the oldest were dropped for space. Times are ms since the epoch. */
export interface RecordingGap {
  readonly replica: number
  readonly from: number
  readonly to: number
  /** 0: not known. */
  readonly count: number
}

export interface MessagesPage {
  /** `unpackMessages` reads it. Ascending by time of sending (of receiving where that is not known). */
  readonly packed: string
  /** What the columns index. */
  readonly lanes: readonly MessageLane[]
  /** Wire types: 'request', 'pre-prepare', 'prepare', 'commit', 'reply', 'checkpoint', 'view-change', 'new-view', 'status', ... */
  readonly kinds: readonly string[]
  readonly digests: readonly string[]
  /** Names of transport faults, rejection reasons, ids of the panel's faults. */
  readonly reasons: readonly string[]
  readonly count: number
  /** Of the window and the filter; above `count` when the limit cut some off (the last ones). */
  readonly total: number
  /** Time of the first and last recorded message of all, whatever the window; null: nothing is recorded. */
  readonly first: number | null
  readonly last: number | null
  /** Those that overlap the window. */
  readonly gaps: readonly RecordingGap[]
}

/** A page without its messages. */
export type MessagesHead = Omit<MessagesPage, 'packed'>

/** One array per field; the same index in all is one message. NaN: unknown or does not apply; an index of -1 too. */
export interface MessageColumns {
  readonly count: number
  /** Names a message to `message`; stays the same as long as it is recorded. */
  readonly id: Float64Array
  /** ms since the epoch by the host's clock, with a fraction. */
  readonly sentAt: Float64Array
  readonly receivedAt: Float64Array
  readonly seq: Float64Array
  readonly view: Float64Array
  /** Of the client's request; for requests and replies. */
  readonly timestamp: Float64Array
  /** On the wire. */
  readonly bytes: Float64Array
  /** Indices into the page's lists. */
  readonly from: Int32Array
  readonly to: Int32Array
  readonly kind: Int32Array
  readonly digest: Int32Array
  /** Index into `messageFates`. */
  readonly fate: Int32Array
  /** Index into `reasons`. */
  readonly reason: Int32Array
}

const floats = ['id', 'sentAt', 'receivedAt', 'seq', 'view', 'timestamp', 'bytes'] as const
const indices = ['from', 'to', 'kind', 'digest', 'fate', 'reason'] as const

/** Bytes of one message in the packed form. */
const rowBytes = floats.length * 8 + indices.length * 4

/**
 * The bytes of the columns, little-endian, for base64: the doubles of each field one after another, then the 32-bit integers.
 */
export const packMessages = (columns: MessageColumns): Uint8Array => {
  const { count } = columns
  const bytes = new Uint8Array(count * rowBytes)
  const view = new DataView(bytes.buffer)
  let at = 0
  for (const name of floats) for (let i = 0; i < count; i++, at += 8) view.setFloat64(at, columns[name][i] ?? NaN, true)
  for (const name of indices) for (let i = 0; i < count; i++, at += 4) view.setInt32(at, columns[name][i] ?? -1, true)
  return bytes
}

/** The columns of `MessagesPage.packed`; null when it is none. */
export const unpackMessages = (packed: string): MessageColumns | null => {
  const bytes = bytesOfBase64(packed)
  if (bytes === null || bytes.length % rowBytes !== 0) return null
  const count = bytes.length / rowBytes
  const view = new DataView(bytes.buffer)
  let at = 0
  const readFloats = (): Float64Array => {
    const column = new Float64Array(count)
    for (let i = 0; i < count; i++, at += 8) column[i] = view.getFloat64(at, true)
    return column
  }
  const readIndices = (): Int32Array => {
    const column = new Int32Array(count)
    for (let i = 0; i < count; i++, at += 4) column[i] = view.getInt32(at, true)
    return column
  }
  // In the order of `floats` and `indices`.
  return {
    count,
    id: readFloats(),
    sentAt: readFloats(),
    receivedAt: readFloats(),
    seq: readFloats(),
    view: readFloats(),
    timestamp: readFloats(),
    bytes: readFloats(),
    from: readIndices(),
    to: readIndices(),
    kind: readIndices(),
    digest: readIndices(),
    fate: readIndices(),
    reason: readIndices(),
  }
}

/** Counts for views too wide for single messages: parallel arrays, one element for each (bin, from, to, kind) that has any. */
export interface MessagesOverview {
  /** Of the window; each of `bins` is (to - from) / bins long. Bundles belong to the bin in which they were sent. */
  readonly from: number
  readonly to: number
  readonly bins: number
  readonly lanes: readonly MessageLane[]
  readonly kinds: readonly string[]
  readonly bin: readonly number[]
  readonly source: readonly number[]
  readonly target: readonly number[]
  readonly kind: readonly number[]
  readonly count: readonly number[]
  /** Of these, lost or refused. */
  readonly lost: readonly number[]
  readonly total: number
  /** Blocks of the recordings that were read for this, of how many; while fewer, counts are estimates from those, and asking again goes on. */
  readonly blocks: { readonly read: number; readonly of: number }
  readonly first: number | null
  readonly last: number | null
  readonly gaps: readonly RecordingGap[]
}

/** A message or another input of the core, as cause and effects name them; `id` where it is a recorded message. */
export interface MessageRelation {
  readonly id: number | null
  readonly kind: string
  /** What it was in English: "prepare of r2 for seq 41 in view 3", "the view-change timer". */
  readonly text: string
  readonly at: number
}

export interface MessageDetail {
  readonly id: number
  readonly kind: string
  readonly from: MessageLane
  readonly to: MessageLane
  readonly sentAt: number | null
  readonly receivedAt: number | null
  readonly view: number | null
  readonly seq: number | null
  readonly digest: string | null
  readonly client: string | null
  readonly timestamp: number | null
  readonly bytes: number
  readonly fate: MessageFate
  readonly reason: string | null
  /** The decoded message as JSON: digests and short byte strings in hex, long ones as their length; null: its bytes are not recorded. */
  readonly content: unknown
  /** What its receiver checked before its protocol saw it. `held` null: it was not seen to arrive. */
  readonly authentication: { readonly how: 'link' | 'link-and-signatures'; readonly signatures: number; readonly held: boolean | null }
  /** What its sender was doing when it made this message: the inputs of that turn that it follows from, the likeliest first. */
  readonly causes: readonly MessageRelation[]
  /** What its receiver sent in the turn in which it took this message. */
  readonly effects: readonly MessageRelation[]
}
