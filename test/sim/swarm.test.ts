/** A bounded number of seeds; what fails prints the seed, which replays it exactly. */
import { describe, expect, it } from 'vitest'
import { runSwarm } from '../../src/pbft/sim/index.ts'

const swarms = [
  { replicas: 1, first: 1, seeds: 4, steps: 500 },
  { replicas: 4, first: 1, seeds: 24, steps: 3_000 },
  { replicas: 5, first: 1, seeds: 5, steps: 3_000 },
  { replicas: 6, first: 1, seeds: 5, steps: 3_000 },
  { replicas: 7, first: 1, seeds: 5, steps: 4_000 },
]

describe('the swarm finds nothing', () => {
  it.each(swarms)(
    '$seeds seeds of $steps steps with $replicas replicas',
    (options) => {
      let answered = 0
      const { seeds, violations } = runSwarm({ ...options, onProgress: (result) => void (answered += result.answered) })
      expect(violations, `replay with the seed: n = ${options.replicas}, steps = ${options.steps}`).toEqual([])
      // Runs in which nothing happened would find nothing either.
      expect(answered).toBeGreaterThan(seeds * 5)
    },
    120_000,
  )
})
