import { describe, expect, it } from 'vitest'
import type { SlotObservation } from '../../src/contract/control.ts'
import { Alarms } from '../../src/cluster/model/alarms.ts'
import { Checkpoints } from '../../src/cluster/model/checkpoints.ts'
import { ClockOffset } from '../../src/cluster/model/clock.ts'
import { Latencies, percentile, Rate, Samples } from '../../src/cluster/model/metrics.ts'
import { latencyOf, Ledger, phasesOf } from '../../src/cluster/model/ledger.ts'
import { readObserved, type ObservedProtocolEvent } from '../../src/cluster/model/observed.ts'
import { replicaStateOf, type ReplicaFacts } from '../../src/cluster/model/replica-state.ts'
import { Views } from '../../src/cluster/model/views.ts'

const digest = 'a'.repeat(64)
const empty = { checkpoints: 1, preparedSpan: null, prePreparedSpan: null }
const slot = (seq: number, over: Partial<SlotObservation> = {}): SlotObservation => ({
  seq,
  view: 0,
  digest,
  requests: 1,
  prePreparedAt: 100,
  preparedAt: 110,
  committedAt: 120,
  executedAt: 121,
  ...over,
})

describe('the ledger', () => {
  it('joins what replicas saw, their clocks corrected', () => {
    const ledger = new Ledger(4)
    ledger.observe(0, slot(1), 0)
    ledger.observe(1, slot(1, { prePreparedAt: 5_104, preparedAt: null, committedAt: null, executedAt: null }), 5_000)
    const rows = ledger.rows(1)
    expect(rows.map((row) => [row.replica, row.prePreparedAt, row.executedAt])).toEqual([
      [0, 100, 121],
      [1, 104, null],
    ])
    expect(phasesOf(rows)).toEqual({ 0: 'executed', 1: 'pre-prepared' })
    expect(latencyOf(rows)).toBe(21)
    expect(latencyOf(rows.map((row) => ({ ...row, executedAt: row.executedAt === null ? null : 121.123_456 })))).toBe(21.12)
  })

  it('keeps an execution when a later view agrees on the same batch again', () => {
    const ledger = new Ledger(4)
    ledger.observe(0, slot(1), 0)
    ledger.observe(0, slot(1, { view: 1, prePreparedAt: 900, preparedAt: null, committedAt: null, executedAt: null }), 0)
    expect(ledger.row(0, 1)).toMatchObject({ view: 0, executedAt: 121 })
  })

  it('knows that a replica beyond a seq which it was not seen to execute had it transferred', () => {
    const ledger = new Ledger(4)
    for (let seq = 10; seq <= 12; seq += 1) ledger.observe(0, slot(seq), 0)
    ledger.passed(3, 11)
    expect([9, 10, 11, 12].map((seq) => phasesOf(ledger.rows(seq))[3])).toEqual([undefined, 'transferred', 'transferred', undefined])
    ledger.observe(3, slot(11), 0)
    expect(phasesOf(ledger.rows(11))[3]).toBe('executed')
  })

  it('forgets the oldest', () => {
    const ledger = new Ledger(31)
    ledger.observe(0, slot(1), 0)
    ledger.observe(0, slot(200_000), 0)
    expect(ledger.rows(1)).toEqual([])
    expect(ledger.first).toBeGreaterThan(1)
    ledger.observe(0, slot(1), 0)
    expect(ledger.rows(1)).toEqual([])
  })

  it('finds the seq that waits', () => {
    const ledger = new Ledger(4)
    ledger.observe(0, slot(1), 0)
    ledger.observe(0, slot(2, { committedAt: null, executedAt: null }), 0)
    ledger.observe(1, slot(2, { preparedAt: null, committedAt: null, executedAt: null }), 0)
    expect(ledger.frontier()).toEqual({ seq: 2, phase: 'prepared', have: 1 })
  })

  it('hands out what changed once, in order', () => {
    const ledger = new Ledger(4)
    ledger.observe(0, slot(3), 0)
    ledger.observe(0, slot(2), 0)
    expect(ledger.takeDirty()).toEqual([2, 3])
    expect(ledger.takeDirty()).toEqual([])
  })
})

const started = (view: number, kind: string, client?: string): ObservedProtocolEvent => ({
  type: 'view-change-started',
  view,
  reason: client === undefined ? { kind } : { kind, client },
})

