import { describe, expect, it } from 'vitest'
import { faultSentence, faultSentences } from '../../src/contract/fault-sentences.ts'
import { behaviourNames, type BehaviourName, type FaultRequest } from '../../src/contract/faults.ts'
import { behaviourNames as engineBehaviours } from '../../src/pbft/faults/index.ts'
import { fillSentence } from '../../src/cluster/sentence.ts'
import { faultProblem, isCut, noTransportFaults, replicasAffected, transportFaultsOf } from '../../src/cluster/faults.ts'

const isolate = (replica: number): FaultRequest => ({ type: 'isolate', replica, durationMs: null })
const cut = (from: number, to: number, bothWays = false): FaultRequest => ({ type: 'cut', from, to, bothWays, durationMs: null })
const loss = (from: number, to: number, probability: number): FaultRequest => ({
  type: 'loss',
  from,
  to,
  bothWays: false,
  probability,
  durationMs: null,
})
const delay = (from: number, to: number, delayMs: number, bothWays = false): FaultRequest => ({
  type: 'delay',
  from,
  to,
  bothWays,
  delayMs,
  jitterMs: 5,
  durationMs: null,
})
const byzantine = (replica: number, behaviour: BehaviourName, victim: number | null = null): FaultRequest => ({
  type: 'byzantine',
  replica,
  behaviour,
  victim,
  durationMs: null,
})
const partition = (...groups: number[][]): FaultRequest => ({ type: 'partition', groups, durationMs: null })

describe('transport faults of one replica', () => {
  it('are none without faults', () => {
    expect(transportFaultsOf([], 0, 4)).toEqual(noTransportFaults)
  })

  it('cut peers and clients both ways at an isolated replica, and nothing at the others', () => {
    const own = transportFaultsOf([isolate(1)], 1, 4)
    expect(own.outgoing.map(({ peer, rule }) => [peer, rule.cut])).toEqual([
      [0, true],
      [2, true],
      [3, true],
    ])
    expect(own.incomingCut).toEqual([0, 2, 3])
    expect(own.clientsCut).toBe(true)
    expect(transportFaultsOf([isolate(1)], 0, 4)).toEqual(noTransportFaults)
  })

  it('cut a one-way link at both of its ends', () => {
    expect(transportFaultsOf([cut(0, 1)], 0, 4).outgoing).toMatchObject([{ peer: 1, rule: { cut: true } }])
    expect(transportFaultsOf([cut(0, 1)], 0, 4).incomingCut).toEqual([])
    expect(transportFaultsOf([cut(0, 1)], 1, 4)).toEqual({ ...noTransportFaults, incomingCut: [0] })
  })

  it('separate the groups of a partition; those in none are one more together', () => {
    const faults = [partition([0, 1], [2])]
    expect(transportFaultsOf(faults, 0, 4).incomingCut).toEqual([2, 3])
    expect(transportFaultsOf(faults, 2, 4).incomingCut).toEqual([0, 1, 3])
    expect(transportFaultsOf(faults, 3, 4).incomingCut).toEqual([0, 1, 2])
    expect(transportFaultsOf(faults, 0, 4).clientsCut).toBe(false)
    expect([0, 1, 2, 3].map((id) => transportFaultsOf([partition([0, 1])], id, 4).incomingCut)).toEqual([
      [2, 3],
      [2, 3],
      [0, 1],
      [0, 1],
    ])
  })

  it('add up: delays are summed, probabilities combined, bounds kept', () => {
    const [first] = transportFaultsOf([delay(0, 1, 40), delay(1, 0, 30, true), loss(0, 1, 0.5), loss(0, 1, 0.5)], 0, 4).outgoing
    expect(first).toEqual({ peer: 1, rule: { cut: false, delayMs: 70, jitterMs: 5, loss: 0.75, duplicate: 0, reorder: 0, corrupt: 0 } })
    expect(transportFaultsOf([delay(0, 1, 60_000), delay(0, 1, 60_000)], 0, 4).outgoing[0]?.rule.delayMs).toBe(60_000)
  })

  it('leave the transport alone for a pause', () => {
    expect(transportFaultsOf([{ type: 'pause', replica: 0, durationMs: null }], 0, 4)).toEqual(noTransportFaults)
  })

  it('make one replica misbehave, in the newest way', () => {
    const faults = [byzantine(0, 'starve', 2), byzantine(0, 'silent'), byzantine(1, 'forge')]
    expect(transportFaultsOf(faults, 0, 4)).toEqual({ ...noTransportFaults, byzantine: { behaviour: 'silent', victim: null } })
    expect(transportFaultsOf(faults.slice(0, 1), 0, 4).byzantine).toEqual({ behaviour: 'starve', victim: 2 })
    expect(transportFaultsOf(faults, 2, 4)).toEqual(noTransportFaults)
    expect(isCut(faults, 0, 2)).toBe(false)
  })

  it('the contract has the behaviours that the engine has', () => {
    expect(behaviourNames).toEqual(engineBehaviours)
  })
})

