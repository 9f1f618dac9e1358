import { describe, expect, it } from 'vitest'
import { asSeqNo } from '../../../src/pbft/protocol/ids.ts'
import { ReplicatedState } from '../../../src/pbft/protocol/replicated-state.ts'
import { add, createCounterService, readCounter } from '../../support/counter-service.ts'
import { Cluster, sha256, testConfig, type ClusterOptions, type TestClient } from '../../support/protocol-cluster.ts'
import { Random } from '../../support/random.ts'
import { batchOf, requestOf } from '../../support/solo-replica.ts'

const tentativeCluster = (options: ClusterOptions = {}): Cluster =>
  new Cluster({ ...options, config: { tentativeExecution: true, ...options.config } })

const tentativeReplies = (cluster: Cluster, seq: number): number[] =>
  cluster.replies.flatMap(({ reply }) => (reply.tentative && reply.seq === seq ? [reply.replica] : [])).sort((a, b) => a - b)
const finalReplies = (cluster: Cluster, seq: number): number[] =>
  cluster.replies.flatMap(({ reply }) => (!reply.tentative && reply.seq === seq ? [reply.replica] : [])).sort((a, b) => a - b)

/** The digest that the agreed batches, as replica `id` has them on its disk, give when they are executed from nothing. */
const digestFromScratch = (cluster: Cluster, id: number): string => {
  const state = new ReplicatedState(sha256, createCounterService(), testConfig(4, id))
  for (const record of cluster.node(id).disk.records) if (record.kind === 'executed') state.execute(record.seq, record.batch)
  return state.root()
}

const expectStatesFromScratch = (cluster: Cluster, ids: readonly number[]): void => {
  for (const id of ids) expect({ id, digest: cluster.node(id).core.stateDigest() }).toEqual({ id, digest: digestFromScratch(cluster, id) })
}

/** Replica `one` alone prepares the next batch, and answers it tentatively. */
const letOnePrepare = (cluster: Cluster, client: TestClient, one: number, operation: Uint8Array): void => {
  cluster.filter = ({ to, message }) => message.type !== 'prepare' || to === one
  cluster.submit(client, operation)
  cluster.deliver()
}

describe('tentative execution', () => {
  it('answers when a batch has prepared, and a quorum of such answers completes the request before anything commits', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const client = cluster.addClient()
    cluster.submit(client, add(1, 5))
    cluster.deliver()
    expect(client.results).toMatchObject([{ seq: 1 }])
    expect(readCounter(client.results[0]!.result)).toBe(5)
    expect(cluster.nodes.map((node) => node.core.snapshot().lastExecuted)).toEqual([0, 0, 0, 0])
    expect(cluster.nodes.map((node) => node.service.counters[1])).toEqual([0, 0, 0, 0])
    expect(cluster.nodes.flatMap((node) => node.disk.records.filter(({ kind }) => kind === 'executed'))).toEqual([])
  })

  it('is off unless it is asked for', () => {
    const cluster = new Cluster()
    cluster.call(cluster.addClient(), add(1))
    cluster.run(100)
    expect(tentativeReplies(cluster, 1)).toEqual([])
    expect(finalReplies(cluster, 1)).toEqual([0, 1, 2, 3])
  })

  it('answers once: not again when the batch commits in the same view', () => {
    const cluster = tentativeCluster()
    cluster.call(cluster.addClient(), add(1))
    cluster.run(100)
    expect(tentativeReplies(cluster, 1)).toEqual([0, 1, 2, 3])
    expect(finalReplies(cluster, 1)).toEqual([])
    expect(cluster.nodes.map((node) => node.core.snapshot().lastExecuted)).toEqual([1, 1, 1, 1])
  })

  it('two such answers are not enough, and one that never prepared helps with its final answer', () => {
    const cluster = tentativeCluster({ filter: ({ to, message }) => to === 0 || to === 1 || message.type !== 'prepare' })
    const client = cluster.addClient()
    cluster.submit(client, add(1))
    cluster.deliver()
    expect(tentativeReplies(cluster, 1)).toEqual([0, 1])
    expect(client.results).toEqual([])
    cluster.filter = () => true
    cluster.run(1_000)
    expect(client.results).toHaveLength(1)
  })

  it('rests on the prepared record: no answer leaves before it is durable', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const client = cluster.addClient()
    cluster.lazyDisk = true
    const isBacked: boolean[] = []
    cluster.replyFilter = ({ replica }) => isBacked.push(cluster.node(replica).disk.records.some(({ kind }) => kind === 'prepared')) > 0
    cluster.submit(client, add(1))
    for (let round = 0; round < 4; round++) {
      cluster.deliver()
      for (const id of [0, 1, 2, 3]) cluster.flush(id)
    }
    expect(isBacked).toEqual([true, true, true, true])
    expect(client.results).toHaveLength(1)
  })

  it('waits until everything below is committed, and then answers in order', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const [one, other] = [cluster.addClient(), cluster.addClient()]
    cluster.submit(one, add(1))
    cluster.submit(other, add(1))
    cluster.deliver()
    expect([1, 2].map((seq) => tentativeReplies(cluster, seq))).toEqual([[0, 1, 2, 3], []])
    cluster.filter = ({ message }) => message.type !== 'commit' || message.seq === 1
    cluster.run(300)
    expect(tentativeReplies(cluster, 2)).toEqual([0, 1, 2, 3])
    expect(readCounter(other.results[0]!.result)).toBe(2)
  })

  it('says it again, tentatively, to a client that asks again', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const client = cluster.addClient()
    cluster.replyFilter = () => false
    cluster.submit(client, add(1))
    cluster.deliver()
    cluster.replyFilter = () => true
    cluster.run(250)
    expect(client.results).toHaveLength(1)
    expect(tentativeReplies(cluster, 1)).toEqual([0, 0, 1, 1, 2, 2, 3, 3])
  })

  it('no read sees it before it commits, and every read after it does', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const [writer, reader] = [cluster.addClient(), cluster.addClient()]
    cluster.submit(writer, add(1, 5))
    cluster.deliver()
    expect(writer.results).toHaveLength(1)
    cluster.submit(reader, add(1, 0), true)
    cluster.deliver()
    expect(cluster.replies.filter(({ reply }) => reply.seq === 0)).toEqual([])
    cluster.filter = () => true
    cluster.run(1_000)
    expect(readCounter(reader.results[0]!.result)).toBe(5)
  })

  it('what a client was told so survives a view change that knows no commit', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const client = cluster.addClient()
    cluster.submit(client, add(1, 5))
    cluster.deliver()
    expect(client.results).toHaveLength(1)
    cluster.crash(0)
    cluster.filter = () => true
    for (const id of [1, 2, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    cluster.run(2_000)
    for (const id of [1, 2, 3]) expect(cluster.executed(id).get(1)).toBeDefined()
    expect([1, 2, 3].map((id) => cluster.node(id).service.counters[1])).toEqual([5, 5, 5])
    expectStatesFromScratch(cluster, [1, 2, 3])
  })

  it('what a client was told so survives that all are killed', () => {
    const cluster = tentativeCluster({ filter: ({ message }) => message.type !== 'commit' })
    const client = cluster.addClient()
    cluster.submit(client, add(1, 5))
    cluster.deliver()
    expect(client.results).toHaveLength(1)
    for (const id of [0, 1, 2, 3]) cluster.crash(id)
    cluster.queue.length = 0
    cluster.filter = () => true
    for (const id of [0, 1, 2, 3]) cluster.restart(id)
    cluster.call(client, add(2))
    cluster.run(1_000)
    expect(cluster.nodes.map((node) => node.service.counters[1])).toEqual([5, 5, 5, 5])
  })
})

