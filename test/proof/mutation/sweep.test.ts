/** A short sweep of the simulator, as a judge of mutants. No part of `npm test`, which sweeps more. */
import { expect, it } from 'vitest'
import { runSwarm } from '../../../src/pbft/sim/index.ts'

it.each([1, 2, 3, 4, 5, 6])('the simulator finds nothing at seed %i', (first) => {
  const { violations } = runSwarm({ replicas: 4, first, seeds: 1, steps: 1_500 })
  expect(violations).toEqual([])
})
