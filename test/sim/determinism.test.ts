import { describe, expect, it } from 'vitest'
import { createRandom, runSeed } from '../../src/pbft/sim/index.ts'

describe('a seed', () => {
  it('gives one run', { timeout: 60_000 }, () => {
    for (const seed of [3, 4, 5]) {
      const lines: string[][] = [[], []]
      const results = lines.map((list) => runSeed({ seed, replicas: 4, steps: 1_500, trace: (line) => list.push(line) }))
      expect(results[1]).toEqual(results[0])
      expect(lines[1]).toEqual(lines[0])
      expect(lines[0]!.length).toBeGreaterThan(1_500)
    }
  })

  it('gives another run than another seed, or another n', { timeout: 60_000 }, () => {
    const digests = [
      runSeed({ seed: 3, replicas: 4, steps: 300 }),
      runSeed({ seed: 4, replicas: 4, steps: 300 }),
      runSeed({ seed: 3, replicas: 5, steps: 300 }),
    ].map((result) => result.traceDigest)
    expect(new Set(digests).size).toBe(3)
  })

  it('draws evenly, and forks do not disturb each other', () => {
    const random = createRandom(42)
    const counts = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) counts[random.whole(0, 9)]!++
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
    const one = createRandom(7)
    one.fork('a').next()
    expect(one.next()).toBe(createRandom(7).next())
    expect(createRandom(7).fork('a').next()).not.toBe(createRandom(7).fork('b').next())
  })
})
