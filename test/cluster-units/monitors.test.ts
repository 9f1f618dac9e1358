import { describe, expect, it } from 'vitest'
import { Monitors, type Finding } from '../../src/cluster/monitors.ts'

const fine: Finding = { state: 'holds', key: 'verdict.healthy', parameters: { n: 4, view: 0, primary: 0 } }
const stateOf = (monitors: Monitors, name: string): string | undefined =>
  monitors.list(1, fine).find((monitor) => monitor.name === name)?.state
const request = (timestamp: number, result = 'r', client = 'c/1') => ({ client, timestamp, result })

describe('agreement', () => {
  it('is unknown until two replicas committed the same seq, then holds', () => {
    const monitors = new Monitors()
    monitors.committed(0, 1, 'a')
    monitors.committed(0, 1, 'a')
    expect(stateOf(monitors, 'agreement')).toBe('unknown')
    monitors.committed(1, 1, 'a')
    expect(stateOf(monitors, 'agreement')).toBe('holds')
    expect(monitors.disagreementSeq).toBeNull()
  })

  it('is violated by two digests at one seq, for good', () => {
    const monitors = new Monitors()
    monitors.committed(0, 7, 'aaaaaaaaaa')
    monitors.committed(1, 7, 'bbbbbbbbbb')
    monitors.committed(0, 8, 'c')
    monitors.committed(1, 8, 'c')
    expect(monitors.list(1, fine).find(({ name }) => name === 'agreement')).toMatchObject({
      state: 'violated',
      key: 'monitor.agreement.violated',
      parameters: { seq: 7, message: 'aaaaaaaa: r0; bbbbbbbb: r1' },
      detail: 'Different batches were committed at seq 7: aaaaaaaa: r0; bbbbbbbb: r1.',
    })
    expect(monitors.disagreementSeq).toBe(7)
  })
})

describe('no gaps', () => {
  it('holds for a log that goes on by one', () => {
    const monitors = new Monitors()
    monitors.logged(1, [], false)
    monitors.logged(2, [], false)
    expect(stateOf(monitors, 'no-gaps')).toBe('holds')
  })

  it('is violated by a hole, and unknown when what is missing could not be read any more', () => {
    const holed = new Monitors()
    holed.logged(1, [], false)
    holed.logged(3, [], false)
    expect(stateOf(holed, 'no-gaps')).toBe('violated')
    const skipped = new Monitors()
    skipped.logged(1, [], false)
    skipped.logged(500, [], true)
    expect(stateOf(skipped, 'no-gaps')).toBe('unknown')
  })

  it('goes on from what an earlier run recorded, and is violated when that is lost', () => {
    const monitors = new Monitors()
    monitors.restored(10)
    monitors.logged(11, [], false)
    expect(stateOf(monitors, 'no-gaps')).toBe('holds')
    monitors.lost(3, 10)
    expect(stateOf(monitors, 'no-gaps')).toBe('violated')
  })
})

describe('exactly once', () => {
  it('confirms answered requests, whether the log or the answer comes first', () => {
    const monitors = new Monitors()
    monitors.acknowledged(1, request(5))
    expect(monitors.logged(1, [request(5)], false)).toEqual([false])
    monitors.logged(2, [request(6)], false)
    monitors.acknowledged(2, request(6))
    expect(monitors.list(1, fine).find(({ name }) => name === 'exactly-once')).toMatchObject({
      key: 'monitor.exactlyOnce.holds',
      parameters: { count: 2 },
      detail: '2 answered requests were found once in the log.',
    })
  })

  it('tells a duplicate that was skipped from a second execution', () => {
    const monitors = new Monitors()
    monitors.logged(1, [request(5, 'x')], false)
    expect(monitors.logged(2, [request(5, 'x')], false)).toEqual([true])
    expect(stateOf(monitors, 'exactly-once')).toBe('holds')
    monitors.logged(3, [request(5, 'y')], false)
    expect(stateOf(monitors, 'exactly-once')).toBe('violated')
  })

  it.each([
    ['is missing', []],
    ['has another result', [request(5, 'other')]],
  ])('is violated when an answered request %s', (_, logged) => {
    const monitors = new Monitors()
    monitors.acknowledged(1, request(5))
    monitors.logged(1, logged, false)
    expect(stateOf(monitors, 'exactly-once')).toBe('violated')
  })
})

it('compares state digests at equal seqs only', () => {
  const monitors = new Monitors()
  monitors.stateDigest(0, 4, 'a')
  monitors.stateDigest(1, 5, 'b')
  expect(stateOf(monitors, 'digests-equal')).toBe('unknown')
  monitors.stateDigest(1, 4, 'a')
  expect(stateOf(monitors, 'digests-equal')).toBe('holds')
  monitors.stateDigest(2, 4, 'z')
  expect(stateOf(monitors, 'digests-equal')).toBe('violated')
})

it('keeps since while a state lasts', () => {
  const monitors = new Monitors()
  monitors.logged(1, [], false)
  const [first] = monitors.list(100, fine).filter(({ name }) => name === 'no-gaps')
  const [second] = monitors.list(900, fine).filter(({ name }) => name === 'no-gaps')
  expect([first?.since, second?.since]).toEqual([100, 100])
})
