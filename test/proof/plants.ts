/**
 * `npm run plants [NAME...]`: every planted bug against the simulator, and against the tests named after its pitfall. Writes
 * docs/planted-bugs.md when all of them ran; exit code 1 when one is not caught, or is passed over by its pitfall's tests.
 */
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { plants, testedPlants, type Plant, type SeedResult } from '../../src/pbft/sim/index.ts'
import { copyWithPlant } from '../../src/web/simulation/mutated-copy.ts'
import { runThreads } from '../../src/web/simulation/swarm.ts'
import { filesWithTests, runTests, testParts } from './named-tests.ts'
import { inPool } from './pool.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const budget = { first: 1, seeds: 200, steps: 2_000, replicas: 4 }
const atATime = 2

interface Finding {
  readonly plant: Plant
  /** The first violation, and how many seeds it took; null: none. */
  readonly caught: { readonly checker: string; readonly detail: string; readonly seeds: number } | null
  /** Of the tests named after the pitfall; null when it has no number. */
  readonly tests: { readonly passed: number; readonly failed: number } | null
}

const hunt = async (entry: string, plant: Plant): Promise<Finding['caught']> => {
  let ran = 0
  let last: SeedResult | null = null
  const options = { replicas: plant.replicas ?? budget.replicas, steps: budget.steps, trace: false }
  const onResult = (result: SeedResult): boolean => {
    ran++
    last = result
    return result.violations.length === 0
  }
  await runThreads({ ...budget, entry, threads: 1, options, onResult })
  const violation = (last as SeedResult | null)?.violations[0]
  return violation === undefined ? null : { ...violation, seeds: ran }
}

const runPitfall = async (folder: string, pitfall: number): Promise<Finding['tests']> => {
  const name = new RegExp(`pitfalls? [0-9 and]*${String(pitfall).padStart(2, '0')}`)
  return runTests(folder, filesWithTests(root, name), { name })
}

const examine = async (plant: Plant): Promise<Finding> => {
  const copy = await copyWithPlant(root, plant, testParts)
  try {
    const caught = testedPlants.includes(plant) ? null : await hunt(copy.entry, plant)
    const tests = plant.pitfall === null || process.argv.includes('--no-tests') ? null : await runPitfall(copy.folder, plant.pitfall)
    const found = testedPlants.includes(plant)
      ? 'for its tests alone'
      : caught === null
        ? `NOT CAUGHT in ${budget.seeds} seeds`
        : `${caught.checker}, ${caught.seeds} seeds: ${caught.detail.slice(0, 150)}`
    process.stderr.write(`${plant.name}: ${found}${tests === null ? '' : `; tests ${tests.failed} failed, ${tests.passed} passed`}\n`)
    return { plant, caught, tests }
  } finally {
    await copy.remove()
  }
}

const row = ({ plant, caught, tests }: Finding): string => {
  const cells = [
    `\`${plant.name}\``,
    plant.pitfall === null ? '' : String(plant.pitfall).padStart(2, '0'),
    plant.breaks,
    caught?.checker ?? (testedPlants.includes(plant) ? 'its tests alone' : 'not caught'),
    caught === null ? (testedPlants.includes(plant) ? '' : `> ${budget.seeds}`) : String(caught.seeds),
    tests === null ? '' : tests.failed > 0 ? 'fails' : 'passes',
  ]
  return `| ${cells.join(' | ')} |`
}

const page = (findings: readonly Finding[]): string => `# Planted bugs

Made by \`npm run plants\`. Each bug is a change to one place of the sources (\`src/pbft/sim/plants\`), applied to a copy of them; the code itself
has no switch for it. \`pbft-panel simulate --plant NAME\` runs the simulator on such a copy.

Budget: seeds ${budget.first} to ${budget.seeds}, ${budget.steps} steps each, ${budget.replicas} replicas (six for \`quorum-of-2f+1\`). "Seeds" is how many it took until a checker
found something; "pitfall test" is what the tests named \`pitfall NN\` do when they run against the same copy.

| bug | pitfall | what it breaks | checker that caught it | seeds | pitfall test |
| --- | --- | --- | --- | --- | --- |
${findings.map(row).join('\n')}
`

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const all = [...plants, ...testedPlants]
const chosen = all.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
process.stderr.write(`${chosen.length} plants, ${budget.seeds} seeds from ${budget.first}, ${budget.steps} steps, ${atATime} at a time\n`)
const findings = await inPool(chosen, atATime, examine)
if (chosen.length === all.length) await writeFile(join(root, 'docs', 'planted-bugs.md'), page(findings))
const isMissed = ({ plant, caught, tests }: Finding): boolean => (caught === null && !testedPlants.includes(plant)) || tests?.failed === 0
process.exitCode = findings.some(isMissed) ? 1 : 0