describe('who can hear whom', () => {
  it('follows isolation, cuts with direction, partitions and total loss', () => {
    expect(isCut([isolate(2)], 2, 0)).toBe(true)
    expect(isCut([isolate(2)], 0, 2)).toBe(true)
    expect(isCut([isolate(2)], 0, 1)).toBe(false)
    expect(isCut([cut(0, 1)], 0, 1)).toBe(true)
    expect(isCut([cut(0, 1)], 1, 0)).toBe(false)
    expect(isCut([cut(0, 1, true)], 1, 0)).toBe(true)
    expect(isCut([loss(0, 1, 1)], 0, 1)).toBe(true)
    expect(isCut([loss(0, 1, 0.99)], 0, 1)).toBe(false)
    expect(isCut([partition([0, 1], [2, 3])], 1, 2)).toBe(true)
    expect(isCut([partition([0, 1], [2, 3])], 2, 3)).toBe(false)
  })
})

describe('what is refused', () => {
  it.each([
    [isolate(4), /r4/],
    [cut(1, 1), /two different/],
    [partition([0, 1], [1, 2]), /one group/],
    [partition([0, 9]), /r9/],
    [byzantine(0, 'starve', 4), /r4/],
    [byzantine(0, 'starve', 0), /itself/],
    [byzantine(0, 'silent', 1), /victim/],
  ])('%j', (fault, problem) => {
    expect(faultProblem(fault, 4)).toMatch(problem)
  })

  it('nothing of a sound fault', () => {
    expect(faultProblem(partition([0, 1], [2, 3]), 4)).toBeNull()
    expect(faultProblem(isolate(3), 4)).toBeNull()
  })
})

it('names the replicas that have to change something', () => {
  expect(replicasAffected(isolate(2), 4)).toEqual([2])
  expect(replicasAffected(cut(3, 1), 4)).toEqual([1, 3])
  expect(replicasAffected(delay(3, 1, 10), 4)).toEqual([3])
  expect(replicasAffected(delay(3, 1, 10, true), 4)).toEqual([1, 3])
  expect(replicasAffected(partition([0]), 4)).toEqual([0, 1, 2, 3])
  expect(replicasAffected({ type: 'pause', replica: 0, durationMs: null }, 4)).toEqual([])
  expect(replicasAffected(byzantine(1, 'starve', 2), 4)).toEqual([1])
})

it('describes faults in a few words', () => {
  const said = (fault: FaultRequest): string => {
    const { key, parameters } = faultSentence(fault)
    return fillSentence(faultSentences[key], parameters)
  }
  expect(said(isolate(0))).toBe('r0 isolated')
  expect(said(byzantine(0, 'equivocate'))).toBe('r0: equivocates')
  expect(said(byzantine(0, 'starve', 3))).toBe('r0: starves r3')
  expect(said(delay(0, 1, 50, true))).toBe('r0 ↔ r1 delayed by 50 ms')
  expect(said(loss(0, 1, 0.25))).toBe('r0 → r1 loses 25 %')
  expect(said(partition([0, 1], [2]))).toBe('partition r0 r1 | r2')
})
