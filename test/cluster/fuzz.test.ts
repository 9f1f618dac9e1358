/** A small share of `npm run fuzz`: hostile input at the decoders, at a live replica, at the host and at the browser shell. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Outcome } from '../fuzz/outcome.ts'
import { runFuzz } from '../fuzz/run.ts'

const seed = Number(process.env['PBFT_SEED'] ?? Date.now() % 1_000_000)
const inputs = 20_000

describe(`hostile input, seed ${seed}`, () => {
  let outcomes: readonly Outcome[] = []
  beforeAll(async () => {
    outcomes = await runFuzz({ seed, inputs, onPart: () => undefined })
  }, 300_000)

  it('crashes nothing, is not taken for what it is not, is counted, and costs no memory', () => {
    expect(outcomes.flatMap(({ part, problems }) => problems.map((problem) => `${part}: ${problem}`))).toEqual([])
  })

  it('was hostile: much of it was refused everywhere', () => {
    expect(outcomes.map(({ part }) => part)).toHaveLength(10)
    expect(outcomes.reduce((sum, outcome) => sum + outcome.inputs, 0)).toBeGreaterThanOrEqual(inputs)
    for (const { part, refused } of outcomes) expect(refused, part).toBeGreaterThan(0)
  })

  it('of the codecs was accepted where it was canonical by chance', () => {
    expect(outcomes.find(({ part }) => part === 'wire codec')?.accepted).toBeGreaterThan(0)
  })
})
