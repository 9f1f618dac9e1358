/** Seeds that found something once. Each stays, so that what it found does not come back. */
import { describe, expect, it } from 'vitest'
import { runSeed } from '../../src/pbft/sim/index.ts'

interface Past {
  readonly seed: number
  readonly replicas: number
  readonly steps: number
  readonly found: string
  /** Those without are from before there were Byzantine replicas. */
  readonly traitors?: 'drawn'
}

const seeds: readonly Past[] = [
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
  { seed: 1_252, replicas: 4, steps: 3_000, traitors: 'drawn', found: 'a first batch of time 0 had a client refused for its clock' },
]

describe('seeds of the past', () => {
  it.each(seeds)(
    'seed $seed, n = $replicas: $found',
    ({ seed, replicas, steps, traitors }) => {
      const { violations, answered } = runSeed({ seed, replicas, steps, ...(traitors === 'drawn' ? {} : { faults: { traitors: [] } }) })
      expect(violations).toEqual([])
      expect(answered).toBeGreaterThan(5)
    },
    120_000,
  )
})
