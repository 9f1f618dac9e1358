import { describe, expect, it } from 'vitest'
import { asReplicaId, asSeqNo, asView, type Digest } from '../../../src/pbft/protocol/ids.ts'
import type { ReplicaMessage, Request } from '../../../src/pbft/protocol/messages.ts'
import type { LogRecord } from '../../../src/pbft/protocol/records.ts'
import { createReplica } from '../../../src/pbft/protocol/replica.ts'
import type { ReplicaCore } from '../../../src/pbft/protocol/steps.ts'
import { add } from '../../support/counter-service.ts'
import { createCounterService } from '../../support/counter-service.ts'
import { Cluster, testCapabilities, testConfig, TestDisk, type Packet } from '../../support/protocol-cluster.ts'
import { batchOf, prePrepareOf, rejectionsIn, requestOf, sentIn, statusOf } from '../../support/solo-replica.ts'

/** A run with checkpoints, two view changes and requests in flight at the end; and every packet of it. */
const record = (): { readonly cluster: Cluster; readonly packets: readonly Packet[] } => {
  const packets: Packet[] = []
  const cluster = new Cluster({
    filter: (packet) => {
      packets.push(packet)
      return true
    },
  })
  const clients = [cluster.addClient(), cluster.addClient()]
  const work = (count: number): void => {
    for (let i = 0; i < count; i++) cluster.call(clients[i % 2]!, add(i % 5))
  }
  work(6)
  for (const id of [1, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
  work(3)
  for (const id of [0, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
  work(4)
  for (const client of clients) cluster.submit(client, add(1))
  return { cluster, packets }
}

const restoreFrom = (records: readonly LogRecord[], id: number): ReplicaCore => {
  const disk = new TestDisk()
  disk.records = records.slice()
  return createReplica(testConfig(4, id), testCapabilities, createCounterService(), disk.read())
}

/** Starts it, and lets its peers answer the roll. */
const start = (core: ReplicaCore, records: readonly LogRecord[], id: number, nowMs: number): void => {
  core.step({ type: 'start', disk: records.length === 0 ? 'genesis' : 'kept' }, nowMs)
  for (const peer of [0, 1, 2, 3]) if (peer !== id) core.step({ type: 'message', from: asReplicaId(peer), message: statusOf(peer) }, nowMs)
}

const lastView = (records: readonly LogRecord[]): number =>
  Math.max(0, ...records.map((one) => (one.kind === 'view-change' || one.kind === 'new-view' ? one.message.view : 0)))

describe('restore', () => {
  const { cluster, packets } = record()

  it.each([0, 1, 2, 3])('from any prefix of its records replica %i is in its view and in the state that it had', (id) => {
    const { records } = cluster.node(id).disk
    expect(records.filter((one) => one.kind === 'new-view').length).toBeGreaterThanOrEqual(2)
    for (let length = 0; length <= records.length; length++) {
      const prefix = records.slice(0, length)
      const core = restoreFrom(prefix, id)
      const { view, active, lastExecuted } = core.snapshot()
      expect(view).toBe(lastView(prefix))
      const last = prefix.findLast((one) => one.kind === 'view-change' || one.kind === 'new-view')
      expect(active).toBe(last?.kind !== 'view-change')
      expect(lastExecuted).toBe(
        Math.max(
          0,
          ...prefix.map((one) => (one.kind === 'executed' || one.kind === 'checkpoint' ? ('seq' in one ? one.seq : one.message.seq) : 0)),
        ),
      )
      const checkpoint = prefix.findLast((one) => one.kind === 'checkpoint')
      if (checkpoint !== undefined && checkpoint.message.seq === lastExecuted) expect(core.stateDigest()).toBe(checkpoint.message.digest)
    }
  })

  it('pitfall 21: no vote leaves before the record that backs it is durable', () => {
    const core = restoreFrom([], 1)
    start(core, [], 1, 1_000)
    const proposal = prePrepareOf(0, 1, batchOf(1_000, requestOf('client/1', 1, add(1))))
    const effects = core.step({ type: 'message', from: asReplicaId(0), message: proposal }, 1_000)
    const votes = effects.flatMap((effect) => (effect.type === 'send' && effect.message.type === 'prepare' ? [effect.gated] : []))
    expect(votes).toEqual([true])
  })

  it('pitfall 21: a primary that was restarted proposes nothing more in its view', () => {
    const restarted = new Cluster()
    const client = restarted.addClient()
    restarted.call(client, add(1))
    restarted.crash(0)
    restarted.restart(0)
    restarted.call(client, add(1))
    expect(restarted.nodes.map((node) => node.core.snapshot().view)).toEqual([1, 1, 1, 1])
  })

  it('pitfall 21: nor one that was stopped in order before it had heard from anyone after that', () => {
    const restarted = new Cluster()
    const client = restarted.addClient()
    restarted.call(client, add(1))
    restarted.crash(0)
    restarted.filter = () => false
    restarted.restart(0)
    restarted.deliver()
    restarted.stop(0)
    restarted.filter = () => true
    restarted.restart(0)
    restarted.call(client, add(1))
    expect(restarted.nodes.map((node) => node.core.snapshot().view)).toEqual([1, 1, 1, 1])
  })

  it('pitfall 21: from any prefix it votes for nothing else where that prefix has a vote', () => {
    for (const id of [1, 2, 3]) {
      const { records } = cluster.node(id).disk
      for (let length = 0; length <= records.length; length++) {
        const prefix = records.slice(0, length)
        const core = restoreFrom(prefix, id)
        start(core, prefix, id, cluster.nowMs)
        const { view, active, lowWatermark } = core.snapshot()
        for (const one of prefix) {
          if (one.kind !== 'pre-prepared' || one.view !== view || !active || one.seq <= lowWatermark || view % 4 === id) continue
          const conflicting = prePrepareOf(view, one.seq, batchOf(one.batch.timeMs, requestOf('evil/1', length + 1, add(9))))
          const effects = core.step({ type: 'message', from: asReplicaId(view % 4), message: conflicting }, cluster.nowMs)
          expect(sentIn(effects)).toEqual([])
          expect(rejectionsIn(effects)).toEqual(['conflicting-pre-prepare'])
        }
      }
    }
  })

  it('pitfall 21: a view-change after a restart tells everything that the prefix prepared and pre-prepared', () => {
    const { records } = cluster.node(2).disk
    for (let length = 0; length <= records.length; length++) {
      const prefix = records.slice(0, length)
      const core = restoreFrom(prefix, 2)
      const effects = core.step({ type: 'operator', command: { kind: 'change-view' } }, cluster.nowMs)
      const message = effects
        .flatMap((effect) => (effect.type === 'send' ? [effect.message] : []))
        .find((sent) => sent.type === 'view-change')
      if (message === undefined) throw new Error('no view-change was sent')
      const { lowWatermark } = core.snapshot()
      for (const one of prefix) {
        if (one.kind === 'prepared' && one.seq > lowWatermark) {
          expect(message.prepared.some((entry) => entry.seq === one.seq && entry.view >= one.view)).toBe(true)
        }
        if (one.kind === 'pre-prepared' && one.seq > lowWatermark) {
          expect(message.prePrepared.some((entry) => entry.seq === one.seq && entry.digest === one.digest && entry.view >= one.view)).toBe(
            true,
          )
        }
      }
    }
  })

  it('pitfall 21: a view-change after a restart tells what only the record of a new-view knows of', () => {
    const { records } = cluster.node(2).disk
    const at = records.findLastIndex((one) => one.kind === 'new-view')
    const entered = records[at]
    if (entered?.kind !== 'new-view') throw new Error('no view was entered')
    // Prepared in the view before, and passed over by the choice of this one.
    const seq = asSeqNo(Math.max(entered.message.start.seq, entered.message.chosen.at(-1)?.seq ?? 0) + 1)
    const entry = { seq, digest: 'd'.repeat(64) as Digest, view: asView(entered.message.view - 1) }
    const told = { ...entered, prepared: [...entered.prepared, entry], prePrepared: [...entered.prePrepared, entry] }
    const core = restoreFrom([...records.slice(0, at), told], 2)
    const effects = core.step({ type: 'operator', command: { kind: 'change-view' } }, cluster.nowMs)
    const sent = effects.flatMap((effect) => (effect.type === 'send' && effect.message.type === 'view-change' ? [effect.message] : []))
    expect(sent[0]?.prepared).toContainEqual(entry)
    expect(sent[0]?.prePrepared).toContainEqual(entry)
  })

  it('continues after everything is killed at once: nothing acknowledged is lost', () => {
    const { cluster: other } = record()
    const executed = other.clients.reduce((sum, client) => sum + client.results.length, 0)
    for (const id of [0, 1, 2, 3]) other.crash(id)
    other.queue.length = 0
    for (const id of [0, 1, 2, 3]) other.restart(id)
    other.run(10_000)
    other.assertAgreement()
    expect(other.clients.every((client) => !client.core.busy)).toBe(true)
    const total = other.node(0).service.counters.reduce((sum, value) => sum + value, 0)
    expect(total).toBe(executed + 2)
    expect(new Set(other.nodes.map((node) => node.core.stateDigest())).size).toBe(1)
  })

  it('every packet of the past, replayed to a restored replica, changes neither its view nor its state', () => {
    const core = restoreFrom(cluster.node(1).disk.records, 1)
    start(core, cluster.node(1).disk.records, 1, cluster.nowMs)
    const before = core.snapshot()
    const digest = core.stateDigest()
    const past = packets.filter(({ to, message }): boolean => to === 1 && isOfPast(message, before.view, before.lastExecuted))
    expect(past.length).toBeGreaterThan(50)
    for (const { from, message } of past) core.step({ type: 'message', from, message }, cluster.nowMs)
    expect(core.snapshot().view).toBe(before.view)
    expect(core.stateDigest()).toBe(digest)
  })

  it('alone, it refuses partitions that do not have the digest of their checkpoint: nobody could repair them', () => {
    const alone = new Cluster({ n: 1 })
    const client = alone.addClient()
    for (let i = 0; i < 5; i++) alone.call(client, add(i))
    const disk = new TestDisk()
    disk.records = alone.node(0).disk.records.slice()
    const { partitions, records } = disk.read()
    const make = (kept: typeof partitions): ReplicaCore =>
      createReplica(testConfig(1, 0), testCapabilities, createCounterService(), { partitions: kept, records })
    expect(() => make(partitions)).not.toThrow()
    expect(() => make(partitions.slice(1))).toThrow('invariant broken')
  })
})

describe('partitions damaged on disk while the replica was down', () => {
  /** Replica `id` after 10 requests (checkpoints at 4 and 8), down, with what `damage` made of its partitions. */
  const damagedAt = (
    id: number,
    damage: (index: number, bytes: Uint8Array) => Uint8Array | null,
    onRequest: (request: Request) => void = () => {},
  ): Cluster => {
    const cluster = new Cluster()
    cluster.clientFilter = (_, request) => {
      onRequest(request)
      return true
    }
    const client = cluster.addClient()
    for (let i = 0; i < 10; i++) cluster.call(client, add(i % 5, 3))
    cluster.run(500)
    cluster.stop(id)
    const { disk } = cluster.node(id)
    disk.records = disk.records.map((one) =>
      one.kind === 'checkpoint'
        ? {
            ...one,
            partitions: one.partitions.flatMap(({ index, bytes }) => {
              const left = damage(index, bytes)
              return left === null ? [] : [{ index, bytes: left }]
            }),
          }
        : one,
    )
    return cluster
  }
  const isWhole = (cluster: Cluster): boolean =>
    new Set(cluster.nodes.map((node) => `${node.core.snapshot().lastExecuted} ${node.core.stateDigest()}`)).size === 1
  const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === bytes.length - 1 ? byte ^ 1 : byte))
  const kinds = [
    ['a flipped bit', (index: number, bytes: Uint8Array) => (index === 2 ? flipped(bytes) : bytes)],
    ['bytes that are no partition', (index: number, bytes: Uint8Array) => (index === 2 ? new Uint8Array(3) : bytes)],
    ['a partition that is gone', (index: number, bytes: Uint8Array) => (index === 2 ? null : bytes)],
    ['all that there is', () => new Uint8Array([7, 7, 7])],
    ['replies', (index: number, bytes: Uint8Array) => (index >= 40 ? flipped(bytes) : bytes)],
  ] as const

  it.each(kinds)('%s: noticed, fetched from the others, and whole on disk afterwards', (_, damage) => {
    const cluster = damagedAt(2, damage)
    cluster.restart(2)
    expect(cluster.eventsOf(2, 'damaged')).toMatchObject([{ seq: 8 }])
    expect(cluster.node(2).core.snapshot().damage).toEqual({ seq: 8, repaired: false })
    cluster.run(3_000)
    expect(cluster.node(2).core.snapshot().damage).toEqual({ seq: 8, repaired: true })
    expect(isWhole(cluster)).toBe(true)
    expect(cluster.node(2).core.snapshot().lastExecuted).toBe(10)
    cluster.crash(2)
    cluster.restart(2)
    expect(cluster.eventsOf(2, 'damaged')).toEqual([])
    cluster.run(1_000)
    expect(isWhole(cluster)).toBe(true)
  })

  it('and the others have gone on past that checkpoint: it takes a later one', () => {
    const cluster = damagedAt(2, kinds[0][1])
    const client = cluster.addClient()
    for (let i = 0; i < 30; i++) cluster.call(client, add(i % 5))
    cluster.restart(2)
    cluster.run(5_000)
    for (let i = 0; i < 5; i++) cluster.call(client, add(i))
    cluster.run(3_000)
    expect(cluster.node(2).core.snapshot().damage).toMatchObject({ repaired: true })
    expect(isWhole(cluster)).toBe(true)
  })

  it('what it remembers of clients answers nobody before the repair, and does afterwards', () => {
    const sent = new Map<number, Request>()
    const cluster = damagedAt(2, kinds[0][1], (request) => sent.set(request.timestamp, request))
    // The one that checkpoint 8 remembers, and the last one executed.
    const [atCheckpoint, last] = [[...sent.values()][7]!, [...sent.values()][9]!]
    const repliesOf2 = (): number => cluster.replies.filter(({ reply }) => reply.replica === 2).length
    cluster.filter = ({ message }) => message.type !== 'data'
    cluster.restart(2)
    cluster.run(200)
    const before = repliesOf2()
    cluster.request(2, atCheckpoint)
    expect(repliesOf2()).toBe(before)
    cluster.filter = () => true
    cluster.run(3_000)
    expect(cluster.node(2).core.snapshot().damage).toMatchObject({ repaired: true })
    const repaired = repliesOf2()
    cluster.request(2, last)
    expect(repliesOf2()).toBe(repaired + 1)
  })

  it('what it had executed since is not executed on the damaged state: no wrong checkpoint is signed', () => {
    const cluster = damagedAt(2, kinds[0][1])
    cluster.restart(2)
    cluster.run(3_000)
    const client = cluster.addClient()
    for (let i = 0; i < 2; i++) cluster.call(client, add(i))
    cluster.crash(2)
    const { disk } = cluster.node(2)
    // The crash came between the execution of 12 and its checkpoint, and the state of 8 is damaged once more.
    const at12 = disk.records.findIndex((one) => one.kind === 'checkpoint' && one.message.seq === 12)
    expect(at12).toBeGreaterThan(0)
    const kept = disk.records.slice(0, at12)
    expect(kept.at(-1)).toMatchObject({ kind: 'executed', seq: 12 })
    disk.records = kept.map((one) =>
      one.kind === 'checkpoint'
        ? { ...one, partitions: one.partitions.map(({ index, bytes }) => ({ index, bytes: index === 2 ? flipped(bytes) : bytes })) }
        : one,
    )
    cluster.restart(2)
    expect(cluster.eventsOf(2, 'damaged')).toMatchObject([{ seq: 8 }])
    cluster.run(5_000)
    for (const id of [0, 1, 2, 3]) expect(cluster.eventsOf(id, 'divergence')).toEqual([])
    expect(cluster.node(2).core.snapshot().damage).toMatchObject({ repaired: true })
    expect(isWhole(cluster)).toBe(true)
  })

  it('it votes meanwhile, for nothing else than before, and answers no client', () => {
    const cluster = damagedAt(2, kinds[0][1])
    cluster.crash(3)
    cluster.filter = ({ message }) => message.type !== 'data'
    cluster.restart(2)
    cluster.run(200)
    const client = cluster.addClient()
    const before = cluster.replies.length
    cluster.submit(client, add(1))
    cluster.run(400)
    // 0, 1 and 2 are a quorum only with its votes.
    expect(client.results).toHaveLength(1)
    expect(cluster.replies.slice(before).filter(({ reply }) => reply.replica === 2)).toEqual([])
    expect(cluster.node(2).core.snapshot().damage).toMatchObject({ repaired: false })
    cluster.filter = () => true
    cluster.restart(3)
    cluster.run(5_000)
    expect(isWhole(cluster)).toBe(true)
  })
})

const isOfPast = (message: ReplicaMessage, view: number, lastExecuted: number): boolean =>
  ('view' in message && message.type !== 'status' && message.view <= view) || ('seq' in message && message.seq <= lastExecuted)
