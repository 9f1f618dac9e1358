/** Bundles of replies: handed over once when f+1 say the same bytes, each by itself when they do not. */
import { afterEach, expect, it } from 'vitest'
import { ReplyVotes } from '../../src/cluster/client/reply-votes.ts'
import { asClientId, asReplicaId, asSeqNo } from '../../src/pbft/protocol/ids.ts'
import { encodeMessage, encodeReplies } from '../../src/pbft/wire/index.ts'
import { until } from '../support/until.ts'
import { examples } from '../support/wire-examples.ts'

interface Heard {
  readonly from: readonly number[]
  readonly client: string
  readonly result: number
}

let votes: ReplyVotes
afterEach(() => votes.close())

const open = (weak = 2) => {
  const heard: Heard[] = []
  let malformed = 0
  votes = new ReplyVotes({
    weak,
    deliver: (from, { client, result }) =>
      heard.push({ from: [...from], client, result: result.kind === 'full' ? (result.bytes[0] ?? 0) : -1 }),
    malformed: () => (malformed += 1),
  })
  return { heard, malformed: () => malformed }
}

const bundle = (replica: number, seq: number, result = 1): Uint8Array =>
  encodeReplies(
    ['a/1', 'a/2'].map((client) => ({
      ...examples.reply,
      client: asClientId(client),
      replica: asReplicaId(replica),
      seq: asSeqNo(seq),
      result: { kind: 'full', bytes: Uint8Array.of(result) } as const,
    })),
  )
const say = (replica: number, seq: number, result = 1): void => votes.add(asReplicaId(replica), bundle(replica, seq, result))
const both = (from: number[], result = 1): Heard[] => ['a/1', 'a/2'].map((client) => ({ from, client, result }))

it('hands over what f+1 say alike, once', () => {
  const { heard } = open()
  say(3, 7)
  say(3, 7)
  expect(heard).toEqual([])
  say(1, 7)
  expect(heard).toEqual(both([1, 3]))
  say(0, 7)
  say(2, 7)
  expect(heard).toHaveLength(2)
})

it('hands over each by itself when they differ, before and after f+1 agreed', () => {
  const { heard } = open()
  say(3, 7, 9)
  say(1, 7)
  expect(heard).toEqual([...both([3], 9), ...both([1])])
  say(0, 7)
  expect(heard.slice(4)).toEqual(both([0]))
  heard.length = 0
  say(0, 8)
  say(1, 8)
  say(3, 8, 9)
  expect(heard).toEqual([...both([0, 1]), ...both([3], 9)])
})

it('keeps nobody waiting for replicas that say nothing', async () => {
  const { heard } = open()
  say(2, 7)
  await until(() => heard.length > 0)
  expect(heard).toEqual(both([2]))
  say(0, 7)
  expect(heard.slice(2)).toEqual(both([0]))
})

it('hands over at once where one replica is enough', () => {
  const { heard } = open(1)
  say(0, 7)
  expect(heard).toEqual(both([0]))
})

it('loses nothing of places that it has no room for any more', () => {
  const { heard } = open()
  for (let seq = 1; seq <= 70; seq++) say(1, seq)
  expect(heard).toEqual(Array.from({ length: 6 }, () => both([1])).flat())
  for (let seq = 7; seq <= 70; seq++) say(2, seq)
  expect(heard.slice(12)).toEqual(Array.from({ length: 64 }, () => both([1, 2])).flat())
})

it('takes no bundle in the name of another replica, and none that cannot be read', () => {
  const { heard, malformed } = open(1)
  votes.add(asReplicaId(2), bundle(1, 7))
  votes.add(asReplicaId(2), bundle(2, 7).slice(0, -1))
  votes.add(asReplicaId(2), encodeMessage(examples.reply))
  expect(heard).toEqual([])
  expect(malformed()).toBe(3)
})
