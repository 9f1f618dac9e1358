/** Copies of a replica's state: whatever a copy is given, it answers as the original does, and leaves the original alone. */
import { describe, expect, it } from 'vitest'
import { copyState } from '../../../src/pbft/protocol/copy.ts'
import { coreOf, restoreReplica } from '../../../src/pbft/protocol/replica.ts'
import type { Effect, Input, ReplicaCore } from '../../../src/pbft/protocol/steps.ts'
import type { ReplicaState } from '../../../src/pbft/protocol/state.ts'
import { createService, encodeOperation, type CopyableService } from '../../../src/pbft/service/index.ts'
import { add, createCounterService } from '../../support/counter-service.ts'
import { Cluster, testCapabilities, testConfig } from '../../support/protocol-cluster.ts'
import { Random } from '../../support/random.ts'

interface Taken {
  readonly id: number
  readonly input: Input
  readonly nowMs: number
}

/** What the replicas of a lossy cluster with view changes, checkpoints and state transfers are given, in order. */
const inputsOf = (seed: number): Taken[] => {
  const taken: Taken[] = []
  class Recorded extends Cluster {
    override input(id: number, input: Input): Effect[] {
      taken.push({ id, input, nowMs: this.nowMs })
      return super.input(id, input)
    }
  }
  const random = new Random(seed)
  let cutOff = -1
  const cluster = new Recorded({ filter: ({ from, to }) => from !== cutOff && to !== cutOff && !random.chance(0.05) })
  const clients = [0, 1, 2].map((k) => cluster.addClient(`client/${k}`, k === 1 ? { goodFor: [0, 1, 2, 3] } : null))
  for (let round = 0; round < 25; round++) {
    cutOff = random.chance(0.3) ? random.below(4) : -1
    for (const client of clients) if (client.timerAt === null) cluster.submit(client, add(random.below(9)))
    cluster.run(500 + random.below(3_000))
  }
  return taken
}

interface Subject {
  readonly state: ReplicaState
  readonly core: ReplicaCore
}

const step = ({ core }: Subject, { input, nowMs }: Taken): Effect[] => [
  ...core.step(input, nowMs),
  ...core.step({ type: 'drained' }, nowMs),
]

/** The counter service of the tests has no copy of its own. */
const copyCounters = (service: ReturnType<typeof createCounterService>): ReturnType<typeof createCounterService> => {
  const copy = createCounterService()
  const dirty = service.takeDirtyPartitions()
  for (const [index] of service.counters.entries()) copy.loadPartition(index, service.savePartition(index))
  for (const one of [service, copy])
    for (const index of dirty) one.execute(add(index, 0), { client: 'c/0' as never, timeMs: 0, resultBytesMax: 9 })
  return copy
}

describe('a copy of a replica', () => {
  it.each([1, 2, 3])('goes on as the original does, and apart from it (seed %i)', (seed) => {
    const taken = inputsOf(seed).filter(({ id }) => id === seed)
    const service = createCounterService()
    const state = restoreReplica(testConfig(4, seed), testCapabilities, service, { partitions: [], records: [] })
    const original: Subject = { state, core: coreOf(state) }
    const random = new Random(seed * 7)
    let copies: { readonly subject: Subject; left: number }[] = []
    let views = 0
    let compared = 0
    for (const one of taken) {
      const effects = step(original, one)
      for (const copy of copies) {
        expect(step(copy.subject, one)).toEqual(effects)
        expect(copy.subject.core.snapshot()).toEqual(original.core.snapshot())
        copy.left -= 1
        compared += 1
      }
      copies = copies.filter(({ left }) => left > 0)
      views = Math.max(views, original.state.view)
      if (!random.chance(0.02)) continue
      const copyOf = (): Subject => {
        const copy = copyState(original.state, testCapabilities, copyCounters(service)).state
        return { state: copy, core: coreOf(copy) }
      }
      copies.push({ subject: copyOf(), left: 100 })
      // One that is led astray changes nothing for the others.
      const strayed = copyOf()
      for (const wrong of taken.slice(1, 20)) step(strayed, { ...wrong, nowMs: one.nowMs })
    }
    expect(taken.length).toBeGreaterThan(200)
    expect(compared).toBeGreaterThan(200)
    expect(views).toBeGreaterThan(0)
    expect(original.state.checkpoints.stable.seq).toBeGreaterThan(0)
  })

  it('says so when the state has a part that it cannot copy', () => {
    const state = restoreReplica(testConfig(4, 0), testCapabilities, createCounterService(), { partitions: [], records: [] })
    class Part {
      readonly field = 1
    }
    const broken = { ...state, reads: [new Part() as never] }
    expect(() => copyState(broken, testCapabilities, createCounterService())).toThrow('says how it is copied')
  })
})

describe('a copy of the service', () => {
  const context = { client: 'c/0' as never, timeMs: 0, resultBytesMax: 1_000 }
  const digest = (service: CopyableService): string =>
    Array.from({ length: service.partitionCount }, (_, index) => service.savePartition(index).join()).join(';')

  it('has the same partitions and changes, and goes its own way', () => {
    const service = createService()
    for (let i = 0; i < 50; i++) service.execute(encodeOperation({ type: 'put', key: `k${i}`, value: `v${i}` }), context)
    service.execute(encodeOperation({ type: 'open', account: 'a', balance: 5 }), context)
    const copy = service.copy()
    const [before, again] = [digest(service), service.copy()]
    expect(digest(copy)).toBe(before)
    copy.execute(encodeOperation({ type: 'put', key: 'k1', value: 'other' }), context)
    copy.execute(encodeOperation({ type: 'delete', key: 'k2' }), context)
    copy.execute(encodeOperation({ type: 'open', account: 'b', balance: 5 }), context)
    expect(digest(service)).toBe(before)
    expect(digest(again)).toBe(before)
    expect(digest(copy)).not.toBe(before)
    service.execute(encodeOperation({ type: 'put', key: 'k1', value: 'mine' }), context)
    expect(digest(again)).toBe(before)
    expect(again.takeDirtyPartitions()).toEqual(service.takeDirtyPartitions())
  })
})
