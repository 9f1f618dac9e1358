import { describe, expect, it } from 'vitest'
import type { CheckpointInfo, RequestInfo, ViewInfo } from '../../src/contract/model.ts'
import { checkpointsAsOf, requestsAsOf, viewsAsOf } from '../../src/renderer/lib/as-of.ts'
import { framed, shareOf, stepOf, windowOf, wholeRun, zoomed } from '../../src/renderer/lib/time-window.ts'
import { replicaOf } from './support/cluster-of.ts'

const view = (number: number, started: number | null, began: number | null): ViewInfo => ({
  view: number,
  primary: number,
  began,
  started,
  reason: '',
  reasonKey: 'view.reason.initial',
  reasonParameters: {},
  votes: [],
  start: { seq: 1, digest: 'd' },
  chosen: 2,
  nulls: 0,
  chosenSpan: null,
  nullSeqs: [],
  outageMs: 100,
  entered: [0, 1, 2],
})

describe('lists as they were', () => {
  it('a view that had not begun shows nothing of its beginning, one that was not asked for does not show', () => {
    const views = [view(0, null, 10), view(1, 100, 120), view(2, 300, 320)]
    const replicas = [0, 1, 2].map((id) => replicaOf(id))
    expect(viewsAsOf(views, 110, replicas).map(({ view: number, began, entered }) => [number, began, entered])).toEqual([
      [0, 10, [0, 1, 2]],
      [1, null, []],
    ])
    // Only r1 had said that it was in view 1, which did not serve yet.
    const moved = [replicaOf(0), { ...replicaOf(1), view: 1 }]
    expect(viewsAsOf(views, 130, moved)[1]).toMatchObject({ began: 120, entered: [1], outageMs: null })
    expect(viewsAsOf(views, 200, moved)[1]).toMatchObject({ outageMs: 100 })
  })

  it('a checkpoint is stable once it was, with the digests that had been heard', () => {
    const checkpoint: CheckpointInfo = {
      seq: 8,
      stable: true,
      digests: { 0: 'a', 1: 'a', 2: 'b' },
      digestsAt: { 0: 10, 1: 20, 2: 90 },
      at: 10,
      stableAt: { 0: 30, 1: 35 },
      bytes: 1,
      diverged: true,
    }
    expect(checkpointsAsOf([checkpoint], 9)).toEqual([])
    expect(checkpointsAsOf([checkpoint], 25)).toMatchObject([{ stable: false, digests: { 0: 'a', 1: 'a' }, diverged: false }])
    expect(checkpointsAsOf([checkpoint], 32)).toMatchObject([{ stable: true, stableAt: { 0: 30 }, diverged: false }])
    expect(checkpointsAsOf([checkpoint], 90)).toMatchObject([{ diverged: true }])
  })

  it('a request is pending until it had completed', () => {
    const request: RequestInfo = {
      id: 'r',
      client: 'c',
      timestamp: 1,
      operation: { type: 'get', key: 'k' },
      stages: [
        { stage: 'sent', at: 10, detail: null },
        { stage: 'completed', at: 30, detail: null },
      ],
      resends: 0,
      repliers: [0, 1],
      repliesNeeded: 2,
      outcome: { state: 'completed', result: { ok: true, value: 'v' }, view: 0, seq: 1, latencyMs: 20 },
    }
    expect(requestsAsOf([request], 9)).toEqual([])
    expect(requestsAsOf([request], 20)).toMatchObject([{ outcome: { state: 'pending' }, stages: [{ stage: 'sent' }], repliers: [] }])
    expect(requestsAsOf([request], 30)).toEqual([request])
  })
})

describe('the window of the time bar', () => {
  const now = 1_000_000
  it('is the whole run, and never shorter than a minute', () => {
    expect(windowOf(wholeRun, 100_000, now)).toEqual({ from: 100_000, to: now })
    expect(windowOf(wholeRun, now - 5, now)).toEqual({ from: now - 60_000, to: now })
    expect(windowOf(wholeRun, null, now)).toEqual({ from: now - 60_000, to: now })
  })

  it('zooms around a time that stays in its place, and out to the whole run again', () => {
    const near = zoomed(wholeRun, 0.5, 400_000, 0, now)
    expect(windowOf(near, 0, now)).toEqual({ from: 200_000, to: 700_000 })
    expect(shareOf(windowOf(near, 0, now), 400_000)).toBeCloseTo(0.4)
    expect(zoomed(near, 4, 400_000, 0, now)).toEqual(wholeRun)
    expect(zoomed(wholeRun, 0.5, now, 0, now)).toEqual({ spanMs: 500_000, end: null })
  })

  it('stays within the run, and brings a time into sight', () => {
    expect(windowOf({ spanMs: 100_000, end: 50_000 }, 0, now)).toEqual({ from: 0, to: 100_000 })
    const found = framed({ spanMs: 100_000, end: null }, 300_000, 0, now)
    expect(windowOf(found, 0, now)).toEqual({ from: 250_000, to: 350_000 })
    expect(framed(found, 340_000, 0, now)).toBe(found)
  })

  it('steps by a second, or by what can be seen', () => {
    expect(stepOf({ from: 0, to: 60_000 })).toBe(1_000)
    expect(stepOf({ from: 0, to: 3_600_000 })).toBe(18_000)
  })
})
