/**
 * Planted bugs: each still fits the sources, so that none rots; and the quickest of them are found, from a changed copy. All of them,
 * with the tests named after their pitfalls, are the business of `npm run plants`.
 */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { applyPlant, plants, plantsForProcesses, testedPlants, type SeedResult } from '../../src/pbft/sim/index.ts'
import { copyWithPlant } from '../../src/web/simulation/mutated-copy.ts'
import { runThreads } from '../../src/web/simulation/swarm.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

describe('planted bugs', () => {
  it.each(plantsForProcesses.map((plant) => ({ name: plant.name, plant })))('$name fits the sources in one place', ({ plant }) => {
    const source = readFileSync(join(root, 'src', 'pbft', plant.file), 'utf8')
    expect(applyPlant(source, plant)).not.toBe(source)
  })

  it('have names of their own, and there are enough of them', () => {
    expect(new Set(plantsForProcesses.map(({ name }) => name)).size).toBe(plantsForProcesses.length)
    expect(plants.length).toBeGreaterThanOrEqual(20)
  })

  it('are there for each of the 28 pitfalls', () => {
    const pitfalls = [...plants, ...testedPlants].flatMap(({ pitfall }) => pitfall ?? [])
    expect([...new Set(pitfalls)].toSorted((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, i) => i + 1))
  })

  it('a plant that no longer fits is an error, and leaves nothing behind', async () => {
    const [plant] = plants
    const lost = { ...plant!, find: 'what no source says' }
    await expect(copyWithPlant(root, lost)).rejects.toThrow('nothing to change')
    expect(() => applyPlant('aa', { ...lost, find: 'a' })).toThrow('several places')
  })
})

/** Those that take few seeds; one per kind of harm. */
const quick = ['prepared-left-out', 'prepare-as-commit', 'no-null-request']

describe('a planted bug is found', () => {
  it.each(quick)('%s', { timeout: 120_000 }, async (name) => {
    const plant = plants.find((candidate) => candidate.name === name)!
    const copy = await copyWithPlant(root, plant)
    const found: SeedResult[] = []
    const onResult = (result: SeedResult): boolean => {
      if (result.violations.length > 0) found.push(result)
      return found.length === 0
    }
    const options = { replicas: plant.replicas ?? 4, steps: 3_000, trace: false }
    await runThreads({ entry: copy.entry, first: 1, seeds: 40, threads: 1, options, onResult })
    await copy.remove()
    expect(found.length).toBe(1)
    expect(existsSync(copy.folder)).toBe(false)
  })
})
