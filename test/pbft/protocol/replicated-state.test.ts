import { describe, expect, it } from 'vitest'
import { asClientId, asClientTimestamp, asSeqNo } from '../../../src/pbft/protocol/ids.ts'
import { childrenOf, leafDigest, nodeDigest, PartitionTree, TREE_ARITY, treeShape } from '../../../src/pbft/protocol/partition-tree.ts'
import { REPLY_PARTITION_BYTES_MAX, REPLY_PARTITIONS, ReplyCache, replyPartitionOf } from '../../../src/pbft/protocol/reply-cache.ts'
import { ReplicatedState, TIMESTAMP_AHEAD_MAX_MS } from '../../../src/pbft/protocol/replicated-state.ts'
import { add, createCounterService } from '../../support/counter-service.ts'
import { sha256 } from '../../support/protocol-cluster.ts'
import { Random } from '../../support/random.ts'
import { batchOf, requestOf } from '../../support/solo-replica.ts'

const bytesOf = (value: number): Uint8Array => new Uint8Array([value & 255, value >> 8])

const bounds = { sessionsPerPrincipalMax: 4_096, replyBytesPerPrincipalMax: 8_388_608 }

describe('partition tree', () => {
  it.each([1, 2, 31, 32, 33, 1_024, 1_025])('has the same root however it came to its %i leaves', (count) => {
    const random = new Random(count)
    const leaves = Array.from({ length: count }, (_, i) => bytesOf(i))
    const fresh = new PartitionTree(sha256, leaves.slice())
    const grown = new PartitionTree(
      sha256,
      leaves.map(() => new Uint8Array(0)),
    )
    const order = leaves.map((_, i) => i).sort(() => random.next() - 0.5)
    for (const index of order) {
      grown.set(index, bytesOf(index + 1))
      if (random.chance(0.05)) grown.root()
      grown.set(index, bytesOf(index))
    }
    expect(grown.root()).toBe(fresh.root())
    grown.set(count - 1, bytesOf(9_999))
    expect(grown.root()).not.toBe(fresh.root())
  })

  it('every node of a snapshot is the digest of its children, and a snapshot does not change afterwards', () => {
    const tree = new PartitionTree(
      sha256,
      Array.from({ length: 70 }, (_, i) => bytesOf(i)),
    )
    const snapshot = tree.snapshot()
    tree.set(69, bytesOf(1))
    tree.root()
    expect(treeShape(70)).toEqual([1, 3, 70])
    expect(snapshot.levels[0]?.[0]).toBe(snapshot.root)
    for (const level of [0, 1]) {
      snapshot.levels[level]?.forEach((digest, index) => {
        const children = childrenOf(snapshot, level, index)
        expect(children?.length).toBeLessThanOrEqual(TREE_ARITY)
        expect(nodeDigest(sha256, level, index, children ?? [])).toBe(digest)
      })
    }
    snapshot.leaves.forEach((bytes, index) => expect(leafDigest(sha256, index, bytes)).toBe(snapshot.levels[2]?.[index]))
    expect(childrenOf(snapshot, 2, 0)).toBeNull()
    expect(childrenOf(snapshot, 1, 3)).toBeNull()
  })

  it('tells leaves from nodes and places from one another', () => {
    const empty = new Uint8Array(0)
    expect(leafDigest(sha256, 0, empty)).not.toBe(leafDigest(sha256, 1, empty))
    expect(nodeDigest(sha256, 0, 0, [])).not.toBe(nodeDigest(sha256, 1, 0, []))
    expect(nodeDigest(sha256, 1, 0, [])).not.toBe(nodeDigest(sha256, 1, 1, []))
  })
})