describe('views', () => {
  it('say why they began, who voted, and how long the service stood still', () => {
    const views = new Views(4, 1_000)
    for (const replica of [0, 1, 2, 3]) views.reported(replica, 0, 10)
    views.executed(0, 100)
    views.observe(1, started(1, 'request-timeout', 'operator/panel-0'), 1_500)
    views.observe(2, started(1, 'request-timeout', 'operator/panel-0'), 1_510)
    views.observe(3, started(1, 'joined'), 1_515)
    views.observe(1, { type: 'view-change-received', view: 1, from: 2, stableSeq: 0, ...empty, prepared: 3, prePrepared: 4 }, 1_520)
    views.observe(
      1,
      { type: 'view-entered', view: 1, primary: 1, start: { seq: 0, digest }, chosen: 3, nulls: 1, chosenSpan: null, nullSeqs: [] },
      1_530,
    )
    views.executed(1, 1_600)
    const [first, second] = views.list()
    expect(first).toMatchObject({ view: 0, reasonKey: 'view.reason.initial', entered: [0, 1, 2, 3], began: 10, outageMs: null })
    expect(second).toMatchObject({
      view: 1,
      primary: 1,
      started: 1_500,
      began: 1_530,
      outageMs: 1_100,
      chosen: 3,
      nulls: 1,
      chosenSpan: null,
      nullSeqs: [],
      reasonKey: 'view.reason.requestTimeout',
      reason: '2 of 4 replicas timed out on a request of operator/panel-0',
    })
    expect(second?.votes.map(({ replica, reason, prepared }) => [replica, reason, prepared])).toEqual([
      [1, 'request-timeout', null],
      [2, 'request-timeout', 3],
      [3, 'joined', null],
    ])
  })

  it('counts as outage what requests waited, not the idle time before them', () => {
    const views = new Views(4, 1_000)
    const enter = (view: number, at: number): void => {
      for (const replica of [1, 2, 3]) views.observe(replica, started(view, 'operator'), at)
      views.observe(
        1,
        { type: 'view-entered', view, primary: view % 4, start: { seq: 0, digest }, chosen: 0, nulls: 0, chosenSpan: null, nullSeqs: [] },
        at,
      )
    }
    for (const replica of [0, 1, 2, 3]) views.reported(replica, 0, 10)
    views.executed(0, 1_000)
    views.waiting(1_000_250)
    enter(1, 1_001_000)
    views.executed(1, 1_001_500)
    // Nothing waits while a view changes.
    enter(2, 2_000_000)
    views.executed(2, 3_000_000)
    // Under load the wait begins with the last execution, however early a replica claims to have begun to wait.
    for (const replica of [0, 1, 3]) views.observe(replica, started(3, 'request-timeout', 'c'), 3_000_800)
    views.observe(
      3,
      { type: 'view-entered', view: 3, primary: 3, start: { seq: 0, digest }, chosen: 0, nulls: 0, chosenSpan: null, nullSeqs: [] },
      3_000_900,
    )
    views.executed(3, 3_001_000)
    expect(views.list().map(({ outageMs }) => outageMs)).toEqual([null, 1_250, null, 999])
  })

  it('does not believe one replica alone that something waits', () => {
    const views = new Views(4, 1_000)
    views.reported(0, 0, 10)
    views.observe(3, started(1, 'request-timeout', 'c'), 5_000)
    for (const replica of [0, 1, 2]) views.observe(replica, started(2, 'operator'), 90_000)
    views.executed(2, 90_100)
    expect(views.list().map(({ outageMs }) => outageMs)).toEqual([null, null, null])
  })

  it('says so when nobody saw the reason', () => {
    const views = new Views(4, 1_000)
    views.reported(0, 6, 10)
    expect(views.list()).toMatchObject([{ view: 6, primary: 2, reasonKey: 'view.reason.unknown' }])
  })
})

it('gathers checkpoints, believes a replica about itself, and shows divergence', () => {
  const checkpoints = new Checkpoints()
  const other = 'b'.repeat(64)
  checkpoints.observe(1, { type: 'checkpoint-received', seq: 128, digest: other, from: 0 }, 5)
  checkpoints.observe(0, { type: 'checkpoint', seq: 128, digest, bytes: 10 }, 6)
  checkpoints.observe(2, { type: 'checkpoint-received', seq: 128, digest: other, from: 0 }, 7)
  checkpoints.observe(1, { type: 'stable', seq: 128, digest, replicas: [0, 1, 2] }, 8)
  expect(checkpoints.list(10)).toEqual([
    { seq: 128, stable: true, digests: { 0: digest }, digestsAt: { 0: 5 }, at: 5, stableAt: { 1: 8 }, bytes: 10, diverged: false },
  ])
  checkpoints.observe(3, { type: 'checkpoint', seq: 128, digest: other, bytes: 10 }, 9)
  expect(checkpoints.list(10)[0]?.diverged).toBe(true)
})

