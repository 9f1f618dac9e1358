/**
 * `npm run mutation -- [--sample N] [--seed S] [--minutes M] [--workers W] [--survivors] [FILE...]`: mutants of the protocol, each
 * judged by the protocol's tests. Without FILEs (names in src/pbft/protocol) a sample is drawn over all of them; with FILEs all mutants
 * in these are judged, or N of them. `--survivors` judges again what survived the last time, and keeps what it knows of the rest. Writes
 * docs/mutation.md when the sample was drawn over the whole folder and at least 300 were judged.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { inPool } from '../pool.ts'
import { judge } from './judging.ts'
import { findMutants, sampleOf, type Mutant } from './mutants.ts'
import { isAlive, page, summary, type Judged, type Judgement } from './page.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const cache = join(root, '.cache', 'mutation.json')
const worthAPage = 300
/** Mutants of one process: what it has loaded and found out without a mutant serves them all. */
const perProcessMax = 100

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    minutes: { type: 'string', default: '600' },
    workers: { type: 'string', default: '1' },
    survivors: { type: 'boolean', default: false },
  },
})
const numberFrom = (text: string, what: string): number => {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1) throw new Error(`--${what}: a number from 1, not "${text}"`)
  return number
}
const seed = numberFrom(values.seed, 'seed')
const workers = numberFrom(values.workers, 'workers')
const endMs = Date.now() + numberFrom(values.minutes, 'minutes') * 60_000

/** Everything of the protocol that takes seconds, and a short sweep of the simulator. */
const judges = ['test/pbft/protocol', 'test/pbft/golden', 'test/pbft/faults', 'test/proof/mutation'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.test.ts') && name !== 'judge.test.ts')
    .map((name) => join(root, folder, name)),
)

const mutation = await findMutants(root)

/** What is to be judged now, and what survived before. */
interface Task extends Judgement {
  readonly open: readonly Mutant[]
  readonly alive: readonly Judged[]
}

const draw = (): Task => {
  const isWhole = positionals.length === 0
  const among = mutation.mutants.filter(({ file }) => isWhole || positionals.includes(file))
  const size = values.sample === undefined ? (isWhole ? 700 : among.length) : numberFrom(values.sample, 'sample')
  const sample = sampleOf(among, size, seed)
  return { seed, of: among.length, isWhole, drawn: sample.length, first: null, judged: [], alive: [], open: sample }
}

const drawn = (): Task => {
  if (!values.survivors) return draw()
  const known = JSON.parse(readFileSync(cache, 'utf8')) as Judgement
  const alive = known.judged.filter(isAlive)
  const keys = new Set(alive.map(({ mutant }) => mutant.key))
  // One whose line is gone has nothing to be judged any more.
  const open = mutation.mutants.filter(({ key }) => keys.has(key))
  return { ...known, first: known.first ?? summary(known.judged), judged: known.judged.filter((one) => !isAlive(one)), alive, open }
}

const { open, alive, judged: known, ...about } = drawn()
process.stderr.write(`${open.length} of ${mutation.mutants.length} mutants, seed ${about.seed}, ${judges.length} test files\n`)
const byId = new Map(open.map((mutant) => [mutant.id, mutant]))
const judged: Judged[] = [...known]
const size = Math.min(perProcessMax, Math.ceil(open.length / workers))
const parts = Array.from({ length: Math.ceil(open.length / size) }, (_, i) => open.slice(i * size, (i + 1) * size))
await inPool(parts, workers, async (part) => {
  const verdicts = await judge(
    mutation,
    part.map(({ id }) => id),
    judges,
    endMs,
  )
  for (const verdict of verdicts) {
    const mutant = byId.get(verdict.id)
    if (mutant !== undefined) judged.push({ mutant, verdict })
  }
  process.stderr.write(`${summary(judged)}\n`)
})

for (const { mutant, verdict } of judged.filter(isAlive)) {
  const { file, line, mutator, original, replacement } = mutant
  const instead = replacement.replace(/\s+/g, ' ')
  process.stdout.write(`${file}:${line} ${verdict.status} ${mutator}\n  - ${original.slice(0, 200)}\n  + ${instead.slice(0, 200)}\n`)
}
// Survivors that time did not allow to be judged again are what they were.
const again = new Set(judged.map(({ mutant }) => mutant.key))
const kept = alive.filter(({ mutant }) => !again.has(mutant.key) && open.some(({ key }) => key === mutant.key))
const judgement: Judgement = { ...about, judged: [...judged, ...kept] }
mkdirSync(dirname(cache), { recursive: true })
writeFileSync(cache, JSON.stringify(judgement))
if (about.isWhole && judgement.judged.length >= worthAPage) writeFileSync(join(root, 'docs', 'mutation.md'), page(judgement))