describe('reply cache', () => {
  const put = (cache: ReplyCache, client: string, timestamp: number, seq: number): void =>
    cache.put(asClientId(client), asClientTimestamp(timestamp), asSeqNo(seq), bytesOf(timestamp))

  it('saves the same bytes whatever the order, and loads what it saved', () => {
    const one = new ReplyCache(bounds)
    const two = new ReplyCache(bounds)
    const names = Array.from({ length: 300 }, (_, i) => `client/${i}\ud800é`)
    for (const name of names) put(one, name, 2 ** 52 + 1, 2)
    for (const name of names.toReversed()) {
      put(two, name, 1, 1)
      put(two, name, 2 ** 52 + 1, 2)
    }
    const loaded = new ReplyCache(bounds)
    for (let partition = 0; partition < REPLY_PARTITIONS; partition++) {
      const bytes = one.save(partition)
      expect(two.save(partition)).toEqual(bytes)
      expect(loaded.load(partition, bytes)).toBe(true)
      expect(loaded.save(partition)).toEqual(bytes)
    }
    for (const name of names) expect(loaded.get(asClientId(name))).toMatchObject({ timestamp: 2 ** 52 + 1, seq: 2 })
  })

  it('loads nothing that is not canonical, and keeps what it had', () => {
    const cache = new ReplyCache(bounds)
    put(cache, 'a/1', 7, 1)
    const partition = replyPartitionOf(asClientId('a/1'))
    const bytes = cache.save(partition)
    const doubled = new Uint8Array([...bytes, ...bytes])
    for (const wrong of [bytes.subarray(1), bytes.subarray(0, bytes.length - 1), doubled]) expect(cache.load(partition, wrong)).toBe(false)
    expect(cache.load((partition + 1) % REPLY_PARTITIONS, bytes)).toBe(false)
    expect(cache.get(asClientId('a/1'))).toMatchObject({ timestamp: 7 })
    expect(cache.load(partition, new Uint8Array(0))).toBe(true)
    expect(cache.get(asClientId('a/1'))).toBeUndefined()
  })

  it('forgets the oldest sessions of a principal that has too many, the same at all, and does not grow', () => {
    const make = (order: readonly number[]): ReplyCache => {
      const cache = new ReplyCache({ ...bounds, sessionsPerPrincipalMax: 3 })
      put(cache, 'other/1', 1, 1)
      for (const i of order) put(cache, `c/${i}`, i, i)
      return cache
    }
    const cache = make(Array.from({ length: 1_000 }, (_, i) => i + 1))
    const partition = replyPartitionOf(asClientId('c/1'))
    expect(cache.save(partition)).toEqual(make([998, 999, 997, 1_000]).save(partition))
    expect([996, 997, 998, 999, 1_000].map((i) => cache.get(asClientId(`c/${i}`)) !== undefined)).toEqual([false, false, true, true, true])
    expect(cache.get(asClientId('other/1'))).toBeDefined()
    expect(cache.isExpired(asClientId('c/1'), asClientTimestamp(997))).toBe(true)
    expect(cache.isExpired(asClientId('c/1'), asClientTimestamp(998))).toBe(false)
    expect(cache.isExpired(asClientId('other/2'), asClientTimestamp(1))).toBe(false)
    const loaded = new ReplyCache(bounds)
    expect(loaded.load(partition, cache.save(partition))).toBe(true)
    expect(loaded.isExpired(asClientId('c/1'), asClientTimestamp(997))).toBe(true)
  })

  it('bounds the bytes of a principal and of a partition, below what one message holds', () => {
    const cache = new ReplyCache(bounds)
    const big = new Uint8Array(4_194_304)
    const names = Array.from({ length: 2_000 }, (_, i) => `p${i}/1`).filter((name) => replyPartitionOf(asClientId(name)) === 7)
    expect(names.length).toBeGreaterThan(10)
    let seq = 0
    for (const name of names) {
      for (let i = 0; i < 3; i++) cache.put(asClientId(`${name}${i}`), asClientTimestamp(++seq), asSeqNo(seq), big)
    }
    expect(cache.save(7).length).toBeLessThan(REPLY_PARTITION_BYTES_MAX)
  })

  it('counts the bytes of a reply that replaces another once, of its principal and of its partition', () => {
    const cache = new ReplyCache({ ...bounds, replyBytesPerPrincipalMax: 10_000 })
    put(cache, 'a/old', 1, 1)
    const result = new Uint8Array(4_000)
    for (let i = 2; i < 9; i++) cache.put(asClientId('a/1'), asClientTimestamp(i), asSeqNo(i), result)
    expect(cache.get(asClientId('a/old'))).toBeDefined()
    cache.put(asClientId('a/2'), asClientTimestamp(10), asSeqNo(10), new Uint8Array(5_000))
    expect(cache.get(asClientId('a/old'))).toBeUndefined()

    const full = new ReplyCache(bounds)
    const [one, other] = Array.from({ length: 200 }, (_, i) => `p${i}/1`).filter((name) => replyPartitionOf(asClientId(name)) === 7)
    put(full, other ?? '', 1, 1)
    for (let i = 2; i < 12; i++) full.put(asClientId(one ?? ''), asClientTimestamp(i), asSeqNo(i), new Uint8Array(4_194_304))
    expect(full.get(asClientId(other ?? ''))).toBeDefined()
  })

  it('takes back what a tentative reply counted for: bounds hold afterwards as if it had not been', () => {
    const make = (): ReplyCache => new ReplyCache({ ...bounds, replyBytesPerPrincipalMax: 10_000 })
    const [plain, tried] = [make(), make()]
    for (const cache of [plain, tried]) for (const [i, name] of ['a/1', 'a/2'].entries()) put(cache, name, i + 1, i + 1)
    tried.takingBack(() => {
      tried.put(asClientId('a/1'), asClientTimestamp(8), asSeqNo(8), new Uint8Array(6_000))
      tried.put(asClientId('a/3'), asClientTimestamp(9), asSeqNo(9), new Uint8Array(6_000))
    })
    for (const cache of [plain, tried]) {
      for (let i = 10; i < 14; i++) cache.put(asClientId(`a/${i}`), asClientTimestamp(i), asSeqNo(i), new Uint8Array(4_000))
    }
    const partition = replyPartitionOf(asClientId('a/1'))
    expect(tried.save(partition)).toEqual(plain.save(partition))
    expect(tried.get(asClientId('a/1'))).toBeUndefined()
    expect(tried.get(asClientId('a/13'))).toBeDefined()
    expect(tried.isExpired(asClientId('a/9'), asClientTimestamp(12))).toBe(plain.isExpired(asClientId('a/9'), asClientTimestamp(12)))
  })
})

