import { describe, expect, it } from 'vitest'
import type { ReplicaState } from '../../src/contract/model.ts'
import { progressOf, toleratesMoreOf, verdictOf, viewOf, type VerdictInput, type VerdictReplica } from '../../src/cluster/verdict.ts'

const nowMs = 1_000_000

const replicas = (...states: ReplicaState[]): VerdictReplica[] =>
  states.map((state, id) => ({
    id,
    state,
    view: 0,
    active: true,
    pending: 0,
    hears: [],
    viewTimeoutMs: 500,
    transfer: null,
    probation: null,
  }))

const input = (over: Partial<VerdictInput> & { readonly replicas: readonly VerdictReplica[] }): VerdictInput => ({
  n: over.replicas.length,
  nowMs,
  linkFaults: 0,
  hears: () => true,
  view: 0,
  lastProgressAt: nowMs - 60_000,
  waitingSince: null,
  changingSince: null,
  frontier: null,
  disagreementSeq: null,
  patienceMs: 3_000,
  viewTimeoutMs: 500,
  ...over,
})

describe('the verdict', () => {
  it('is healthy when all are live', () => {
    const verdict = verdictOf(input({ replicas: replicas('live', 'live', 'live', 'live') }), null)
    expect(verdict).toMatchObject({ state: 'healthy', key: 'verdict.healthy', parameters: { n: 4, view: 0, primary: 0 } })
    expect(verdict.sentence).toBe('Healthy: all 4 replicas are live in view 0; r0 is primary.')
  })

  it.each(['isolated', 'unreachable', 'stopped', 'paused', 'stale', 'recovering', 'starting', 'faulty'] as const)(
    'is degraded by one that is %s',
    (state) => {
      expect(verdictOf(input({ replicas: replicas('live', state, 'live', 'live') }), null)).toMatchObject({
        state: 'degraded',
        key: `verdict.degraded.${state}`,
        parameters: { replicas: 'r1', tolerates: 0 },
      })
    },
  )

  it('says several when the causes differ', () => {
    const seven = replicas('live', 'isolated', 'stopped', 'live', 'live', 'live', 'live')
    expect(verdictOf(input({ replicas: seven }), null)).toMatchObject({
      key: 'verdict.degraded.several',
      parameters: { replicas: 'r1, r2' },
    })
  })

  it('says why it is stuck: two of four are isolated', () => {
    const verdict = verdictOf(input({ replicas: replicas('live', 'live', 'isolated', 'isolated') }), null)
    expect(verdict).toMatchObject({
      state: 'stuck',
      key: 'verdict.stuck.isolated',
      parameters: { since: nowMs - 60_000, needed: 3, available: 2, replicas: 'r2, r3' },
    })
    expect(verdict.sentence).toMatch(/^No progress since \d\d:\d\d:\d\d: 3 replicas are needed, 2 can take part\. Isolated: r2, r3\.$/)
  })

  it('is stuck for several causes', () => {
    expect(verdictOf(input({ replicas: replicas('live', 'live', 'isolated', 'stopped') }), null).key).toBe('verdict.stuck.noQuorum')
  })

  it('is not stuck while requests complete with the votes of one that lies', () => {
    const states = replicas('faulty', 'recovering', 'live', 'live')
    expect(verdictOf(input({ replicas: states, lastProgressAt: nowMs - 100 }), null)).toMatchObject({ state: 'degraded' })
    expect(verdictOf(input({ replicas: states }), null)).toMatchObject({ state: 'stuck', key: 'verdict.stuck.noQuorum' })
    const fewer = replicas('faulty', 'stopped', 'recovering', 'live')
    expect(verdictOf(input({ replicas: fewer, lastProgressAt: nowMs - 100 }), null)).toMatchObject({ state: 'stuck' })
  })

  it('is stuck in a partition without a quorum, and not in one with it', () => {
    const two = [
      [0, 1],
      [2, 3],
    ]
    const three = [[0, 1, 2], [3]]
    const hearsIn = (groups: number[][]) => (from: number, to: number) => groups.some((group) => group.includes(from) && group.includes(to))
    const all = replicas('live', 'live', 'live', 'live')
    expect(verdictOf(input({ replicas: all, linkFaults: 1, hears: hearsIn(two) }), null)).toMatchObject({
      state: 'stuck',
      key: 'verdict.stuck.partition',
      parameters: { needed: 3, available: 2 },
    })
    expect(verdictOf(input({ replicas: all, linkFaults: 1, hears: hearsIn(three) }), null)).toMatchObject({
      state: 'degraded',
      key: 'verdict.degraded.faults',
      parameters: { count: 1 },
    })
  })

  it('waits before it calls a view change stuck', () => {
    const changing = replicas('live', 'live', 'live', 'isolated').map((replica) => ({ ...replica, view: 1, active: false }))
    expect(verdictOf(input({ replicas: changing, changingSince: nowMs - 500 }), null)).toMatchObject({
      state: 'degraded',
      key: 'verdict.degraded.viewChange',
      parameters: { view: 1, primary: 1 },
    })
    expect(verdictOf(input({ replicas: changing, changingSince: nowMs - 3_500 }), null)).toMatchObject({
      state: 'stuck',
      key: 'verdict.stuck.viewChange',
    })
  })

  it('names the seq that does not get further, or the primary that orders nothing', () => {
    const waiting = replicas('live', 'live', 'live', 'live').map((replica) => ({ ...replica, pending: 7 }))
    const base = { replicas: waiting, waitingSince: nowMs - 4_000 }
    expect(verdictOf(input({ ...base, frontier: { seq: 412, phase: 'prepared', have: 2 } }), null)).toMatchObject({
      key: 'verdict.stuck.slot',
      parameters: { seq: 412, phase: 'prepared', available: 2, needed: 3 },
    })
    expect(verdictOf(input(base), null)).toMatchObject({ key: 'verdict.stuck.noProgress', parameters: { pending: 7, view: 0, primary: 0 } })
    expect(verdictOf(input({ ...base, waitingSince: nowMs - 100 }), null).state).toBe('healthy')
  })

  it('knows stopped, unreachable and starting', () => {
    expect(verdictOf(input({ replicas: replicas('stopped', 'stopped', 'stopped', 'stopped') }), null).state).toBe('stopped')
    expect(verdictOf(input({ replicas: replicas('unreachable', 'unreachable', 'stopped', 'unreachable') }), null).key).toBe(
      'verdict.unknown.noneReachable',
    )
    expect(verdictOf(input({ replicas: replicas('live', 'starting', 'starting', 'live') }), null).key).toBe('verdict.unknown.starting')
  })

  it('puts a disagreement before everything else', () => {
    expect(verdictOf(input({ replicas: replicas('live', 'live', 'live', 'live'), disagreementSeq: 9 }), null)).toMatchObject({
      state: 'stuck',
      key: 'verdict.stuck.diverged',
      parameters: { seq: 9, f: 1 },
    })
  })

  it('keeps since while the key stays', () => {
    const healthy = input({ replicas: replicas('live', 'live', 'live', 'live') })
    const first = verdictOf(healthy, null)
    expect(verdictOf({ ...healthy, nowMs: nowMs + 5_000 }, first).since).toBe(nowMs)
    const degraded = input({ replicas: replicas('live', 'live', 'live', 'stopped'), nowMs: nowMs + 6_000 })
    expect(verdictOf(degraded, first).since).toBe(nowMs + 6_000)
  })
})

