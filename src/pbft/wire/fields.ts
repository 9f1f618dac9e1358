/** Fields that several messages share. */
import { asClientId, asClientTimestamp, asDigest, asReplicaId, asSeqNo, asView } from '../protocol/ids.ts'
import type { ClientId, ClientTimestamp, Digest, ReplicaId, SeqNo, View } from '../protocol/ids.ts'
import { clientCharsMax, replicasMax } from './limits.ts'
import type { Reader } from './reader.ts'
import type { Writer } from './writer.ts'

export const readView = (reader: Reader): View => asView(reader.u53())
export const readSeq = (reader: Reader): SeqNo => asSeqNo(reader.u53())
export const readTimestamp = (reader: Reader): ClientTimestamp => asClientTimestamp(reader.u53())
export const readDigest = (reader: Reader): Digest => asDigest(reader.digest())
export const readClient = (reader: Reader): ClientId => asClientId(reader.text(clientCharsMax))

export function readReplica(reader: Reader): ReplicaId {
  const id = reader.u8()
  if (id >= replicasMax) reader.fail('out-of-range')
  return asReplicaId(id)
}

export function writeReplica(writer: Writer, id: ReplicaId): void {
  if (!(id < replicasMax)) throw new RangeError(`replica id ${id} is not below ${replicasMax}`)
  writer.u8(id)
}

/** A count, then that many elements; stops at the first failure. */
export function readList<T>(reader: Reader, max: number, readElement: (reader: Reader) => T): T[] {
  const count = reader.count(max)
  const list: T[] = []
  for (let i = 0; i < count && !reader.failed; i++) list.push(readElement(reader))
  return list
}

export function writeList<T>(writer: Writer, list: readonly T[], max: number, writeElement: (writer: Writer, element: T) => void): void {
  writer.count(list.length, max)
  for (const element of list) writeElement(writer, element)
}

/** Rejects a list of which some element does not come strictly after the one before it. */
export function requireAscending<T>(reader: Reader, list: readonly T[], isAfter: (later: T, earlier: T) => boolean): void {
  for (let i = 1; i < list.length; i++) if (!isAfter(list[i]!, list[i - 1]!)) return reader.fail('not-ascending')
}
