import { describe, expect, it } from 'vitest'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { batchOf, prePrepareOf, rejectionsIn, requestOf, sentIn, Solo } from '../../support/solo-replica.ts'

describe('normal case', () => {
  it.each([1, 4, 5, 7])('executes requests once, in one order, at %i replicas', (n) => {
    const cluster = new Cluster({ n })
    const client = cluster.addClient()
    for (let i = 1; i <= 10; i++) expect(readCounter(cluster.call(client, add(3)).result)).toBe(i)
    cluster.run(2_000)
    cluster.assertAgreement()
    const digests = cluster.nodes.map((node) => node.core.stateDigest())
    expect(new Set(digests).size).toBe(1)
    expect(cluster.nodes.map((node) => node.core.snapshot().lastExecuted)).toEqual(cluster.nodes.map(() => 10))
    expect(cluster.node(0).core.snapshot().lowWatermark).toBe(8)
    expect(cluster.nodes.every((node) => node.core.snapshot().view === 0)).toBe(true)
  })

  it('goes on when the clocks of all are set back by an hour, and agreed time stands still until then', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    for (let i = 0; i < 3; i++) cluster.call(client, add(1))
    const { timeMs } = cluster.node(0).core.snapshot()
    cluster.run(5_000)
    cluster.nowMs -= 3_600_000
    for (let i = 0; i < 3; i++) cluster.call(client, add(1))
    expect(cluster.nodes.map((node) => node.core.snapshot().view)).toEqual([0, 0, 0, 0])
    expect(cluster.nodes.map((node) => node.core.snapshot().timeMs)).toEqual([timeMs, timeMs, timeMs, timeMs])
    cluster.assertAgreement()
  })

  it('refuses a batch from too far ahead, and takes it when its own clock has come nearer', () => {
    const solo = new Solo()
    const message = prePrepareOf(0, 1, batchOf(solo.nowMs + 10_001, requestOf('a/1', 1, add(1))))
    expect(rejectionsIn(solo.receive(0, message))).toEqual(['time-out-of-bounds'])
    solo.nowMs += 1
    expect(sentIn(solo.receive(0, message))).toContain('prepare')
    // What was accepted sets the measure: a clock that is set back refuses nothing that comes after it.
    solo.nowMs -= 900_000
    const next = prePrepareOf(0, 2, batchOf(message.batch.timeMs, requestOf('a/1', 2, add(1))))
    expect(sentIn(solo.receive(0, next))).toContain('prepare')
    const earlier = prePrepareOf(0, 3, batchOf(solo.nowMs, requestOf('a/1', 3, add(1))))
    expect(sentIn(solo.receive(0, earlier))).toContain('prepare')
  })

  it('refuses a batch from so long ago that a client with a good clock would be refused', () => {
    const day = 86_400_000
    const nowMs = 10 * day
    const ask = (timeMs: number, clientMs: number): string[] => {
      const solo = new Solo()
      solo.nowMs = nowMs
      return rejectionsIn(solo.receive(0, prePrepareOf(0, 1, batchOf(timeMs, requestOf('a/1', clientMs * 1_000, add(1))))))
    }
    expect(ask(0, nowMs)).toEqual(['time-out-of-bounds'])
    expect(ask(nowMs - day - 1, nowMs)).toEqual(['time-out-of-bounds'])
    expect(ask(nowMs - day, nowMs)).toEqual([])
    // Whose clock is a day ahead is refused by every primary.
    expect(ask(0, nowMs + day)).toEqual([])
  })

  it('gathers requests into batches while the pipeline is full', () => {
    const cluster = new Cluster({ config: { pipelineMax: 2 } })
    const clients = Array.from({ length: 20 }, () => cluster.addClient())
    for (const client of clients) cluster.submit(client, add(1))
    cluster.run(100)
    expect(clients.every((client) => client.results.length === 1)).toBe(true)
    expect(cluster.executed(1).size).toBe(3)
    expect(cluster.node(2).service.counters[1]).toBe(20)
  })

  it('bounds a batch by requests and by bytes, and lets a larger request go alone', () => {
    const byCount = new Cluster({ config: { pipelineMax: 1, batchRequestsMax: 3 } })
    const byBytes = new Cluster({ config: { pipelineMax: 1, batchBytesMax: 1 } })
    for (const [cluster, batches] of [
      [byCount, 4],
      [byBytes, 10],
    ] as const) {
      const clients = Array.from({ length: 10 }, () => cluster.addClient())
      for (const client of clients) cluster.submit(client, add(1))
      cluster.run(500)
      expect(cluster.executed(0).size).toBe(batches)
      expect(cluster.node(0).service.counters[1]).toBe(10)
    }
  })

  it('pitfall 25: after garbage collection low is the stable checkpoint and high is low + L; high + 1 is refused', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    for (let i = 0; i < 5; i++) cluster.call(client, add(1))
    cluster.run(100)
    const { lowWatermark, highWatermark } = cluster.node(1).core.snapshot()
    expect([lowWatermark, highWatermark]).toEqual([4, 12])
  })
})
