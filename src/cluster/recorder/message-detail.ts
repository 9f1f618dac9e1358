/** One recorded message in full: what is in it, whether it was authentic, what led to it and what it led to. */
import type { MessageDetail, MessageRelation } from '../../contract/messages.ts'
import type { Message } from '../../pbft/protocol/messages.ts'
import { headOf, signedParts, type RecordedEntry, type Timed } from '../../pbft/wire/index.ts'
import { idOf, positionOfId, replicaOfId, type Hop } from './hops.ts'
import type { RunMessages } from './run-messages.ts'

/** A message and its sending or receipt lie at most so far apart to be joined here, ms. */
const reachMs = 1_000
const relationsMax = 50
/** Byte strings up to this length are shown whole. */
const shownBytesMax = 64
/** Elements of one list, and characters of one text, that are shown. */
const shownElementsMax = 1_000

interface Placed {
  readonly position: number
  readonly entry: Timed<RecordedEntry>
}

/** null: there is no such message, or it is not recorded any more. */
export const messageDetail = async (
  messages: RunMessages,
  id: number,
  cluster: { readonly n: number; readonly clusterId: string },
): Promise<MessageDetail | null> => {
  const replica = replicaOfId(id)
  const found = entryAt(messages, replica, positionOfId(id))
  if (found === null) return null
  const at = found.entry.at - messages.offsetMs(replica)
  const hop = (await messages.around(at, at + 1, reachMs)).find((one) => one.id === id)
  if (hop === undefined) return null
  const taken = hop.takenAt === null ? null : entryAt(messages, hop.takenAt.replica, hop.takenAt.position)
  const message = taken?.entry.kind === 'input' ? messageOf(taken.entry) : null
  const { sentFrom, takenAt, ...shown } = hop
  const signatures = message === null ? 0 : signedParts(message, cluster.n, cluster.clusterId).length
  return {
    ...shown,
    content: message === null ? null : jsonOf(message),
    authentication: { how: signatures > 0 ? 'link-and-signatures' : 'link', signatures, held: heldOf(hop, message !== null) },
    causes: sentFrom === null ? [] : causesOf(messages, sentFrom.replica, sentFrom.position, hop),
    effects: takenAt === null || message === null ? [] : effectsOf(messages, takenAt.replica, takenAt.position, hop),
  }
}

/** The core only sees what was authentic. */
const heldOf = (hop: Hop, isTaken: boolean): boolean | null => {
  if (isTaken) return true
  return hop.reason === 'bad-signature' ? false : null
}

const messageOf = (entry: Extract<RecordedEntry, { kind: 'input' }>): Message | null => {
  if (entry.input.type === 'message') return entry.input.message
  return entry.input.type === 'request' ? entry.input.request : null
}

/** Byte strings in hex, or their length; long lists and texts cut with a note. */
export const jsonOf = (value: unknown): unknown => {
  if (value instanceof Uint8Array) {
    if (value.length > shownBytesMax) return { bytes: value.length }
    return Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex')
  }
  if (Array.isArray(value)) {
    const shown = value.slice(0, shownElementsMax).map(jsonOf)
    return value.length > shown.length ? [...shown, { more: value.length - shown.length }] : shown
  }
  if (value instanceof Map) return jsonOf([...value].map(([key, element]) => ({ key: key as unknown, value: element as unknown })))
  if (value instanceof Set) return jsonOf([...value])
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, element]) => [key, jsonOf(element)]))
  }
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value
}

const blockIndexOf = (messages: RunMessages, replica: number, position: number): number =>
  messages.segments(replica)?.blocks.findIndex((block) => position >= block.position && position < block.position + block.count) ?? -1

const entryAt = (messages: RunMessages, replica: number, position: number): Placed | null => {
  const segments = messages.segments(replica)
  const block = segments?.blocks[blockIndexOf(messages, replica, position)]
  if (segments === null || block === undefined) return null
  const entry = segments.load(block)?.[position - block.position] ?? null
  return entry === null ? null : { position, entry }
}

