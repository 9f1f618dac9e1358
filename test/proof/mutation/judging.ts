/** Judging processes: started with what is open, watched, and started again without the mutant that one of them did not come back from. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withOnly, type Mutation } from './mutants.ts'
import type { Note, Plan } from './plan.ts'

const entry = join(dirname(fileURLToPath(import.meta.url)), 'process.ts')
const running = new Set<ChildProcess>()
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')))

export interface Verdict {
  readonly id: string
  readonly status: 'killed' | 'timeout' | 'survived' | 'uncovered'
  /** The test that failed. */
  readonly by: string | null
}

const notesIn = async (path: string): Promise<Note[]> => {
  const text = await readFile(path, 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Note)
}

const verdictOf = (note: Note): Verdict | null => {
  if (note.type === 'killed') return { id: note.id, status: 'killed', by: note.by }
  if (note.type === 'survived') return { id: note.id, status: note.covered ? 'survived' : 'uncovered', by: null }
  return null
}

interface Outcome {
  readonly verdicts: readonly Verdict[]
  /** The mutant that it did not come back from. */
  readonly lost: string | null
  /** Of the survivors, those that are reached by loading. */
  readonly byLoading: readonly string[]
}

/** One process, until it ends, or ends itself since it hangs. */
const runOnce = async (folder: string, plan: Plan, endMs: number): Promise<Outcome> => {
  const path = join(folder, 'plan.json')
  await writeFile(path, JSON.stringify(plan))
  await writeFile(plan.notes, '')
  // Fewer seeds of the longest test than in `npm test`: it is a judge among hundreds here.
  const env = { ...process.env, PBFT_MUTATION_PLAN: path, PBFT_SEEDS: '4' }
  const child = spawn(process.execPath, ['--max-old-space-size=2048', entry], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output = (output + String(chunk)).slice(-4_000)))
  running.add(child)
  const end = setTimeout(() => child.kill('SIGKILL'), endMs - Date.now())
  await once(child, 'close')
  clearTimeout(end)
  running.delete(child)
  const notes = await notesIn(plan.notes)
  const verdicts = notes.map(verdictOf).filter((verdict) => verdict !== null)
  const last = notes.findLast((note) => note.type === 'begun')?.id ?? null
  const isLost = verdicts.length < plan.open.length && Date.now() <= endMs
  if (isLost && last === null) throw new Error(`the tests do not pass without a mutant:\n${output}`)
  if (isLost) process.stderr.write(`a judging process ended at mutant ${last}:\n${output}\n`)
  const byLoading = notes.flatMap((note) => (note.type === 'survived' && note.byLoading ? [note.id] : []))
  return { verdicts, lost: isLost ? last : null, byLoading }
}

/** Judges these mutants with these test files. Ends at `endMs` (epoch), with the verdicts that there are by then. */
export const judge = async (
  { sources }: Mutation,
  ids: readonly string[],
  tests: readonly string[],
  endMs: number,
): Promise<readonly Verdict[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'pbft-mutation-'))
  const all = new Map<string, Verdict>()
  const open = new Set(ids)
  const again = new Set<string>()
  try {
    while ((open.size > 0 || again.size > 0) && Date.now() < endMs) {
      // What survived, and is reached before any test runs, gets its second and dearer trial.
      const now = open.size > 0 ? open : again
      const instrumented = Object.fromEntries([...sources].map(([name, source]) => [name, withOnly(source, now)]))
      const plan = { tests, sources: instrumented, open: [...now], again: now === again, notes: join(folder, 'notes') }
      const { verdicts, lost, byLoading } = await runOnce(folder, plan, endMs)
      if (now === open) for (const id of byLoading) again.add(id)
      for (const verdict of verdicts) {
        all.set(verdict.id, verdict)
        now.delete(verdict.id)
      }
      if (lost !== null) all.set(lost, { id: lost, status: 'timeout', by: null })
      if (lost !== null) now.delete(lost)
    }
    return [...all.values()]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
