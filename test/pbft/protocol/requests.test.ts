import { describe, expect, it } from 'vitest'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { rejectionsIn, requestOf, sentIn, Solo } from '../../support/solo-replica.ts'

const viewsOf = (cluster: Cluster): number[] => cluster.nodes.map((node) => node.core.snapshot().view)

describe('requests', () => {
  it('executes a retransmitted request once and answers it again from the reply cache', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    // No reply reaches the client until it has asked three times.
    cluster.replyFilter = () => false
    cluster.submit(client, add(1))
    cluster.run(1_500)
    cluster.replyFilter = () => true
    cluster.run(3_000)
    expect(client.results.map(({ result }) => readCounter(result))).toEqual([1])
    expect(cluster.nodes.map((node) => node.service.counters[1])).toEqual([1, 1, 1, 1])
    expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
  })

  it('drops an older timestamp', () => {
    const solo = new Solo(0, 1)
    solo.request(requestOf('a/1', 5, add(1)))
    solo.core.step({ type: 'drained' }, solo.nowMs)
    expect(solo.core.snapshot().lastExecuted).toBe(1)
    expect(rejectionsIn(solo.request(requestOf('a/1', 4, add(1))))).toEqual(['stale-timestamp'])
    expect(solo.request(requestOf('a/1', 5, add(1))).filter((effect) => effect.type === 'reply')).toHaveLength(1)
  })

  it('a backup keeps a request, passes it on and starts its timer', () => {
    const effects = new Solo(1).request(requestOf('a/1', 5, add(1)))
    expect(sentIn(effects)).toEqual(['request'])
    expect(effects.some((effect) => effect.type === 'set-timer' && effect.timer === 'view-change')).toBe(true)
  })

  it('bounds what is pending', () => {
    const solo = new Solo(1, 4, { pendingRequestsMax: 2 })
    for (const client of ['a', 'b']) expect(rejectionsIn(solo.request(requestOf(client, 1, add(1))))).toEqual([])
    expect(rejectionsIn(solo.request(requestOf('c', 1, add(1))))).toEqual(['too-many-pending'])
    // A client's newer request takes the place of its older one.
    expect(rejectionsIn(solo.request(requestOf('a', 2, add(1))))).toEqual([])
    expect(solo.core.snapshot().pending).toBe(2)
  })

  it('pitfall 15: a client that sends to backups only is served, without a view change', () => {
    const cluster = new Cluster()
    for (const id of [1, 2, 3]) cluster.input(id, { type: 'request', request: requestOf('faulty/1', 1, add(1)) })
    cluster.run(5_000)
    expect(cluster.nodes.map((node) => node.service.counters[1])).toEqual([1, 1, 1, 1])
    expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
  })

  it('pitfall 15: two requests under one timestamp: one of them executes, and no view changes', () => {
    const cluster = new Cluster()
    cluster.input(0, { type: 'request', request: requestOf('faulty/1', 1, add(1)) })
    for (const id of [1, 2, 3]) cluster.input(id, { type: 'request', request: requestOf('faulty/1', 1, add(2)) })
    cluster.run(5_000)
    expect(cluster.nodes.map((node) => (node.service.counters[1] ?? 0) + (node.service.counters[2] ?? 0))).toEqual([1, 1, 1, 1])
    expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
    expect(cluster.nodes.map((node) => node.core.snapshot().pending)).toEqual([0, 0, 0, 0])
  })

  it('pitfall 15: a request of which only one backup knows is void once a later one of its client was executed', () => {
    const cluster = new Cluster({ filter: ({ message }) => message.type !== 'request' })
    cluster.input(1, { type: 'request', request: requestOf('faulty/1', 1, add(1)) })
    for (const id of [0, 2, 3]) cluster.input(id, { type: 'request', request: requestOf('faulty/1', 2, add(2)) })
    cluster.run(5_000)
    expect(cluster.nodes.map((node) => node.service.counters[2])).toEqual([1, 1, 1, 1])
    expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
    expect(cluster.nodes.map((node) => node.core.snapshot().pending)).toEqual([0, 0, 0, 0])
  })

  it('pitfall 19: a primary demoted with requests in flight, and elected again, executes nothing twice', () => {
    // Replica 0 proposes, but its proposals reach nobody until it is the primary once more.
    const cluster = new Cluster({ filter: ({ from, message }) => from !== 0 || message.type !== 'pre-prepare' || message.view > 0 })
    const clients = Array.from({ length: 5 }, () => cluster.addClient())
    for (const client of clients) cluster.submit(client, add(1))
    cluster.run(3_000)
    for (const node of cluster.nodes) expect(node.core.snapshot().view).toBe(1)
    for (let view = 2; view <= 4; view++) {
      for (const id of [1, 2]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
      cluster.run(1_000)
    }
    expect(viewsOf(cluster)).toEqual([4, 4, 4, 4])
    for (const client of clients) cluster.submit(client, add(1))
    cluster.run(3_000)
    expect(cluster.nodes.map((node) => node.service.counters[1])).toEqual([10, 10, 10, 10])
    cluster.assertAgreement()
  })

  it('answers reads at once from a quorum, without ordering them', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    cluster.call(client, add(1, 5))
    cluster.run(100)
    const { result, seq } = cluster.read(client, add(1, 0))
    expect([readCounter(result), seq]).toEqual([5, 0])
    expect(cluster.node(0).core.snapshot().lastExecuted).toBe(1)
  })

  it('a read that is none is refused, and the client has it ordered', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    const { result, seq } = cluster.read(client, add(1, 5))
    expect([readCounter(result), seq]).toEqual([5, 1])
    expect(cluster.eventsOf(1, 'rejected')).toMatchObject([{ reason: 'not-a-read' }])
  })

  it('a read waits for what this replica has committed to: no read misses a completed write', () => {
    // The write completes at replicas 0 and 1; replicas 2 and 3 have prepared it and get no commits.
    const cluster = new Cluster({ filter: ({ message, to }) => message.type !== 'commit' || to < 2 })
    const writer = cluster.addClient()
    const reader = cluster.addClient()
    cluster.submit(writer, add(1, 5))
    cluster.deliver()
    expect(writer.results).toHaveLength(1)
    expect(cluster.node(2).core.snapshot().lastExecuted).toBe(0)
    // A liar at replica 0 answers with the old value, and so would 2 and 3 if they did not wait.
    cluster.replyFilter = (reply) => reply.client !== reader.id || reply.replica > 1
    cluster.submit(reader, add(1, 0), true)
    cluster.deliver()
    expect(cluster.replies.filter(({ reply }) => reply.client === reader.id && reply.replica > 1)).toEqual([])
    cluster.filter = () => true
    cluster.run(2_000)
    expect(reader.results.map(({ result }) => readCounter(result))).toEqual([5])
  })

  it('pitfall 20: when one correct replica is starved and one is silent, a read falls back to the order and finishes', () => {
    // Replica 3 hears of nothing, and reads from the state that it began with; replica 2 answers no client.
    const cluster = new Cluster({ filter: ({ to }) => to !== 3 })
    cluster.replyFilter = (reply) => reply.replica !== 2
    const client = cluster.addClient()
    for (let i = 1; i <= 3; i++) {
      expect(readCounter(cluster.call(client, add(1)).result)).toBe(i)
      expect(readCounter(cluster.read(client, add(1, 0)).result)).toBe(i)
    }
  })
})