it('reads observed events and leaves the unknown alone', () => {
  expect(
    readObserved({
      type: 'view-entered',
      view: 1,
      primary: 1,
      start: { seq: 0, digest },
      chosen: 0,
      nulls: 0,
      chosenSpan: null,
      nullSeqs: [],
      viewChangesFrom: [],
    }),
  ).not.toBeNull()
  expect(readObserved({ type: 'view-entered', view: -1 })).toBeNull()
  expect(readObserved({ type: 'something-new' })).toBeNull()
  expect(readObserved(null)).toBeNull()
})

it('estimates clock offsets by the fastest report, and calls small ones zero', () => {
  const clock = new ClockOffset()
  expect(clock.ms).toBe(0)
  clock.observe(10_000, 5_080)
  clock.observe(10_100, 5_101)
  expect(clock.ms).toBe(4_999)
  const same = new ClockOffset()
  same.observe(1_000, 1_012)
  expect(same.ms).toBe(0)
})

describe('metrics', () => {
  it('rates are of the last two seconds and survive a restart of the counter', () => {
    const rate = new Rate()
    rate.observe(0, 0)
    rate.observe(500, 1_000)
    expect(rate.perSecond(1_000)).toBe(500)
    expect(rate.perSecond(9_000)).toBe(0)
    rate.observe(3, 1_500)
    rate.observe(8, 2_000)
    expect(rate.perSecond(2_000)).toBe(10)
  })

  it('percentiles are of the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, i) => i + 1)
    expect([percentile(values, 0.5), percentile(values, 0.95), percentile(values, 0.99), percentile([], 0.5)]).toEqual([50, 95, 99, null])
    const latencies = new Latencies()
    expect(latencies.percentiles()).toEqual({ p50Ms: null, p95Ms: null, p99Ms: null })
    latencies.add(4)
    expect(latencies.percentiles().p99Ms).toBe(4)
  })

  it('samples count what was executed in the second, not what was before the first', () => {
    const samples = new Samples()
    expect(samples.close(1_000, 700, 0, 0).requests).toBe(0)
    samples.latency(5)
    expect(samples.close(2_000, 750, 0, 1)).toMatchObject({ requests: 50, p50Ms: 5, faults: 1 })
    expect(samples.close(3_000, 10, 0, 0)).toMatchObject({ requests: 0, p50Ms: null })
    expect(samples.since(2_000)).toHaveLength(2)
  })
})

it('raises an alarm once in five seconds', () => {
  const alarms = new Alarms()
  expect(alarms.raise('alarm.replica.stale', { replica: 2 }, 0)).toMatchObject({
    severity: 'warning',
    sentence: 'Nothing heard from r2 for 2 s.',
  })
  expect(alarms.raise('alarm.replica.stale', { replica: 2 }, 4_000)).toBeNull()
  expect(alarms.raise('alarm.replica.stale', { replica: 3 }, 4_000)).not.toBeNull()
  expect(alarms.raise('alarm.replica.stale', { replica: 2 }, 6_000)).not.toBeNull()
  expect(alarms.list()).toHaveLength(3)
})

describe('the state of a replica', () => {
  const facts: ReplicaFacts = {
    local: true,
    recovering: false,
    running: true,
    paused: false,
    isolated: false,
    faulty: false,
    diverged: false,
    linkUp: true,
    reportedAt: 9_500,
    transferring: false,
    onProbation: false,
    behind: false,
    starting: false,
  }
  it.each([
    ['recovering', { recovering: true, running: false }],
    ['live', {}],
    ['stopped', { running: false, isolated: true }],
    ['paused', { paused: true, isolated: true, linkUp: false }],
    ['starting', { starting: true, reportedAt: null, linkUp: false }],
    ['unreachable', { linkUp: false }],
    ['faulty', { faulty: true, diverged: true, isolated: true, behind: true }],
    ['unreachable', { faulty: true, linkUp: false }],
    ['unreachable', { local: false, running: false, linkUp: false }],
    ['diverged', { diverged: true }],
    ['isolated', { isolated: true, reportedAt: 1 }],
    ['stale', { reportedAt: 7_999 }],
    ['recovering', { transferring: true }],
    ['recovering', { behind: true }],
  ] as const)('%s', (state, over) => {
    expect(replicaStateOf({ ...facts, ...over }, 10_000)).toBe(state)
  })
})