/** The entries around a position: those of its block and of the ones next to it. */
const around = (messages: RunMessages, replica: number, position: number): Placed[] => {
  const segments = messages.segments(replica)
  const index = blockIndexOf(messages, replica, position)
  if (segments === null || index < 0) return []
  return segments.blocks
    .slice(Math.max(0, index - 1), index + 2)
    .flatMap((block) =>
      (segments.load(block) ?? []).flatMap((entry, i) => (entry === null ? [] : [{ position: block.position + i, entry }])),
    )
}

/**
 * The turn of the replica's driver that an entry belongs to: inputs up to `drained`, and what left until the next input. What was sent in
 * it follows from something in it.
 */
const turnOf = (placed: readonly Placed[], position: number): readonly Placed[] => {
  let start = 0
  let isAfterDrained = false
  for (const [i, { position: here, entry }] of placed.entries()) {
    if (entry.kind !== 'input') continue
    if (isAfterDrained) {
      if (here > position) return placed.slice(start, i)
      start = i
    }
    isAfterDrained = entry.input.type === 'drained'
  }
  return placed.slice(start)
}

const causesOf = (messages: RunMessages, replica: number, position: number, hop: Hop): MessageRelation[] => {
  const inputs = turnOf(around(messages, replica, position), position).filter(
    ({ position: here, entry }) => entry.kind === 'input' && entry.input.type !== 'drained' && here < position,
  )
  const related = inputs.map((placed) => ({ placed, isSame: isSameSeq(placed.entry, hop) }))
  // The latest of the same sequence number is the likeliest.
  const ordered = [...related.filter(({ isSame }) => isSame).reverse(), ...related.filter(({ isSame }) => !isSame).reverse()]
  return ordered.slice(0, relationsMax).map(({ placed }) => relationOf(messages, replica, placed))
}

const effectsOf = (messages: RunMessages, replica: number, position: number, hop: Hop): MessageRelation[] => {
  const sends = turnOf(around(messages, replica, position), position).filter(
    ({ position: here, entry }) => entry.kind === 'sent' && here > position,
  )
  const ordered = [...sends.filter(({ entry }) => isSameSeq(entry, hop)), ...sends.filter(({ entry }) => !isSameSeq(entry, hop))]
  return ordered.slice(0, relationsMax).map((placed) => relationOf(messages, replica, placed))
}

const headOfEntry = (entry: RecordedEntry) => {
  if (entry.kind === 'sent') return entry.head
  const message = entry.kind === 'input' ? messageOf(entry) : null
  return message === null ? null : headOf(message)
}

const isSameSeq = (entry: RecordedEntry, hop: Hop): boolean => {
  const head = headOfEntry(entry)
  if (head === null) return false
  if (hop.seq !== null && hop.kind !== 'reply') return head.seq === hop.seq
  return hop.client !== null && head.client === hop.client && head.timestamp === hop.timestamp
}

const relationOf = (messages: RunMessages, replica: number, { position, entry }: Placed): MessageRelation => {
  const head = headOfEntry(entry)
  // A sending names the message to its first receiver.
  const receiver = entry.kind === 'sent' ? (entry.to[0]?.replica ?? null) : null
  return {
    id: head === null ? null : idOf(replica, position, receiver),
    kind: head?.type ?? (entry.kind === 'input' ? entry.input.type : entry.kind),
    text: textOf(entry, replica),
    at: entry.at - messages.offsetMs(replica),
  }
}

const textOf = (entry: RecordedEntry, replica: number): string => {
  const head = headOfEntry(entry)
  if (head !== null) {
    const from =
      entry.kind === 'input' && entry.input.type === 'message' ? `r${entry.input.from}` : entry.kind === 'sent' ? `r${replica}` : null
    const parts = [
      from === null ? '' : ` of ${from}`,
      head.seq === null ? '' : ` for seq ${head.seq}`,
      head.view === null ? '' : ` in view ${head.view}`,
      head.client === null ? '' : ` of ${head.client}, timestamp ${head.timestamp ?? '?'}`,
    ]
    return `${head.type}${parts.join('')}`
  }
  if (entry.kind !== 'input') return entry.kind
  switch (entry.input.type) {
    case 'timer':
      return `the ${entry.input.timer} timer`
    case 'connected':
      return `the link to r${entry.input.peer} came up`
    case 'operator':
      return `the operator asked for ${entry.input.command.kind}`
    case 'start':
      return 'the replica started'
    default:
      return entry.input.type
  }
}
