import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../src/pbft/protocol/steps.ts'
import type { Request } from '../../../src/pbft/protocol/messages.ts'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { batchOf, commitOf, phasesIn, prePrepareOf, prepareOf, rejectionsIn, requestOf, sentIn, Solo } from '../../support/solo-replica.ts'
import { macedFor } from '../../support/test-macs.ts'

const NOW = 1_000_000
const plain = requestOf('x/1', 1, add(1))
/** Replica 1 cannot verify it. */
const batch = batchOf(NOW, requestOf('a/1', 1, add(1)), macedFor(plain, [0, 2, 3]))
const proposal = prePrepareOf(0, 1, batch)
const { digest } = proposal
const wantedIn = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'want-signature' ? [`${effect.message.client} ${effect.message.timestamp}`] : []))
const viewsOf = (cluster: Cluster): number[] => cluster.nodes.map((node) => node.core.snapshot().view)

describe('a pre-prepare with a request that is not proven here', () => {
  it('gets no vote and no record until f+1 replicas vouch for it', () => {
    const solo = new Solo(1, 7)
    const seven = prePrepareOf(0, 1, batchOf(NOW, macedFor(plain, [0], 7)))
    expect(sentIn(solo.receive(0, seven))).toEqual([])
    expect(solo.core.snapshot().suspended).toBe(1)
    for (const id of [0, 2]) expect(phasesIn(solo.receive(id, prepareOf(id, 0, 1, seven.digest)))).toEqual([])
    // One that votes twice counts once.
    expect(phasesIn(solo.receive(2, prepareOf(2, 0, 1, seven.digest)))).toEqual([])
    const third = solo.receive(3, prepareOf(3, 0, 1, seven.digest))
    expect(phasesIn(third)).toEqual(['pre-prepared'])
    expect(sentIn(third)).toEqual(['prepare'])
    expect(third.findIndex((effect) => effect.type === 'persist')).toBeLessThan(third.findIndex((effect) => effect.type === 'send'))
    expect(solo.core.snapshot().suspended).toBe(0)
  })

  it('is accepted at once when the votes came first', () => {
    const solo = new Solo(1)
    for (const id of [0, 2]) solo.receive(id, prepareOf(id, 0, 1, digest))
    expect(phasesIn(solo.receive(0, proposal))).toEqual(['pre-prepared', 'prepared'])
  })

  it('is not backed by votes for something else or of another view', () => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    const other = prePrepareOf(0, 1, batchOf(NOW, requestOf('b/1', 1, add(1))))
    for (const [id, view, of] of [
      [0, 0, digest],
      [2, 1, digest],
      [3, 0, other.digest],
    ] as const) {
      expect(phasesIn(solo.receive(id, prepareOf(id, view, 1, of)))).toEqual([])
    }
    expect(solo.core.snapshot().suspended).toBe(1)
  })

  it('gives way to another that f+1 replicas vouch for', () => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    const other = prePrepareOf(0, 1, batchOf(NOW, macedFor(requestOf('b/1', 1, add(1)), [0])))
    expect(rejectionsIn(solo.receive(0, other))).toEqual(['conflicting-pre-prepare'])
    for (const id of [0, 2]) solo.receive(id, prepareOf(id, 0, 1, other.digest))
    expect(solo.core.snapshot().suspended).toBe(0)
    expect(phasesIn(solo.receive(0, other))).toEqual(['pre-prepared', 'prepared'])
  })

  it.each([
    ['its signed copy', plain],
    ['a copy with a MAC that holds', macedFor(plain, [1])],
  ])('is proven by %s', (_, copy) => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    expect(phasesIn(solo.request(copy))).toEqual(['pre-prepared'])
  })

  it('is proven by a signed copy that is pending here', () => {
    const solo = new Solo(1)
    solo.request(plain)
    expect(phasesIn(solo.receive(0, proposal))).toEqual(['pre-prepared'])
  })

  it.each<[string, Request]>([
    ['another operation', requestOf('x/1', 1, add(2))],
    ['another timestamp', requestOf('x/1', 2, add(1))],
    ['another session', requestOf('x/2', 1, add(1))],
    ['a MAC that does not hold either', macedFor(plain, [0, 2])],
  ])('is not proven by %s', (_, copy) => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    solo.request(copy)
    expect(solo.core.snapshot().suspended).toBe(1)
  })

  it('needs proof of each of its requests', () => {
    const solo = new Solo(1)
    const other = requestOf('y/1', 1, add(1))
    solo.receive(0, prePrepareOf(0, 1, batchOf(NOW, macedFor(plain, []), macedFor(other, []))))
    expect(phasesIn(solo.request(plain))).toEqual([])
    expect(phasesIn(solo.request(other))).toEqual(['pre-prepared'])
  })

  it('is executed when a quorum has committed it', () => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    for (const id of [0, 2]) solo.receive(id, commitOf(id, 0, 1, digest))
    expect(solo.core.snapshot().suspended).toBe(1)
    const effects = solo.receive(3, commitOf(3, 0, 1, digest))
    expect(phasesIn(effects)).toEqual(['committed', 'executed'])
    expect(sentIn(effects)).toEqual([])
    expect(solo.core.snapshot().suspended).toBe(0)
  })

  it('is dropped with its view', () => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    solo.core.step({ type: 'operator', command: { kind: 'change-view' } }, solo.nowMs)
    expect(solo.core.snapshot().suspended).toBe(0)
    expect(phasesIn(solo.request(plain))).toEqual([])
  })

  it('asks its client for a signature at status time, not at once', () => {
    const solo = new Solo(1)
    expect(wantedIn(solo.receive(0, proposal))).toEqual([])
    solo.nowMs += 1_000
    const effects = solo.core.step({ type: 'timer', timer: 'status' }, solo.nowMs)
    expect(wantedIn(effects)).toEqual(['x/1 1'])
    expect(rejectionsIn(effects)).toEqual(['unverified-request'])
    expect(solo.core.snapshot().held).toEqual(['x'])
    // The peers see that it has the bytes.
    const status = effects.flatMap((effect) => (effect.type === 'send' && effect.message.type === 'status' ? [effect.message] : []))
    expect(status[0]?.slots).toEqual([{ seq: 1, prePrepared: true, prepared: false, committed: false }])
  })
})