it('believes a view when f+1 reachable replicas have reached it', () => {
  const at = (...views: (number | null)[]): VerdictReplica[] => views.map((view, id) => ({ ...reported, id, state: 'live', view }))
  const reported = { active: true, pending: 0, hears: [], viewTimeoutMs: 500, transfer: null, probation: null }
  expect(viewOf(4, at(0, 9, 0, 0))).toBe(0)
  expect(viewOf(4, at(0, 9, 9, 0))).toBe(9)
  expect(viewOf(4, at(null, null, null, 3))).toBeNull()
  expect(viewOf(4, [...at(0, 0, 5), { ...reported, id: 3, state: 'stopped', view: 5 }])).toBe(0)
})

it('tolerates at most f more, and none below a quorum', () => {
  expect(toleratesMoreOf(4, replicas('live', 'live', 'live', 'live'))).toBe(1)
  expect(toleratesMoreOf(4, replicas('live', 'live', 'live', 'isolated'))).toBe(0)
  expect(toleratesMoreOf(4, replicas('live', 'stopped', 'live', 'isolated'))).toBe(0)
  expect(toleratesMoreOf(6, replicas('live', 'live', 'live', 'live', 'live', 'live'))).toBe(1)
  expect(toleratesMoreOf(7, replicas('live', 'live', 'live', 'live', 'live', 'live', 'stopped'))).toBe(1)
})

describe('progress', () => {
  const patienceMs = 3_000
  const stateOf = (over: Parameters<typeof input>[0], waitedMs: number): string =>
    progressOf(verdictOf(input(over), null), waitedMs, patienceMs)
  const all = replicas('live', 'live', 'live', 'live')

  it('is broken when a request waits too long though a quorum is there', () => {
    expect(stateOf({ replicas: all, waitingSince: nowMs - 3_500 }, 3_500)).toBe('violated')
    expect(stateOf({ replicas: all, waitingSince: nowMs - 500 }, 500)).toBe('holds')
  })

  it('is unknown while the quorum is missing, whatever waits', () => {
    const cut = replicas('live', 'live', 'isolated', 'isolated')
    expect(stateOf({ replicas: cut }, 0)).toBe('unknown')
    expect(stateOf({ replicas: cut, waitingSince: nowMs - 60_000 }, 60_000)).toBe('unknown')
    expect(stateOf({ replicas: all, linkFaults: 1, hears: () => false, waitingSince: nowMs - 60_000 }, 60_000)).toBe('unknown')
  })

  it('is unknown while a view change does not finish and nothing waits', () => {
    const changing = all.map((replica) => ({ ...replica, view: 1, active: false }))
    expect(stateOf({ replicas: changing, changingSince: nowMs - 9_000 }, 0)).toBe('unknown')
    expect(stateOf({ replicas: changing, changingSince: nowMs - 9_000 }, 9_000)).toBe('violated')
  })
})
