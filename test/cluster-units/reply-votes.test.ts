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
  readonly tentative: boolean
}

let votes: ReplyVotes
afterEach(() => votes.close())

const open = (n = 4) => {
  const heard: Heard[] = []
  let malformed = 0
  votes = new ReplyVotes({
    n,
    deliver: (from, { client, result, tentative }) =>
      heard.push({ from: [...from], client, result: result.kind === 'full' ? (result.bytes[0] ?? 0) : -1, tentative }),
    malformed: () => (malformed += 1),
  })
  return { heard, malformed: () => malformed }
}

const bundle = (replica: number, seq: number, result = 1, tentative = false): Uint8Array =>
  encodeReplies(
    ['a/1', 'a/2'].map((client) => ({
      ...examples.reply,
      client: asClientId(client),
      replica: asReplicaId(replica),
      seq: asSeqNo(seq),
      tentative,
      result: { kind: 'full', bytes: Uint8Array.of(result) } as const,
    })),
  )
const say = (replica: number, seq: number, result = 1, tentative = false): void =>
  votes.add(asReplicaId(replica), bundle(replica, seq, result, tentative))
const both = (from: number[], result = 1, tentative = false): Heard[] =>
  ['a/1', 'a/2'].map((client) => ({ from, client, result, tentative }))

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

it('hands over what is tentative when a quorum says it, or as final when f+1 do', () => {
  const { heard } = open()
  say(3, 7, 1, true)
  say(1, 7, 1, true)
  say(1, 7, 1, true)
  expect(heard).toEqual([])
  say(0, 7)
  expect(heard).toEqual(both([0, 1, 3], 1, true))
  heard.length = 0
  say(3, 8, 1, true)
  say(2, 8)
  say(3, 8)
  expect(heard).toEqual(both([2, 3]))
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
