/** What a replica tells of a state of its own that was not the one agreed on: where it differed first, in names instead of bytes. */
import type { DifferingPartition, ProtocolEvent } from '../pbft/protocol/steps.ts'
import { REPLY_PARTITIONS } from '../pbft/protocol/reply-cache.ts'
import { partitionDifference } from '../pbft/service/index.ts'

type Differed = Extract<ProtocolEvent, { type: 'differed' }>

/** Of keys that are named, and of their UTF-16 units. */
const keysMax = 8
const keyUnitsMax = 100

export interface ToldDifference {
  readonly type: 'differed'
  readonly seq: number
  /** Index in the partition tree of the first that differs. */
  readonly partition: number
  readonly part: 'store' | 'accounts' | 'total' | 'replies' | 'time'
  /** The first of those that differ in it. */
  readonly keys: readonly string[]
  readonly keysOf: number
  /** Partitions that differ, of as many as there are. */
  readonly count: number
  readonly total: number
}

/** After the service's partitions come those of the reply cache, then one with the time. */
const firstDifference = (
  { index, own, agreed }: DifferingPartition,
  total: number,
): Pick<ToldDifference, 'part'> & { readonly keys: readonly string[] } =>
  partitionDifference(index, own, agreed) ?? { part: index === total - 1 ? 'time' : 'replies', keys: [] }

/** Of an event with at least one partition; the service has the first `servicePartitions` of the state's. */
export const toldDifference = ({ seq, partitions }: Differed, servicePartitions: number): ToldDifference => {
  const [first] = partitions
  if (first === undefined) throw new Error('a difference has a first partition')
  const total = servicePartitions + REPLY_PARTITIONS + 1
  const { part, keys } = firstDifference(first, total)
  const named = keys.slice(0, keysMax).map((key) => (key.length > keyUnitsMax ? `${key.slice(0, keyUnitsMax)}…` : key))
  return { type: 'differed', seq, partition: first.index, part, keys: named, keysOf: keys.length, count: partitions.length, total }
}
