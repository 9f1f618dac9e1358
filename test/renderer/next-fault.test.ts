import { expect, test } from 'vitest'
import type { FaultRequest } from '../../src/contract/faults.ts'
import type { ReplicaState } from '../../src/contract/model.ts'
import { nextFaultsOf } from '../../src/renderer/lib/next-fault.ts'
import { clusterOf } from './support/cluster-of.ts'

const kinds = (states: readonly ReplicaState[], faults: readonly FaultRequest[] = []) => {
  const { singles, pairs } = nextFaultsOf({ ...clusterOf(states, faults), view: 0 })
  return { singles: singles.map(({ kind }) => kind), pairs: pairs.flat().map(({ replicas, kind }) => `${replicas.join('+')} ${kind}`) }
}
const live = (n: number): ReplicaState[] => Array.from({ length: n }, () => 'live')

test('four healthy ones: any one may fail, no two', () => {
  const { singles, pairs } = kinds(live(4))
  expect(singles).toEqual(['last', 'last', 'last', 'last'])
  expect(pairs).toEqual(['0+1 stops', '0+2 stops', '1+2 stops', '0+3 stops', '1+3 stops', '2+3 stops'])
})

test('seven healthy ones: any one leaves a fault, any two leave none', () => {
  const { singles, pairs } = kinds(live(7))
  expect(new Set(singles)).toEqual(new Set(['tolerated']))
  expect(pairs).toHaveLength(21)
  expect(pairs.every((pair) => pair.endsWith('last'))).toBe(true)
})

test('losing what is down already changes nothing', () => {
  const { singles, pairs } = kinds(['live', 'stopped', 'live', 'live'])
  expect(singles).toEqual(['stops', 'nothing', 'stops', 'stops'])
  expect(pairs).toContain('0+1 stops')
})

test('one on probation has no vote: what is left of the others decides', () => {
  const probation = { until: 128, heard: 3, needed: 2 }
  const cluster = clusterOf(['live', 'live', 'recovering', 'live'])
  const replicas = cluster.replicas.map((replica) => (replica.id === 2 ? { ...replica, probation } : replica))
  expect(nextFaultsOf({ ...cluster, replicas, view: 0 }).singles.map(({ kind }) => kind)).toEqual(['stops', 'stops', 'nothing', 'stops'])
})

test('what has stopped cannot stop again', () => {
  expect(kinds(['live', 'stopped', 'live', 'isolated']).singles).toEqual(['stopped', 'stopped', 'stopped', 'stopped'])
})

test('a cut link counts: with r0 and r1 apart, the quorum rests on the two others', () => {
  const cut: FaultRequest = { type: 'cut', from: 0, to: 1, bothWays: true, durationMs: null }
  expect(kinds(live(4), [cut]).singles).toEqual(['last', 'last', 'stops', 'stops'])
})

test('the primary takes its view along, to the next one that is still there', () => {
  const { singles, pairs } = nextFaultsOf({ ...clusterOf(live(7)), view: 0 })
  expect(singles.map(({ nextView }) => nextView?.view ?? null)).toEqual([1, null, null, null, null, null, null])
  expect(pairs[1]?.[0]).toMatchObject({ replicas: [0, 1], nextView: { view: 2, primary: 2 } })
})

test('one alone is the last one', () => {
  expect(kinds(['live'])).toEqual({ singles: ['stops'], pairs: [] })
})
