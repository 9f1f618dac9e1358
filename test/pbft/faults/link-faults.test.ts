import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LinkRule as ContractRule } from '../../../src/contract/faults.ts'
import { isFaultless, noLinkFault, planDeliveries, reorderHoldMs, type LinkRule } from '../../../src/pbft/faults/index.ts'

/** Equal shapes: the control link hands contract rules to these functions. */
const sameShape = (rule: ContractRule): LinkRule => rule

/** Numbers in [0, 1) by a small generator (mulberry32). */
const seeded = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

const run = (rule: LinkRule, count: number, seed: number) => {
  const random = seeded(seed)
  let last = 0
  return Array.from({ length: count }, (_, i) => {
    const plan = planDeliveries(rule, i, last, random)
    last = plan.lastDueMs
    return plan.deliveries
  })
}

const seed = 20_260_101

describe('link faults', () => {
  it('no fault: at once, once, unspoilt, in order', () => {
    expect(isFaultless(sameShape(noLinkFault))).toBe(true)
    expect(run(noLinkFault, 100, seed)).toEqual(Array.from({ length: 100 }, (_, i) => [{ dueMs: i, corrupt: false }]))
  })

  it('cut: nothing, whatever else is set', () => {
    expect(run({ ...noLinkFault, cut: true, duplicate: 1, delayMs: 5 }, 100, seed).flat()).toEqual([])
  })

  it('certain loss, duplication and corruption happen to all', () => {
    expect(run({ ...noLinkFault, loss: 1 }, 50, seed).flat()).toEqual([])
    expect(run({ ...noLinkFault, duplicate: 1 }, 50, seed).every((all) => all.length === 2)).toBe(true)
    expect(run({ ...noLinkFault, corrupt: 1 }, 50, seed).every((all) => all[0]?.corrupt)).toBe(true)
  })

  it(`probabilities come about as often as they say (seed ${seed})`, () => {
    const lost = run({ ...noLinkFault, loss: 0.2 }, 10_000, seed).filter((all) => all.length === 0).length
    expect(lost).toBeGreaterThan(1_800)
    expect(lost).toBeLessThan(2_200)
  })

  it('delay and jitter keep order and bounds', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.integer(), (delayMs, jitterMs, from) => {
        const dues = run({ ...noLinkFault, delayMs, jitterMs }, 50, from).map((all) => all[0]?.dueMs ?? -1)
        for (const [i, due] of dues.entries()) {
          expect(due).toBeGreaterThanOrEqual(i + delayMs)
          expect(due).toBeLessThanOrEqual(i + delayMs + jitterMs)
          if (i > 0) expect(due).toBeGreaterThanOrEqual(dues[i - 1] as number)
        }
      }),
    )
  })

  it(`reordering lets later messages overtake, for a bounded time (seed ${seed})`, () => {
    const dues = run({ ...noLinkFault, reorder: 0.3 }, 500, seed).map((all) => all[0]?.dueMs ?? -1)
    expect(dues.some((due, i) => i > 0 && due < (dues[i - 1] as number))).toBe(true)
    for (const [i, due] of dues.entries()) expect(due).toBeLessThan(i + reorderHoldMs + 1)
  })
})
