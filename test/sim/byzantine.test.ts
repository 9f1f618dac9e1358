/** Up to f replicas misbehave for the whole run, healing included; nothing of what the others promise may break. */
import { describe, expect, it } from 'vitest'
import { runSeed, traitorNames, type SeedOptions, type TraitorName } from '../../src/pbft/sim/index.ts'

const run = (behaviour: TraitorName, seed: number, replicas: number, more: Partial<SeedOptions> = {}) =>
  runSeed({ seed, replicas, steps: 1_500, faults: { traitors: [behaviour, behaviour] }, ...more })

describe.each(traitorNames)('with replicas that %s', (behaviour) => {
  it.each([
    { replicas: 4, seeds: [1, 2, 3, 4, 5] },
    { replicas: 7, seeds: [11, 12] },
  ])('the others hold: $replicas replicas, seeds $seeds', { timeout: 120_000 }, ({ replicas, seeds }) => {
    let answered = 0
    for (const seed of seeds) {
      const result = run(behaviour, seed, replicas)
      expect(result.violations, `seed ${seed}`).toEqual([])
      answered += result.answered
    }
    expect(answered).toBeGreaterThan(seeds.length * 5)
  })

  it('the run is another than without them', () => {
    const honest = runSeed({ seed: 1, replicas: 4, steps: 500, faults: { traitors: [] } })
    expect(run(behaviour, 1, 4, { steps: 500 }).traceDigest).not.toBe(honest.traceDigest)
  })
})

it('an equivocating primary is heard with two proposals for one sequence number', () => {
  const proposals = new Map<string, Set<string>>()
  const trace = (line: string): void => {
    const [, sender, slot, digest] = /r(\d) send pre-prepare (\d+\/\d+) (\w+) to/.exec(line) ?? []
    if (sender === undefined || slot === undefined || digest === undefined) return
    const known = proposals.get(`${sender} ${slot}`) ?? new Set()
    proposals.set(`${sender} ${slot}`, known.add(digest))
  }
  for (const seed of [1, 2, 3, 4]) run('equivocate', seed, 4, { trace })
  expect([...proposals.values()].some((digests) => digests.size === 2)).toBe(true)
})

it('an equivocating primary is convicted by correct replicas', () => {
  const convictions: string[] = []
  const trace = (line: string): void => void (line.includes('event evidence') && convictions.push(line))
  // Evidence against a correct replica would be a violation.
  for (const seed of [1, 2, 3, 4]) expect(run('equivocate', seed, 4, { trace }).violations).toEqual([])
  expect(convictions.some((line) => line.includes('"first":{"type":"proposal"'))).toBe(true)
})

it('a name that is false is refused', () => {
  const refused: string[] = []
  run('forge', 1, 4, { trace: (line) => void (line.includes('refuses') && refused.push(line)) })
  expect(refused.length).toBeGreaterThan(0)
})

it('no more than f misbehave', () => {
  const lines: string[] = []
  runSeed({ seed: 1, replicas: 1, steps: 200, faults: { traitors: ['silent'] }, trace: (line) => lines.push(line) })
  expect(lines.some((line) => line.includes('reply'))).toBe(true)
})
