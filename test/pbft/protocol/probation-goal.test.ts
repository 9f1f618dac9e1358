/** How a replica that lost its disk finds out when it may vote again, told by hand (SPEC, I21 and I22). */
import { describe, expect, it } from 'vitest'
import { asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import { createReplica } from '../../../src/pbft/protocol/replica.ts'
import type { ReplicaCore } from '../../../src/pbft/protocol/steps.ts'
import { add, createCounterService } from '../../support/counter-service.ts'
import { Cluster, testCapabilities, testConfig, TestDisk } from '../../support/protocol-cluster.ts'
import { statusOf } from '../../support/solo-replica.ts'

const lost = (n: number): ReplicaCore => {
  const core = createReplica(testConfig(n, 1), testCapabilities, createCounterService(), { partitions: [], records: [] })
  core.step({ type: 'start', disk: 'lost' }, 1_000_000)
  return core
}

/** `peer` names its last checkpoint, and what it prepared. */
const name = (core: ReplicaCore, peer: number, checkpoint: number, prepared = checkpoint): void => {
  const message = statusOf(peer, { lastCheckpoint: asSeqNo(checkpoint), lastPrepared: asSeqNo(prepared) })
  core.step({ type: 'message', from: asReplicaId(peer), message }, 1_000_000)
}

const goalOf = (core: ReplicaCore): number | null | undefined => core.snapshot().probation?.until

describe('the goal of a replica on probation', () => {
  it('lies a window above the highest checkpoint of three, whoever names it', () => {
    for (const checkpoints of [
      [12, 4, 8],
      [4, 12, 8],
      [8, 4, 12],
    ] as const) {
      const core = lost(4)
      ;[0, 2, 3].forEach((peer, i) => name(core, peer, checkpoints[i] ?? 0, 12))
      expect(goalOf(core)).toBe(12 + 8)
    }
  })

  it('is not known before enough have named one, nor when fewer than f+1 have prepared so far', () => {
    const core = lost(4)
    name(core, 0, 4)
    name(core, 2, 4)
    expect(goalOf(core)).toBeNull()
    expect(core.snapshot().probation).toMatchObject({ heard: 2, needed: 3 })
    // One that names what nobody else has got near.
    name(core, 3, 1_000)
    expect(goalOf(core)).toBeNull()
  })

  it('does not move with the progress that peers make meanwhile', () => {
    const core = lost(4)
    for (const peer of [0, 2, 3]) name(core, peer, 4, 5)
    expect(goalOf(core)).toBe(12)
    for (const peer of [0, 2, 3]) name(core, peer, 16, 17)
    expect(goalOf(core)).toBe(12)
  })

  it('of seven replicas needs no more than four of the others', () => {
    const core = lost(7)
    expect(core.snapshot().probation).toMatchObject({ heard: 0, needed: 5 })
    for (const [peer, checkpoint] of [8, 0, 4, 16, 12].entries()) name(core, peer === 0 ? 0 : peer + 1, checkpoint, 16)
    expect(goalOf(core)).toBe(16 + 8)
  })
})

it('probation does not end before peers have it on disk that the old words are void', () => {
  const cluster = new Cluster()
  const client = cluster.addClient()
  for (let i = 0; i < 5; i++) cluster.call(client, add(i))
  // What two of the others say of replica 2 is that they do not know from which view on it votes.
  cluster.filter = ({ from, to, message }, self) => {
    if (to !== 2 || from === 3 || message.type !== 'status') return true
    const memories = message.memories.map((memory, id) => (id === 2 ? { ...memory, since: null } : memory))
    self.input(to, { type: 'message', from, message: { ...message, memories } })
    return false
  }
  cluster.crash(2)
  cluster.restart(2, new TestDisk('lost'))
  cluster.run(8_000)
  const { probation, lowWatermark } = cluster.node(2).core.snapshot()
  expect(probation?.until).toBeLessThanOrEqual(lowWatermark)
  cluster.filter = () => true
  cluster.run(3_000)
  expect(cluster.node(2).core.snapshot().probation).toBeNull()
  expect(cluster.node(2).disk.records.findLast(({ kind }) => kind === 'born')).toMatchObject({ lost: null, since: asView(0) })
})