describe('a tentative execution that comes to nothing', () => {
  it('pitfall 24: right after a stable checkpoint, then another choice there: the state is that of the agreed batches alone', () => {
    const cluster = tentativeCluster()
    const client = cluster.addClient()
    for (let i = 0; i < 4; i++) cluster.call(client, add(i, 1))
    cluster.run(100)
    expect(cluster.nodes.map((node) => node.core.snapshot().lowWatermark)).toEqual([4, 4, 4, 4])
    // A MACed request that the next primary cannot verify, of a client that never asks again: it is not to happen at all.
    const gone = cluster.addClient('gone/1', { goodFor: [0, 2, 3] })
    letOnePrepare(cluster, gone, 3, add(7, 9))
    expect(tentativeReplies(cluster, 5)).toEqual([3])
    const tried = cluster.eventsOf(3, 'phase').find(({ seq, phase }) => seq === 5 && phase === 'prepared')?.digest
    cluster.clientFilter = (_, request) => request.client !== gone.id
    cluster.filter = ({ from, to }) => from !== 3 && to !== 3
    cluster.nowMs += 50
    for (const id of [0, 1, 2]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    cluster.run(100)
    cluster.call(client, add(3))
    cluster.filter = () => true
    cluster.run(1_000)
    expect(cluster.executed(3).get(5)).toBe(cluster.executed(0).get(5))
    expect(cluster.executed(3).get(5)).not.toBe(tried)
    while (cluster.node(0).core.snapshot().lastExecuted < 8) cluster.call(client, add(3))
    cluster.run(1_000)
    cluster.assertAgreement()
    expect(new Set(cluster.nodes.map((node) => node.core.stateDigest())).size).toBe(1)
    expect(cluster.nodes.map((node) => node.service.counters[7])).toEqual([0, 0, 0, 0])
    expectStatesFromScratch(cluster, [0, 1, 2, 3])
    // It came there by executing, and no checkpoint found it to differ.
    expect(cluster.eventsOf(3, 'transfer')).toEqual([])
    expect(cluster.nodes.flatMap((node) => cluster.eventsOf(node.id, 'divergence'))).toEqual([])
  })

  it('pitfall 24: takes back counters, replies, floors and time, whatever the batch', () => {
    const seed = 24
    const random = new Random(seed)
    const bounds = { sessionsPerPrincipalMax: 3, replyBytesPerPrincipalMax: 8_388_608 }
    const state = new ReplicatedState(sha256, createCounterService(), bounds)
    const clean = new ReplicatedState(sha256, createCounterService(), bounds)
    const below = (limit: number): number => Math.floor(random.next() * limit)
    for (let seq = 1; seq <= 300; seq++) {
      const draw = (): ReturnType<typeof batchOf> =>
        batchOf(
          below(2_000),
          ...Array.from({ length: 1 + below(6) }, () => requestOf(`p${below(3)}/${below(5)}`, 1 + below(400), add(below(5), below(9)))),
        )
      const undone = draw()
      const kept = draw()
      state.executeTentatively(asSeqNo(seq), undone)
      expect({ seed, seq, root: state.root(), timeMs: state.timeMs }).toEqual({ seed, seq, root: clean.root(), timeMs: clean.timeMs })
      const told = state.executeTentatively(asSeqNo(seq), kept)
      const results = state.execute(asSeqNo(seq), kept)
      expect(clean.execute(asSeqNo(seq), kept)).toEqual(results)
      for (const { request, result } of told) expect(results[kept.requests.indexOf(request)]).toEqual(result)
    }
    expect(state.root()).toBe(clean.root())
  })
})
