import { describe, expect, test } from 'vitest'
import type { BehaviourName, FaultRequest } from '../../src/contract/faults.ts'
import type { ReplicaState, ReplicaStatus } from '../../src/contract/model.ts'
import { consequenceOf } from '../../src/renderer/lib/consequence.ts'
import { linksOf } from '../../src/renderer/lib/links.ts'
import { activeFault, clusterOf as cluster, replicaOf as replica } from './support/cluster-of.ts'

const isolate = (id: number): FaultRequest => ({ type: 'isolate', replica: id, durationMs: null })
const cut = (from: number, to: number, bothWays: boolean): FaultRequest => ({ type: 'cut', from, to, bothWays, durationMs: null })
const four: readonly ReplicaState[] = ['live', 'live', 'live', 'live']
const seven: readonly ReplicaState[] = [...four, 'live', 'live', 'live']

describe('what a fault would do', () => {
  test('isolating the primary of four is the last fault tolerated, and takes the primary away', () => {
    expect(consequenceOf(cluster(four), isolate(0))).toEqual({ kind: 'last', out: [0], available: 3, losesPrimary: true })
  })

  test('of seven, one isolated backup leaves one more fault', () => {
    expect(consequenceOf(cluster(seven), isolate(3))).toEqual({ kind: 'tolerated', out: [3], available: 6, losesPrimary: false })
  })

  test('a second one out of four stops progress, whatever put the first one out', () => {
    expect(consequenceOf(cluster(['live', 'stopped', 'live', 'live']), isolate(2)).kind).toBe('stops')
    expect(consequenceOf(cluster(['live', 'isolated', 'live', 'live'], [isolate(1)]), isolate(2))).toMatchObject({
      kind: 'stops',
      available: 2,
    })
  })

  test('one cut link takes one replica out of the group that hear each other, either way round', () => {
    expect(consequenceOf(cluster(four), cut(1, 2, true))).toMatchObject({ kind: 'last', available: 3 })
    expect(consequenceOf(cluster(four), cut(1, 2, false))).toMatchObject({ kind: 'last', available: 3 })
  })

  test('delay and some loss slow the protocol and cut nothing', () => {
    expect(
      consequenceOf(cluster(four), { type: 'delay', from: 0, to: 1, bothWays: true, delayMs: 100, jitterMs: 0, durationMs: null }).kind,
    ).toBe('slower')
    expect(consequenceOf(cluster(four), { type: 'loss', from: 0, to: 1, bothWays: true, probability: 0.5, durationMs: null }).kind).toBe(
      'slower',
    )
  })

  test('a partition keeps going on the side with a quorum only', () => {
    const of = (groups: number[][]) => consequenceOf(cluster(four), { type: 'partition', groups, durationMs: null })
    expect(of([[0, 1, 2], [3]])).toMatchObject({ kind: 'last', out: [3] })
    expect(
      of([
        [0, 1],
        [2, 3],
      ]),
    ).toMatchObject({ kind: 'stops', available: 2 })
    // Those in no group are one more group together.
    expect(of([[0, 1]])).toMatchObject({ kind: 'stops', available: 2 })
    expect(of([[0]])).toMatchObject({ kind: 'last', out: [0], losesPrimary: true })
    expect(of([[1, 2, 3]])).toMatchObject({ kind: 'last', out: [0], losesPrimary: true })
  })

  test('a paused replica counts as out though its links are up', () => {
    expect(consequenceOf(cluster(four), { type: 'pause', replica: 2, durationMs: null })).toMatchObject({ kind: 'last', out: [2] })
  })

  test('a liar is not to be counted on, and more of them than f are more than a loss', () => {
    const lie = (id: number, behaviour: BehaviourName): FaultRequest => ({
      type: 'byzantine',
      replica: id,
      behaviour,
      victim: null,
      durationMs: null,
    })
    expect(consequenceOf(cluster(four), lie(0, 'equivocate'))).toMatchObject({ kind: 'last', out: [0], losesPrimary: true })
    expect(consequenceOf(cluster(four), lie(0, 'forge'))).toMatchObject({ kind: 'last', out: [0], losesPrimary: false })
    const lying = cluster(['faulty', 'live', 'live', 'live'], [lie(0, 'forge')])
    expect(consequenceOf(lying, lie(1, 'silent'))).toMatchObject({ kind: 'unsafe', out: [0, 1] })
    expect(consequenceOf(lying, { type: 'pause', replica: 1, durationMs: null })).toMatchObject({ kind: 'stops' })
  })
})

describe('the state of a link', () => {
  const stateOf = (replicas: ReplicaStatus[], faults: FaultRequest[] = []) => linksOf(replicas, faults.map(activeFault))[0]?.state

  test('is up when each hears the other', () => {
    expect(stateOf([replica(0), replica(1)])).toBe('up')
    expect(stateOf([replica(0), replica(1, 'live', [])])).toBe('one-way')
    expect(stateOf([replica(0, 'live', []), replica(1, 'live', [])])).toBe('down')
    expect(stateOf([replica(0), replica(1, 'stopped')])).toBe('down')
  })

  test('names what the operator did first', () => {
    expect(stateOf([replica(0), replica(1)], [isolate(1)])).toBe('cut')
    expect(stateOf([replica(0), replica(1)], [cut(0, 1, false)])).toBe('one-way')
    expect(stateOf([replica(0), replica(1)], [cut(1, 0, true)])).toBe('cut')
    expect(stateOf([replica(0), replica(1)], [{ type: 'loss', from: 1, to: 0, bothWays: false, probability: 0.1, durationMs: null }])).toBe(
      'disturbed',
    )
  })
})
