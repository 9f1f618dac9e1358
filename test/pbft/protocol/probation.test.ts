/** The start interlock: what a replica does that has lost its disk, or was given an old copy of it (SPEC, I19 to I23). */
import { describe, expect, it } from 'vitest'
import { asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { ReplicaMessage, Status, ViewChange } from '../../../src/pbft/protocol/messages.ts'
import { createReplica } from '../../../src/pbft/protocol/replica.ts'
import type { ReplicaCore } from '../../../src/pbft/protocol/steps.ts'
import { add, createCounterService } from '../../support/counter-service.ts'
import { Cluster, testCapabilities, testConfig, TestDisk, type Packet } from '../../support/protocol-cluster.ts'
import { batchOf, prePrepareOf, rejectionsIn, requestOf, sentIn, statusOf } from '../../support/solo-replica.ts'

const votes = ['pre-prepare', 'prepare', 'commit', 'checkpoint', 'view-change', 'new-view']

/** Everything that leaves, kept. */
const watched = (n = 4): { readonly cluster: Cluster; readonly packets: Packet[] } => {
  const packets: Packet[] = []
  const cluster = new Cluster({
    n,
    filter: (packet) => {
      packets.push(packet)
      return true
    },
  })
  return { cluster, packets }
}

const wipe = (cluster: Cluster, id: number): void => {
  cluster.crash(id)
  cluster.restart(id, new TestDisk('lost'))
}

const work = (cluster: Cluster, count: number): void => {
  const client = cluster.clients[0] ?? cluster.addClient()
  for (let i = 0; i < count; i++) cluster.call(client, add(i % 5))
}

const probationOf = (cluster: Cluster, id: number) => cluster.node(id).core.snapshot().probation

const isOwnVote = ({ from, message }: Packet, id: number): boolean => {
  if (from !== id || !votes.includes(message.type)) return false
  return !('replica' in message) || message.replica === id
}

describe('a replica whose disk was wiped', () => {
  it('pitfall 21: casts no vote until a stable checkpoint lies above everything that it may have voted for', () => {
    const { cluster, packets } = watched()
    work(cluster, 6)
    const before = cluster.node(2).core.snapshot()
    packets.length = 0
    wipe(cluster, 2)
    work(cluster, 3)
    cluster.run(2_000)
    expect(probationOf(cluster, 2)).toBeNull()
    work(cluster, 2)
    const first = packets.find((packet) => isOwnVote(packet, 2))
    if (first === undefined || !('seq' in first.message)) throw new Error('it never voted again')
    expect(first.message.seq).toBeGreaterThan(before.highWatermark)
    expect(cluster.eventsOf(2, 'probation').map(({ state }) => state)).toEqual(['began', 'waiting', 'ended'])
    cluster.assertAgreement()
  })

  it('is answered by empty batches on an idle cluster, and takes part in quorums afterwards', () => {
    const { cluster } = watched()
    work(cluster, 2)
    wipe(cluster, 3)
    cluster.run(5_000)
    expect(probationOf(cluster, 3)).toBeNull()
    const settled = cluster.node(0).core.snapshot().lastExecuted
    cluster.run(5_000)
    expect(cluster.node(0).core.snapshot().lastExecuted).toBe(settled)
    cluster.crash(1)
    work(cluster, 3)
    cluster.assertAgreement()
  })

  it('does not answer clients and refuses their requests meanwhile, counted', () => {
    const { cluster } = watched()
    work(cluster, 1)
    cluster.crash(3)
    cluster.filter = ({ to }) => to !== 3
    cluster.restart(3, new TestDisk('lost'))
    const effects = cluster.input(3, { type: 'request', request: requestOf('a/1', 1, add(1)) })
    expect(rejectionsIn(effects)).toEqual(['on-probation'])
    expect(effects.some((effect) => effect.type === 'reply')).toBe(false)
  })

  it('as the primary is left at once, without a time-out', () => {
    const { cluster } = watched()
    work(cluster, 2)
    const startedAt = cluster.nowMs
    wipe(cluster, 0)
    cluster.deliver()
    expect(cluster.nowMs).toBe(startedAt)
    expect(cluster.eventsOf(1, 'view-change-started').map(({ reason }) => reason.kind)).toContain('primary-lost')
    cluster.run(5_000)
    expect(cluster.nodes.map((node) => node.core.snapshot().probation)).toEqual([null, null, null, null])
    work(cluster, 2)
    cluster.assertAgreement()
  })

  it('during a view change comes back into the view that the others have found', () => {
    const { cluster } = watched()
    work(cluster, 3)
    for (const id of [1, 2]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    wipe(cluster, 2)
    cluster.run(5_000)
    work(cluster, 3)
    cluster.run(5_000)
    expect(cluster.nodes.map((node) => node.core.snapshot())).toMatchObject(
      [0, 1, 2, 3].map(() => ({ active: true, probation: null, view: cluster.node(0).core.snapshot().view })),
    )
    cluster.assertAgreement()
  })

  it('and then another one, one after the other: both come back', () => {
    const { cluster } = watched()
    work(cluster, 5)
    for (const id of [1, 2, 3, 0]) {
      wipe(cluster, id)
      cluster.run(10_000)
      expect(probationOf(cluster, id)).toBeNull()
    }
    work(cluster, 3)
    cluster.run(1_000)
    expect(new Set(cluster.nodes.map((node) => node.core.stateDigest())).size).toBe(1)
    cluster.assertAgreement()
  })

  it('stays on probation over a restart', () => {
    const { cluster } = watched()
    work(cluster, 2)
    cluster.filter = ({ to }) => to !== 2
    wipe(cluster, 2)
    cluster.run(1_000)
    cluster.crash(2)
    cluster.restart(2)
    cluster.run(1_000)
    expect(probationOf(cluster, 2)).toMatchObject({ until: null, heard: 0, needed: 3 })
    cluster.filter = () => true
    cluster.run(5_000)
    expect(probationOf(cluster, 2)).toBeNull()
  })

  it('says that it waits for ever when more are lost than may be, and never begins anew by itself', () => {
    const { cluster } = watched()
    work(cluster, 5)
    for (const id of [0, 1, 2, 3]) wipe(cluster, id)
    cluster.run(60_000)
    for (const id of [0, 1, 2, 3]) expect(probationOf(cluster, id)).toEqual({ until: null, heard: 0, needed: 3 })
    expect(cluster.nodes.map((node) => node.core.snapshot().lastExecuted)).toEqual([0, 0, 0, 0])
    const client = cluster.addClient()
    cluster.submit(client, add(1))
    cluster.run(20_000)
    expect(client.results).toEqual([])
  })

  it('is not kept waiting by one liar who names a huge checkpoint, nor let in early by one who names none', () => {
    for (const claim of [asSeqNo(Number.MAX_SAFE_INTEGER), asSeqNo(0)]) {
      const cluster = new Cluster({
        n: 5,
        filter: ({ from, message }) => {
          if (from === 4 && message.type === 'status') Object.assign(message, { lastCheckpoint: claim, lastPrepared: claim })
          return true
        },
      })
      work(cluster, 6)
      const { highWatermark } = cluster.node(2).core.snapshot()
      wipe(cluster, 2)
      cluster.run(10_000)
      expect(probationOf(cluster, 2)).toBeNull()
      expect(cluster.node(2).core.snapshot().lowWatermark).toBeGreaterThanOrEqual(highWatermark)
    }
  })

  it('is not bound by what its old disk said, and neither is anyone else: such a view-change is void', () => {
    const { cluster, packets } = watched()
    work(cluster, 3)
    cluster.filter = (packet) => {
      packets.push(packet)
      return packet.message.type !== 'view-change'
    }
    cluster.input(2, { type: 'operator', command: { kind: 'change-view' } })
    cluster.deliver()
    const old = packets.map(({ message }) => message).find((message): message is ViewChange => message.type === 'view-change')
    if (old === undefined) throw new Error('no view-change left')
    cluster.filter = () => true
    wipe(cluster, 2)
    cluster.run(10_000)
    expect(cluster.node(2).core.snapshot()).toMatchObject({ view: 0, active: true, probation: null })
    const effects = cluster.input(0, { type: 'message', from: asReplicaId(3), message: old })
    expect(rejectionsIn(effects)).toEqual(['void-view-change'])
  })
})

describe('an old copy of a disk', () => {
  it('pitfall 21: is noticed by what peers remember of it, before it votes', () => {
    const { cluster, packets } = watched()
    work(cluster, 2)
    const copy = cluster.node(2).disk.copy()
    work(cluster, 9)
    const { highWatermark } = cluster.node(2).core.snapshot()
    cluster.crash(2)
    packets.length = 0
    cluster.restart(2, copy)
    cluster.run(5_000)
    expect(cluster.eventsOf(2, 'probation').map(({ reason, state }) => `${reason} ${state}`)).toEqual([
      'old-disk began',
      'old-disk waiting',
      'old-disk ended',
    ])
    expect(cluster.eventsOf(0, 'disk-changed').map(({ replica }) => replica)).toEqual([2])
    // What its copy had, it may say again; new votes lie above everything.
    for (const { message } of packets.filter((packet) => isOwnVote(packet, 2))) {
      const isOld = copy.records.some((one) => 'seq' in one && 'seq' in message && one.seq === message.seq)
      if ('seq' in message && !isOld) expect(message.seq).toBeGreaterThan(highWatermark)
    }
    work(cluster, 2)
    cluster.assertAgreement()
  })

  it('of a moment before a view change is noticed too', () => {
    const { cluster } = watched()
    work(cluster, 2)
    const copy = cluster.node(3).disk.copy()
    for (const id of [0, 1, 2, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    cluster.run(1_000)
    cluster.crash(3)
    cluster.restart(3, copy)
    cluster.run(10_000)
    expect(cluster.eventsOf(3, 'probation').map(({ reason }) => reason)).toContain('old-disk')
    expect(probationOf(cluster, 3)).toBeNull()
  })

  it('is not seen in a disk that is whole, whatever one liar remembers', () => {
    const { cluster } = watched()
    work(cluster, 6)
    cluster.filter = ({ from, message }) => {
      if (from === 0 && message.type === 'status') {
        const memories = message.memories.map((memory) => ({ ...memory, view: asView(99), seq: asSeqNo(10_000) }))
        Object.assign(message, { memories })
      }
      return true
    }
    for (const id of [1, 2, 3]) {
      cluster.crash(id)
      cluster.restart(id)
      cluster.run(1_000)
      expect(cluster.eventsOf(id, 'probation')).toEqual([])
    }
  })
})

describe('the roll call after a start', () => {
  const disk = (): TestDisk => {
    const cluster = new Cluster()
    work(cluster, 2)
    return cluster.node(1).disk
  }
  const boot = (): ReplicaCore => {
    const core = createReplica(testConfig(4, 1), testCapabilities, createCounterService(), disk().read())
    core.step({ type: 'start', disk: 'kept' }, 2_000_000)
    return core
  }
  const receive = (core: ReplicaCore, from: number, message: ReplicaMessage) =>
    core.step({ type: 'message', from: asReplicaId(from), message }, 2_000_000)
  const proposal = prePrepareOf(0, 3, batchOf(2_000_000, requestOf('b/1', 1, add(1))))

  it('comes before any vote, and takes a quorum', () => {
    const core = boot()
    expect(sentIn(receive(core, 0, proposal))).not.toContain('prepare')
    receive(core, 0, statusOf(0))
    expect(sentIn(receive(core, 0, proposal))).not.toContain('prepare')
    receive(core, 2, statusOf(2))
    expect(sentIn(receive(core, 0, proposal))).toContain('prepare')
  })

  it('does not take for forgotten what it has itself told since: the view that it came back to', () => {
    const cluster = new Cluster()
    work(cluster, 2)
    cluster.crash(1)
    for (const id of [0, 2, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    cluster.run(5_000)
    expect(cluster.node(2).core.snapshot()).toMatchObject({ view: 2, active: true })
    // Everyone hears it, and only one can answer: the roll call lasts, and meanwhile it learns of the view and says so.
    cluster.filter = ({ from, to }) => to !== 1 || from === 2
    cluster.restart(1)
    cluster.run(2_000)
    expect(cluster.node(1).core.snapshot()).toMatchObject({ view: 2, active: true })
    cluster.filter = () => true
    cluster.run(2_000)
    expect(cluster.eventsOf(1, 'probation')).toEqual([])
    work(cluster, 2)
    cluster.assertAgreement()
  })

  it('does not take the word of a disk that was lost since', () => {
    const core = boot()
    receive(core, 3, statusOf(3, { incarnation: 20_000_000 }))
    const stale: Status = statusOf(3, { incarnation: 15_000_000, stableSeq: asSeqNo(400) })
    expect(receive(core, 3, stale).filter((effect) => effect.type === 'send')).toEqual([])
  })
})