describe('replicated state', () => {
  it('executes nothing again that a forgotten session had executed, and answers a clock that is far ahead', () => {
    const state = new ReplicatedState(sha256, createCounterService(), { ...bounds, sessionsPerPrincipalMax: 2 })
    const run = (seq: number, client: string, timestamp: number): Uint8Array | undefined =>
      state.execute(asSeqNo(seq), batchOf(1_000, requestOf(client, timestamp, add(1))))[0]
    const first = run(1, 'c/1', 10)
    run(2, 'c/2', 20)
    run(3, 'c/3', 30)
    const root = state.root()
    expect(run(4, 'c/1', 10)).toHaveLength(5)
    expect(state.root()).toBe(root)
    expect(run(5, 'c/4', 40)).not.toEqual(first)
    const ahead = (1_000 + TIMESTAMP_AHEAD_MAX_MS) * 1_000
    expect(run(6, 'd/1', ahead)).toHaveLength(4)
    expect(run(7, 'd/2', ahead + 1)).toHaveLength(6)
    expect(run(8, 'd/2', ahead + 1)).toHaveLength(6)
  })

  it('pitfall 19: a request that is ordered twice is executed once, and answered from what it gave', () => {
    const service = createCounterService()
    const state = new ReplicatedState(sha256, service, bounds)
    const request = requestOf('c/1', 10, add(1))
    const [first] = state.execute(asSeqNo(1), batchOf(1_000, request))
    expect(state.execute(asSeqNo(2), batchOf(1_000, request, request))).toEqual([first, first])
    expect(service.counters[1]).toBe(1)
  })

  it('covers service, replies and agreed time by its root', () => {
    const fresh = (): ReplicatedState => new ReplicatedState(sha256, createCounterService(), bounds)
    const base = fresh()
    const roots = new Set([base.root()])
    const batches = [
      batchOf(5, requestOf('a', 1, add(1))),
      batchOf(6, requestOf('a', 1, add(1))),
      batchOf(5, requestOf('b', 1, add(1))),
      batchOf(5),
    ]
    for (const batch of batches) {
      const state = fresh()
      state.execute(asSeqNo(1), batch)
      roots.add(state.root())
    }
    expect(roots.size).toBe(5)
  })

  it('carries a state over by its changed partitions', () => {
    const source = new ReplicatedState(sha256, createCounterService(), bounds)
    source.execute(asSeqNo(1), batchOf(9, requestOf('a', 1, add(1)), requestOf('b', 4, add(2))))
    const target = new ReplicatedState(sha256, createCounterService(), bounds)
    const changed = source.takeChanged()
    expect(changed.length).toBeGreaterThanOrEqual(4)
    for (const { index, bytes } of changed) target.load(index, bytes)
    expect(target.root()).toBe(source.root())
    expect(target.timeMs).toBe(9)
    expect(source.takeChanged()).toEqual([])
    const again = batchOf(10, requestOf('a', 1, add(1)))
    expect(target.execute(asSeqNo(2), again)).toEqual(source.execute(asSeqNo(2), again))
    expect(target.root()).toBe(source.root())
  })
})
