import { expect, it } from 'vitest'
import type { Link } from '../../src/link/index.ts'
import { sha256 } from '../../src/link/keys.ts'
import { asClientId, asClientTimestamp, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { ReplicaMessage, Reply } from '../../src/pbft/protocol/messages.ts'
import { quorumSize, weakSize } from '../../src/pbft/protocol/quorum.ts'
import { createPatience, type Patience } from '../../src/replica/patience.ts'
import { until } from '../support/until.ts'

const digest = sha256(new Uint8Array(0))
const voteOf = (type: 'prepare' | 'commit', seq: number, replica: number): ReplicaMessage => ({
  type,
  view: asView(0),
  seq: asSeqNo(seq),
  digest,
  replica: asReplicaId(replica),
})
const replyOf = (seq: number, replica: number, bytes = new Uint8Array(3), tentative = false): Reply => ({
  type: 'reply',
  view: asView(0),
  seq: asSeqNo(seq),
  client: asClientId('operator/a'),
  timestamp: asClientTimestamp(1),
  replica: asReplicaId(replica),
  tentative,
  result: { kind: 'full', bytes },
})
const make = (n: number): Patience[] => Array.from({ length: n }, (_, id) => createPatience({ n, id, now: () => 0 }))

it('spares each vote just so many peers that all the others make a quorum with the receiver, in turn', () => {
  for (const n of [1, 2, 3, 4, 5, 6, 7, 10, 13, 31]) {
    const all = make(n)
    for (let seq = 1; seq < 3 * n; seq++) {
      for (const type of ['prepare', 'commit'] as const) {
        for (let to = 0; to < n; to++) {
          const prompt = all.filter((patience, id) => id !== to && !patience.mayWait(voteOf(type, seq, id), to))
          expect(prompt.length, `n ${n}`).toBe(quorumSize(n) - 1)
        }
        // What waits on its way to a peer goes with the next vote, whoever sends it: each way is spared once in a round only.
        if (n !== 4) continue
        const next = type === 'prepare' ? voteOf('commit', seq, 0) : voteOf('prepare', seq + 1, 0)
        for (const to of [1, 2, 3]) expect(all[0]!.mayWait(voteOf(type, seq, 0), to) && all[0]!.mayWait(next, to)).toBe(false)
      }
    }
  }
})

it('spares replies as long as f+1 hurry, or a quorum of tentative ones, but no reads and no results that one replica alone sends in full', () => {
  for (const n of [1, 4, 7, 13]) {
    const all = make(n)
    for (let seq = 1; seq < 2 * n; seq++) {
      expect(all.filter((patience, id) => !patience.replyMayWait(replyOf(seq, id))).length).toBe(weakSize(n))
      const prompt = all.filter((patience, id) => !patience.replyMayWait(replyOf(seq, id, new Uint8Array(3), true)))
      expect(prompt.length).toBe(quorumSize(n))
      for (const [id, patience] of all.entries()) expect(patience.replyMayWait(replyOf(seq, id, new Uint8Array(65)))).toBe(false)
    }
    for (const [id, patience] of all.entries()) expect(patience.replyMayWait(replyOf(0, id))).toBe(false)
  }
})

it('sends what waited in vain, and hurries for a while then', async () => {
  let now = 0
  const patience = createPatience({ n: 4, id: 0, now: () => now })
  let since: number | null = 0
  let flushed = 0
  const link = {
    get waitingSince() {
      return since
    },
    flushAll() {
      flushed += 1
      since = null
    },
  } as Link
  const spared = (): number => [1, 2, 3].filter((to) => patience.mayWait(voteOf('prepare', 1, 0), to)).length
  expect(spared()).toBe(1)
  patience.watch(link)
  now = 10
  await until(() => flushed === 1)
  expect(spared()).toBe(0)
  expect([0, 1, 2, 3].some((seq) => patience.replyMayWait(replyOf(seq, 0)))).toBe(false)
  now = 259
  expect(spared()).toBe(0)
  now = 260
  expect(spared()).toBe(1)
  patience.close()
})
