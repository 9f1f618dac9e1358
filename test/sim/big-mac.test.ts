/** Requests that only some replicas can verify: what a faulty client, or a faulty primary, can do with them, and what it cannot. */
import { describe, expect, it } from 'vitest'
import { calmMix, runSeed, type FaultMix, type SeedOptions } from '../../src/pbft/sim/index.ts'
import { faultsTolerated } from '../../src/pbft/protocol/quorum.ts'

/** Time-outs short against the run, one hold longer than it: what is bounded per hold is bounded in the run. */
const run = (n: number, faults: Partial<FaultMix>, more: Partial<SeedOptions> = {}) =>
  runSeed({
    seed: 1,
    replicas: n,
    steps: 8_000,
    faults: { ...calmMix, ...faults },
    authentication: 'mac',
    config: { viewTimeoutMs: 100, statusIntervalMs: 20, signatureHoldMs: 600_000 },
    ...more,
  })

const subsetsOf = (n: number): number[][] =>
  Array.from({ length: 2 ** n }, (_, bits) => Array.from({ length: n }, (__, id) => id).filter((id) => (bits >> id) & 1))

describe('pitfall 13: a client whose MACs hold at some replicas only', () => {
  const choices = (['primary', 'all'] as const).flatMap((to) => subsetsOf(4).map((goodFor) => ({ to, goodFor })))

  it.each(choices)('to $to, good for $goodFor: at most f view changes, and the others are served', ({ to, goodFor }) => {
    const result = run(4, { hostile: { goodFor, to, gapMs: 20 } })
    expect(result.violations).toEqual([])
    expect(result.views).toBeLessThanOrEqual(faultsTolerated(4))
    expect(result.timeMs).toBeGreaterThan(1_000)
    expect(result.answered).toBeGreaterThan(50)
  })

  it(
    'always good for the primary alone, whoever that is: at most f, since whom it made fall behind takes it no more',
    { timeout: 60_000 },
    () => {
      const result = run(4, { hostile: { goodFor: 'primary', to: 'primary', gapMs: 20 } }, { steps: 20_000 })
      expect(result.violations).toEqual([])
      expect(result.views).toBeLessThanOrEqual(faultsTolerated(4))
      expect(result.answered).toBeGreaterThan(50)
    },
  )

  it('another subset each time, seven replicas: at most f', { timeout: 60_000 }, () => {
    for (const to of ['primary', 'all', null] as const) {
      const result = run(7, { hostile: { goodFor: null, to, gapMs: 20 } }, { steps: 20_000 })
      expect(result.violations).toEqual([])
      expect(result.views).toBeLessThanOrEqual(faultsTolerated(7))
      expect(result.answered).toBeGreaterThan(50)
    }
  })

  it('storms where nobody is held to signatures', () => {
    const config = { viewTimeoutMs: 100, statusIntervalMs: 20, signatureHoldMs: 0 }
    const result = run(4, { hostile: { goodFor: null, to: 'primary', gapMs: 20 } }, { steps: 40_000, config })
    expect(result.views).toBeGreaterThan(5)
  })
})

describe('pitfall 13: a primary that spoils the MACs of correct clients', () => {
  it('gets them signed, and the run goes on', { timeout: 60_000 }, () => {
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const lines: string[] = []
      const result = run(
        4,
        { traitors: ['spoil-macs'] },
        { seed, trace: (line) => void (line.includes('wants a signature') && lines.push(line)) },
      )
      expect(result.violations, `seed ${seed}`).toEqual([])
      expect(result.answered).toBeGreaterThan(20)
    }
  })
})

it('where one link is missing at each client nobody is asked for anything', () => {
  const asked: string[] = []
  const trace = (line: string): void => void (line.includes('wants a signature') && asked.push(line))
  const result = run(4, { unlinked: 1 }, { trace })
  expect(result.violations).toEqual([])
  expect(result.views).toBe(0)
  expect(result.answered).toBeGreaterThan(50)
})
