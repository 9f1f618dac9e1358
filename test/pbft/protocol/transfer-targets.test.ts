/** Which checkpoint a replica that is behind fetches, and what of it. */
import { describe, expect, it } from 'vitest'
import { add } from '../../support/counter-service.ts'
import { Cluster, type TestClient } from '../../support/protocol-cluster.ts'

const statesOf = (cluster: Cluster, id: number): string[] => cluster.eventsOf(id, 'transfer').map(({ state }) => state)
const isCaughtUp = (cluster: Cluster): boolean => cluster.node(3).core.stateDigest() === cluster.node(0).core.stateDigest()

/** Replica 3 was cut off while the others took 50 requests to 40 counters. */
const leftBehind = (): { readonly cluster: Cluster; readonly client: TestClient } => {
  const cluster = new Cluster()
  const client = cluster.addClient()
  cluster.filter = ({ from, to }) => from !== 3 && to !== 3
  for (let i = 0; i < 50; i++) cluster.call(client, add(i % 40))
  return { cluster, client }
}

describe('the target of a state transfer', () => {
  it('that nobody serves gives way, after a while, to a higher one that only f+1 vouch for', () => {
    const { cluster, client } = leftBehind()
    const first = cluster.node(0).core.snapshot().lowWatermark
    cluster.filter = ({ to, message }) => {
      if (to !== 3) return true
      if (message.type === 'data') return message.seq > first
      // Of what lies above, replica 3 hears from 0 and 1 only.
      return message.type !== 'checkpoint' || message.seq <= first || message.replica < 2
    }
    cluster.run(400)
    expect(statesOf(cluster, 3)).toEqual(['started'])
    for (let i = 0; i < 8; i++) cluster.call(client, add(1))
    cluster.run(6_000)
    const transfers = cluster.eventsOf(3, 'transfer')
    expect(transfers.filter(({ state }) => state === 'abandoned').map(({ seq }) => seq)).toEqual([first])
    expect(transfers.at(-1)).toMatchObject({ state: 'completed', seq: first + 8 })
    expect(isCaughtUp(cluster)).toBe(true)
    // With its own word they are a quorum.
    expect(cluster.eventsOf(3, 'stable').at(-1)).toMatchObject({ seq: first + 8, replicas: [0, 1, 3] })
  })

  it('that changes keeps what was verified: only what has changed since is asked for again', () => {
    const { cluster, client } = leftBehind()
    const arrived = new Map<number, number>()
    const asked: number[] = []
    let isOpen = false
    const first = cluster.node(0).core.snapshot().lowWatermark
    cluster.filter = ({ from, to, message }) => {
      if (from === 3 && message.type === 'fetch' && message.seq > first && message.level === 2) asked.push(message.index)
      if (to !== 3 || message.type !== 'data') return true
      if (!isOpen && arrived.size === 5) return false
      arrived.set(message.index, message.seq)
      return true
    }
    cluster.run(400)
    const kept = [...arrived.keys()]
    expect(kept).toHaveLength(5)
    for (let i = 0; i < 12; i++) cluster.call(client, add(39))
    isOpen = true
    cluster.run(6_000)
    expect(isCaughtUp(cluster)).toBe(true)
    expect(asked.length).toBeGreaterThan(10)
    for (const index of kept) if (index < 39) expect(asked).not.toContain(index)
    expect(new Set(statesOf(cluster, 3))).toEqual(new Set(['started', 'progress', 'abandoned', 'completed']))
  })

  it('is fetched from several at once, and from others when one is silent', () => {
    const { cluster } = leftBehind()
    const sources = new Map<number, number>()
    cluster.filter = ({ from, to, message }) => {
      if (to === 3 && message.type === 'data') sources.set(from, (sources.get(from) ?? 0) + 1)
      return from !== 2 || message.type !== 'data'
    }
    cluster.run(5_000)
    expect(isCaughtUp(cluster)).toBe(true)
    expect([...sources.keys()].sort()).toEqual([0, 1, 2])
    const ends = cluster.eventsOf(3, 'transfer').filter(({ state }) => state !== 'progress')
    expect(ends.at(-1)).toMatchObject({ state: 'completed', remaining: 0, rejected: 0, sources: [0, 1, 2] })
  })

  it('of a replica that was down: the next checkpoint record holds what changed and no more', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    for (let i = 0; i < 5; i++) cluster.call(client, add(i))
    cluster.crash(2)
    cluster.restart(2)
    for (let i = 0; i < 3; i++) cluster.call(client, add(30))
    cluster.run(500)
    const written = [1, 2].map((id) => {
      const record = cluster.node(id).disk.records.findLast((one) => one.kind === 'checkpoint')
      return record?.kind === 'checkpoint' ? { seq: record.message.seq, indices: record.partitions.map(({ index }) => index) } : null
    })
    expect(written[0]?.seq).toBe(8)
    expect(written[1]).toEqual(written[0])
  })
})
