/**
 * Twins: each replica of four in turn has a second instance with its keys, and both are shown to different parts of the cluster, round
 * by round. The scenarios are enumerated: rounds are ways to divide the five instances; which of them run is drawn by a seed.
 */
import { describe, expect, it } from 'vitest'
import { createRandom, divisions, runSeed, type SeedResult, type TwinPlan } from '../../src/pbft/sim/index.ts'

const n = 4
/** Three groups leave no quorum anywhere: two views are enough of them. */
const apart = divisions(n + 1, 2).filter((round) => new Set(round).size === 2)

const scenariosPerReplica = 6
const seed = 26

const plansOf = (replica: number): TwinPlan[] => {
  const random = createRandom(seed, `twins of ${replica}`)
  // The twins themselves are on different sides; the view's primary is on one of them, as chance has it.
  const rounds = apart.filter((round) => round[replica] !== round[n])
  return Array.from({ length: scenariosPerReplica }, () => ({
    replica,
    rounds: Array.from({ length: 5 }, () => random.pick(rounds)),
    roundMs: random.pick([300, 700]),
  }))
}

describe('divisions', () => {
  it('are all ways to divide, each once', () => {
    expect(divisions(3, 3)).toEqual([
      [0, 0, 0],
      [0, 0, 1],
      [0, 1, 0],
      [0, 1, 1],
      [0, 1, 2],
    ])
    expect(divisions(5, 2)).toHaveLength(16)
    expect(divisions(5, 5)).toHaveLength(52)
  })
})

describe('pitfall 26: two instances with one replica’s keys', () => {
  it.each([0, 1, 2, 3])('of replica %i: the others agree, over two view changes and more', { timeout: 240_000 }, (replica) => {
    const results: SeedResult[] = plansOf(replica).map((twins, i) => {
      const result = runSeed({ seed: seed + i, replicas: n, steps: 0, faults: { actions: [] }, twins })
      expect(result.violations, `seed ${seed + i}, plan ${JSON.stringify(twins)}`).toEqual([])
      return result
    })
    // Scenarios in which nobody gets anything done, or nobody leaves a view, would prove nothing.
    expect(results.filter((result) => result.views >= 2).length).toBeGreaterThanOrEqual(scenariosPerReplica / 2)
    expect(results.filter((result) => result.answered > 5).length).toBeGreaterThanOrEqual(scenariosPerReplica / 2)
  })
})
