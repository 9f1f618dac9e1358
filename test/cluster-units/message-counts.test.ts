/** A long recording is counted over several calls: the first already shows all of it, the last is exact. */
import { expect, test } from 'vitest'
import type { Seen } from '../../src/cluster/recorder/hops.ts'
import { asReplicaId } from '../../src/pbft/protocol/ids.ts'
import { BlockSummaries, Counts } from '../../src/cluster/recorder/message-counts.ts'
import type { BlockPlace } from '../../src/cluster/recorder/segments.ts'

const blocksInAll = 16
const perBlock = 10

const blockAt = (position: number): BlockPlace => ({
  firstIndex: 0,
  count: perBlock,
  lost: 0,
  firstAt: position * 100,
  lastAt: position * 100 + 90,
  segment: 1,
  offset: 0,
  bytes: 1,
  position,
})

/** One of them is lost. */
const seenOf = (block: BlockPlace): Omit<Seen, 'at'>[] =>
  Array.from({ length: perBlock }, (_, i) => ({
    position: block.position * perBlock + i,
    replica: 0,
    rejected: null,
    entry: {
      kind: 'sent' as const,
      at: block.firstAt + i,
      head: { type: 'prepare' as const, view: null, seq: null, digest: null, client: null, timestamp: null },
      size: 10,
      sum: i,
      to: [{ replica: asReplicaId(1), fate: i === 0 ? ('cut' as const) : ('sent' as const) }],
      fate: 'sent' as const,
    },
  }))

test('each call reads on, from coarse to fine, and estimates what it has not read', async () => {
  const read: number[] = []
  const summaries = new BlockSummaries((_, block) => {
    read.push(block.position)
    return seenOf(block)
  }, -1)
  const blocks = Array.from({ length: blocksInAll }, (_, position) => {
    const block = blockAt(position)
    return { replica: 0, block, at: (block.firstAt + block.lastAt) / 2 }
  })
  const call = async () => {
    const counts = new Counts(0, 800, 2)
    const progress = await summaries.count(blocks, counts, () => true)
    return { progress, ...counts.columns() }
  }
  const first = await call()
  expect(first.progress).toEqual({ read: 1, of: blocksInAll })
  expect(first.total).toBe((blocksInAll / 2) * perBlock)
  const second = await call()
  expect(second.progress.read).toBe(2)
  expect([second.total, second.bin]).toEqual([blocksInAll * perBlock, [0, 1]])
  expect(read).toEqual([0, 8])
  for (let i = 2; i < blocksInAll; i += 1) await call()
  const last = await call()
  expect(last.progress).toEqual({ read: blocksInAll, of: blocksInAll })
  expect([last.count, last.lost]).toEqual([
    [80, 80],
    [8, 8],
  ])
  expect(read.toSorted((a, b) => a - b)).toEqual(blocks.map(({ block }) => block.position))

  summaries.forgetBefore(0, 8)
  await call()
  expect(read).toHaveLength(blocksInAll + 1)
})
