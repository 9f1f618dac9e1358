/** A failing run is made smaller, and still fails in the same way. */
import { describe, expect, it } from 'vitest'
import { isPartName, partNames, runSeed, shrink } from '../../src/pbft/sim/index.ts'

/** Nobody ever leaves the view of a primary that says nothing: requests are never answered. */
const stuck = {
  replicas: 4,
  steps: 400,
  faults: { traitors: ['silent'], actions: ['cut'] } as const,
  config: { viewTimeoutMs: 1e6, viewTimeoutMaxMs: 1e6 },
}

describe('shrinking', () => {
  it('leaves out what the violation does not need, and what is left still shows it', { timeout: 120_000 }, () => {
    const seeds = Array.from({ length: 30 }, (_, i) => i + 1)
    const seed = seeds.find((one) => runSeed({ ...stuck, seed: one }).violations.some(({ checker }) => checker === 'liveness'))!
    const shrunk = shrink({ ...stuck, seed }, 60)!
    expect(shrunk.options.steps).toBeLessThan(stuck.steps)
    expect(shrunk.options.without).toContain('nemesis')
    expect(shrunk.options.without).not.toContain('traitors')
    expect(shrunk.schedule).toEqual([])
    expect(shrunk.runs).toBeLessThanOrEqual(60)
    expect(runSeed(shrunk.options).violations[0]).toEqual(shrunk.violation)
  })

  it('of a run that shows nothing finds nothing', { timeout: 60_000 }, () => {
    expect(shrink({ seed: 3, replicas: 4, steps: 200 }, 10)).toBeNull()
  })
})

describe('parts that are left out', () => {
  it('have names', () => {
    for (const name of [...partNames, 'client:0', 'action:12']) expect(isPartName(name)).toBe(true)
    for (const name of ['', 'clients', 'client:', 'action:x', 'action:1 ']) expect(isPartName(name)).toBe(false)
  })

  it('are not there, and what is left stays as it was', { timeout: 60_000 }, () => {
    const lines = (without: readonly string[]): string[] => {
      const kept: string[] = []
      runSeed({ seed: 7, replicas: 4, steps: 800, without, trace: (line) => kept.push(line) })
      return kept
    }
    const all = lines([])
    expect(all.some((line) => line.includes('sim/4 request'))).toBe(true)
    const acted = all.find((line) => / nemesis \d+: /.test(line))
    if (acted !== undefined) expect(lines(['action:0']).some((line) => line.includes('nemesis leaves out 0'))).toBe(true)
    expect(lines(['client:0']).some((line) => line.includes('sim/4 request'))).toBe(false)
    expect(lines(['nemesis']).some((line) => line.includes(' nemesis '))).toBe(false)
  })
})
