/** Two signed statements of one replica that contradict each other: who gets to see both, and what is made of it. */
import { describe, expect, it } from 'vitest'
import { asDigest, asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { Checkpoint, PrePrepare, ViewChange } from '../../../src/pbft/protocol/messages.ts'
import { contradictionOf, encodeBatch, signedBytes } from '../../../src/pbft/wire/index.ts'
import { add } from '../../support/counter-service.ts'
import { Cluster, sha256 } from '../../support/protocol-cluster.ts'

const clusterId = 'ab'.repeat(16)

/** What the replicas in `by` convicted of, each time. */
const convictions = (cluster: Cluster, by: readonly number[]) =>
  by.flatMap((id) =>
    cluster.eventsOf(id, 'evidence').map(({ signer, first, second }) => {
      const found = contradictionOf(signedBytes(first, clusterId), signedBytes(second, clusterId), clusterId, cluster.nodes.length)
      return { by: id, signer, found }
    }),
  )

const twinOf = (message: PrePrepare): PrePrepare => {
  const batch = encodeBatch(message.batch.timeMs + 1, message.batch.requests)
  return { ...message, batch, digest: sha256(batch.bytes) }
}

describe('two proposals for one place', () => {
  /** Replica 1 gets another batch than 2 and 3. */
  const deceived = () => {
    const cluster = new Cluster({
      filter: (packet, { queue }) => {
        const { message, to } = packet
        if (message.type !== 'pre-prepare' || to !== 1 || packet.from !== 0 || message.batch.timeMs % 2 === 1) return true
        queue.push({ ...packet, message: twinOf(message) })
        return false
      },
    })
    return cluster
  }

  it('to different replicas: their votes make them show each other what the primary signed', () => {
    const cluster = deceived()
    cluster.submit(cluster.addClient(), add(1))
    cluster.deliver()
    const found = convictions(cluster, [1, 2, 3])
    expect(found.map(({ by }) => by)).toEqual([1, 2, 3])
    for (const { signer, found: contradiction } of found) {
      expect(signer).toBe(0)
      expect(contradiction).toEqual({ kind: 'pre-prepare', signer: 0, view: 0, seq: 1 })
    }
  })

  it('to one replica', () => {
    const cluster = new Cluster()
    const seen: PrePrepare[] = []
    cluster.filter = ({ message, to }) => {
      if (message.type === 'pre-prepare' && to === 1) seen.push(message)
      return true
    }
    cluster.call(cluster.addClient(), add(1))
    const [first] = seen
    const from = asReplicaId(0)
    for (let again = 0; again < 3; again++) cluster.input(1, { type: 'message', from, message: twinOf(first!) })
    expect(convictions(cluster, [1])).toEqual([{ by: 1, signer: 0, found: { kind: 'pre-prepare', signer: 0, view: 0, seq: 1 } }])
  })

  it('a voter that nobody deceived is shown one header for each place, and convicts nobody', () => {
    const shown: number[] = []
    const cluster = new Cluster()
    cluster.filter = ({ message, to }) => {
      if (message.type === 'proposal') shown.push(to)
      return true
    }
    cluster.call(cluster.addClient(), add(1))
    for (let again = 0; again < 5; again++) {
      const vote = {
        type: 'prepare',
        view: asView(0),
        seq: asSeqNo(2),
        digest: asDigest('ee'.repeat(32)),
        replica: asReplicaId(3),
      } as const
      cluster.input(1, { type: 'message', from: asReplicaId(3), message: vote })
    }
    cluster.call(cluster.addClient(), add(1))
    expect(shown).toEqual([3])
    expect(convictions(cluster, [0, 1, 2, 3])).toEqual([])
  })
})

it('two checkpoints of one replica at one sequence number', () => {
  const cluster = new Cluster()
  const client = cluster.addClient()
  const told: Checkpoint[] = []
  cluster.filter = ({ message, to, from }) => {
    if (message.type === 'checkpoint' && to === 1 && from === 2) told.push(message)
    return true
  }
  for (let count = 0; count < 4; count++) cluster.call(client, add(1))
  cluster.run(50)
  const lie: Checkpoint = { ...told[0]!, digest: asDigest('ee'.repeat(32)) }
  cluster.input(1, { type: 'message', from: asReplicaId(3), message: lie })
  expect(convictions(cluster, [1])).toEqual([{ by: 1, signer: 2, found: { kind: 'checkpoint', signer: 2, view: null, seq: 4 } }])
})

it('a replica that was told another digest before takes a proof with the second one all the same', () => {
  const cluster = new Cluster()
  const client = cluster.addClient()
  const proof: Checkpoint[] = []
  cluster.filter = ({ message, to }) => {
    if (to !== 1) return true
    if (message.type === 'checkpoint') proof.push(message)
    return false
  }
  for (let count = 0; count < 4; count++) cluster.call(client, add(1))
  cluster.run(500)
  const right = new Map(proof.map((message) => [message.replica, message]))
  const wrong: Checkpoint = { ...right.get(asReplicaId(3))!, digest: asDigest('ee'.repeat(32)) }
  cluster.filter = ({ message, to }) => to !== 1 || message.type !== 'checkpoint'
  const tell = (message: Checkpoint) => cluster.input(1, { type: 'message', from: asReplicaId(3), message })
  tell(wrong)
  for (const message of right.values()) tell(message)
  cluster.run(5_000)
  expect(cluster.node(1).core.snapshot()).toMatchObject({ lowWatermark: 4, lastExecuted: 4 })
})

it('two view-changes of one replica for one view', () => {
  const cluster = new Cluster()
  cluster.call(cluster.addClient(), add(1))
  const seen: ViewChange[] = []
  cluster.filter = ({ message, to }) => {
    if (message.type === 'view-change' && to === 1 && message.replica === 2) seen.push(message)
    return message.type !== 'new-view'
  }
  for (const id of [2, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
  cluster.deliver()
  const [honest] = seen
  const from = asReplicaId(2)
  cluster.input(1, { type: 'message', from, message: { ...honest!, prepared: [], prePrepared: [] } })
  cluster.input(1, { type: 'message', from, message: honest! })
  expect(convictions(cluster, [1])).toEqual([{ by: 1, signer: 2, found: { kind: 'view-change', signer: 2, view: 1, seq: null } }])
})

it('a primary that restarts, at any moment, is convicted of nothing', () => {
  for (let records = 0; records < 4; records++) {
    const cluster = new Cluster({ lazyDisk: true })
    const client = cluster.addClient()
    for (let round = 0; round < 3; round++) {
      cluster.submit(client, add(1))
      for (let step = 0; step < 3; step++) {
        cluster.deliver()
        for (const id of [1, 2, 3]) cluster.flush(id)
      }
      cluster.crash(0, records)
      cluster.restart(0)
      cluster.lazyDisk = false
      for (const id of [0, 1, 2, 3]) cluster.flush(id)
      cluster.run(3_000)
      cluster.lazyDisk = true
    }
    expect(convictions(cluster, [0, 1, 2, 3])).toEqual([])
  }
})