describe('a request with MACs', () => {
  it('goes from a backup to the primary, and no timer runs for it', () => {
    const solo = new Solo(1)
    const effects = solo.request(macedFor(plain, [0, 1]))
    expect(sentIn(effects)).toEqual(['request'])
    expect(solo.core.snapshot()).toMatchObject({ pending: 0, viewTimerDueAtMs: null })
  })

  it('that do not hold is refused, its client asked and held', () => {
    const solo = new Solo(0)
    const effects = solo.request(macedFor(plain, [1, 2, 3]))
    expect(rejectionsIn(effects)).toEqual(['unverified-request'])
    expect(wantedIn(effects)).toEqual(['x/1 1'])
    expect(solo.core.snapshot()).toMatchObject({ pending: 0, held: ['x'] })
    // All sessions of the principal are, until the time is over; what is signed is taken.
    const held = solo.request(macedFor(requestOf('x/2', 1, add(1)), [0]))
    expect(rejectionsIn(held)).toEqual(['held-to-signatures'])
    expect(wantedIn(held)).toEqual(['x/2 1'])
    expect(rejectionsIn(solo.request(plain))).toEqual([])
    solo.nowMs += 60_000
    expect(rejectionsIn(solo.request(macedFor(requestOf('x/2', 1, add(1)), [0])))).toEqual([])
    expect(solo.core.snapshot()).toMatchObject({ pending: 2, held: [] })
  })

  it('that a backup passed on spoilt is refused; nobody is asked or held, for the backup may have spoilt them', () => {
    const solo = new Solo(0)
    const effects = solo.receive(2, macedFor(plain, [1]))
    expect(rejectionsIn(effects)).toEqual(['unverified-request'])
    expect(wantedIn(effects)).toEqual([])
    expect(solo.core.snapshot()).toMatchObject({ pending: 0, held: [] })
  })

  it('is proposed signed when the signed copy comes in time', () => {
    const solo = new Solo(0)
    solo.request(macedFor(plain, [0]))
    solo.request(plain)
    const effects = solo.core.step({ type: 'drained' }, solo.nowMs)
    const proposed = effects.flatMap((effect) => (effect.type === 'send' && effect.message.type === 'pre-prepare' ? [effect.message] : []))
    expect(proposed[0]?.batch.requests).toEqual([plain])
  })

  it('completes without a signature where all MACs hold, and where those of one replica do not', () => {
    for (const goodFor of [
      [0, 1, 2, 3],
      [0, 1, 2],
      [0, 2],
    ]) {
      const cluster = new Cluster()
      const client = cluster.addClient('mac/1', { goodFor })
      for (let i = 1; i <= 10; i++) expect(readCounter(cluster.call(client, add(1)).result)).toBe(i)
      cluster.run(2_000)
      expect(cluster.nodes.map((node) => node.service.counters[1])).toEqual([10, 10, 10, 10])
      expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
      expect(cluster.wanted).toEqual([])
    }
  })

  it('completes with one when fewer can verify it', () => {
    for (const goodFor of [[0], [1, 2, 3], []]) {
      const cluster = new Cluster()
      const client = cluster.addClient('mac/1', { goodFor })
      for (let i = 1; i <= 3; i++) expect(readCounter(cluster.call(client, add(1)).result)).toBe(i)
      expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
      expect(cluster.wanted.length).toBeGreaterThan(0)
    }
  })

  it('survives a change of the primary', () => {
    const cluster = new Cluster()
    const client = cluster.addClient('mac/1', { goodFor: [0, 1, 2, 3] })
    cluster.call(client, add(1))
    cluster.crash(0)
    for (let i = 2; i <= 4; i++) expect(readCounter(cluster.call(client, add(1)).result)).toBe(i)
    expect(viewsOf(cluster).slice(1)).toEqual([1, 1, 1])
    cluster.assertAgreement()
  })
})
