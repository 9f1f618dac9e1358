/** The few fields by which an observer tells messages apart. */
import type { ClientId, ClientTimestamp, Digest, SeqNo, View } from '../protocol/ids.ts'
import type { Message } from '../protocol/messages.ts'
import { readClient, readDigest, readSeq, readTimestamp, readView } from './fields.ts'
import { clientCharsMax } from './limits.ts'
import type { Reader } from './reader.ts'
import { messageTags } from './tags.ts'
import type { Writer } from './writer.ts'

/** null: a message of that type has no such field. */
export interface MessageHead {
  readonly type: Message['type']
  readonly view: View | null
  readonly seq: SeqNo | null
  readonly digest: Digest | null
  readonly client: ClientId | null
  readonly timestamp: ClientTimestamp | null
}

const typesByTag: Readonly<Record<number, Message['type']>> = Object.fromEntries(
  Object.entries(messageTags).map(([type, tag]) => [tag, type as Message['type']]),
)

/** The type that a message's first byte stands for; null: none. */
export const messageTypeOf = (tag: number): Message['type'] | null => typesByTag[tag] ?? null

const fieldOf = <T>(message: Message, name: string): T | null => (name in message ? (message as unknown as Record<string, T>)[name]! : null)

/** By the names of the fields, so that it holds for every type of message that has them. */
export const headOf = (message: Message): MessageHead => ({
  type: message.type,
  view: fieldOf(message, 'view'),
  seq: fieldOf(message, 'seq'),
  digest: fieldOf(message, 'digest'),
  client: fieldOf(message, 'client'),
  timestamp: fieldOf(message, 'timestamp'),
})

const viewBit = 1
const seqBit = 2
const digestBit = 4
const clientBit = 8
const timestampBit = 16

export function writeHead(writer: Writer, head: MessageHead): void {
  const { view, seq, digest, client, timestamp } = head
  writer.u8(messageTags[head.type])
  writer.u8(
    (view === null ? 0 : viewBit) |
      (seq === null ? 0 : seqBit) |
      (digest === null ? 0 : digestBit) |
      (client === null ? 0 : clientBit) |
      (timestamp === null ? 0 : timestampBit),
  )
  if (view !== null) writer.u53(view)
  if (seq !== null) writer.u53(seq)
  if (digest !== null) writer.digest(digest)
  if (client !== null) writer.text(client, clientCharsMax)
  if (timestamp !== null) writer.u53(timestamp)
}

export function readHead(reader: Reader): MessageHead {
  const type = messageTypeOf(reader.u8())
  if (type === null) reader.fail('unknown-tag')
  const bits = reader.u8()
  if (bits > 31) reader.fail('unknown-tag')
  return {
    type: type ?? 'status',
    view: (bits & viewBit) === 0 ? null : readView(reader),
    seq: (bits & seqBit) === 0 ? null : readSeq(reader),
    digest: (bits & digestBit) === 0 ? null : readDigest(reader),
    client: (bits & clientBit) === 0 ? null : readClient(reader),
    timestamp: (bits & timestampBit) === 0 ? null : readTimestamp(reader),
  }
}
