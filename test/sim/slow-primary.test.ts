/** A primary that is slow, though never late, is demoted; an honest one is not, however slow everything else is. */
import { describe, expect, it } from 'vitest'
import { noLinkFault, type BehaviourName } from '../../src/pbft/faults/index.ts'
import { calmMix, type FaultMix } from '../../src/pbft/sim/fault-mix.ts'
import { runSeed } from '../../src/pbft/sim/index.ts'

/** A run, with what its view changes were for. */
const run = (seed: number, faults: Partial<FaultMix>, steps: number, replicas = 4) => {
  const reasons: string[] = []
  const trace = (line: string): void => {
    const [, reason] = /view-change-started .*"kind":"([a-z-]+)"/.exec(line) ?? []
    if (reason !== undefined) reasons.push(reason)
  }
  // Room for every client: a primary that has to refuse requests orders less than it is asked for.
  const config = { pendingRequestsMax: 1_000 }
  const result = runSeed({ seed, replicas, steps, faults: { ...calmMix, ...faults }, config, trace })
  expect(result.violations, `seed ${seed}`).toEqual([])
  return { ...result, reasons, perSecond: (result.answered / result.timeMs) * 1_000 }
}

const slow = { traitors: ['slow-primary' as BehaviourName] }

/** Seeds whose traitor is the first primary, and whose clients lose patience before the time-out (300 ms) is nearly over. */
const slowFromTheStart = [6, 9, 18, 21, 29, 37]

describe('pitfall 14: a primary at 0.9 of the time-out', () => {
  it.each(slowFromTheStart)('is demoted once, and the throughput is that of a run without it: seed %i', { timeout: 120_000 }, (seed) => {
    const honest = run(seed, {}, 40_000)
    const attacked = run(seed, slow, 40_000)
    expect(honest.reasons).toEqual([])
    expect(new Set(attacked.reasons)).toEqual(new Set(['slow-primary', 'joined']))
    expect(attacked.views).toBe(1)
    // Also what the time before the demotion has cost is in it.
    expect(attacked.perSecond / honest.perSecond).toBeGreaterThan(0.5)
  })
})

describe('an honest primary is not taken for slow', () => {
  it.each<[string, Partial<FaultMix>]>([
    ['when all is well', {}],
    ['with slow disks', { flushMinMs: 5, flushMaxMs: 60 }],
    ['over long links', { link: { ...noLinkFault, delayMs: 20, jitterMs: 10 } }],
    ['over links that jitter', { link: { ...noLinkFault, delayMs: 20, jitterMs: 60 } }],
    ['over links that lose messages', { link: { ...noLinkFault, delayMs: 1, jitterMs: 1, loss: 0.02 } }],
  ])('%s', { timeout: 240_000 }, (_, faults) => {
    let answered = 0
    for (let seed = 1; seed <= 12; seed++) {
      const result = run(seed, faults, 5_000, seed % 4 === 0 ? 7 : 4)
      expect(result.reasons, `seed ${seed}`).not.toContain('slow-primary')
      answered += result.answered
    }
    expect(answered).toBeGreaterThan(100)
  })
})
