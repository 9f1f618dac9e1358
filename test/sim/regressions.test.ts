/** Seeds that found something once. Each stays, so that what it found does not come back. */
import { describe, expect, it } from 'vitest'
import { runSeed } from '../../src/pbft/sim/index.ts'

const seeds = [
  { seed: 1, replicas: 1, steps: 1_000, found: 'a lone replica that crashed between pre-prepared and executed never went on' },
  { seed: 42, replicas: 4, steps: 3_000, found: 'C of a view-change out of bounds after a state transfer' },
  { seed: 20_010, replicas: 4, steps: 4_000, found: 'the same, by another way' },
  { seed: 70_034, replicas: 4, steps: 20_000, found: 'C above the own window, as h stayed behind a state transfer' },
  { seed: 70_035, replicas: 4, steps: 20_000, found: 'the same, longer' },
  {
    seed: 1_369,
    replicas: 4,
    steps: 3_000,
    found: 'a primary that crashed and was then stopped in its roll call proposed again in its view',
  },
]

describe('seeds of the past', () => {
  it.each(seeds)(
    'seed $seed, n = $replicas: $found',
    ({ seed, replicas, steps }) => {
      // They are from before there were Byzantine replicas.
      const { violations, answered } = runSeed({ seed, replicas, steps, faults: { traitors: [] } })
      expect(violations).toEqual([])
      expect(answered).toBeGreaterThan(5)
    },
    120_000,
  )
})
