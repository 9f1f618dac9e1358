/**
 * Runs inside one judging process (process.ts): takes the tests named in the plan in, and runs those that reach a mutant against it
 * until one fails. No part of `npm test`.
 */
import { appendFileSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, it, TestRunner, vi, type RunnerTask, type RunnerTestCase } from 'vitest'
import type { Note, Plan } from './plan.ts'

/** What the instrumented sources ask and tell. */
interface Switchboard {
  activeMutant?: string | undefined
  currentTestId?: string | undefined
  hitCount?: number | undefined
  hitLimit?: number | undefined
  mutantCoverage?: { static: Record<string, number>; perTest: Record<string, Record<string, number>> }
}

interface Timed {
  readonly name: string
  readonly run: () => unknown
}

const plan = JSON.parse(readFileSync(process.env['PBFT_MUTATION_PLAN'] ?? '', 'utf8')) as Plan
const note = (what: Note): void => appendFileSync(plan.notes, `${JSON.stringify(what)}\n`)
const board = ((globalThis as { __stryker__?: Switchboard }).__stryker__ ??= {})
const durations = new Map<string, number>()
const kills = new Map<string, number>()

const takeIn = async (): Promise<void> => {
  for (const file of plan.tests) await import(/* @vite-ignore */ file)
}

// The same inputs for every mutant; and who is going to fail need not look for the smallest reason.
fc.configureGlobal({ seed: 1, endOnFailure: true })
describe('plain', async () => takeIn())

const failedToLoad = new Set<string>()
if (plan.again) {
  for (const id of plan.open) {
    describe(id, async () => {
      note({ type: 'begun', id })
      vi.resetModules()
      board.activeMutant = id
      await takeIn().catch(() => failedToLoad.add(id))
      board.activeMutant = undefined
    })
  }
}

const testsUnder = (tasks: readonly RunnerTask[]): Timed[] => {
  const suites = tasks.filter((task) => task.type === 'suite')
  const own = tasks.filter((task): task is RunnerTestCase => task.type === 'test')
  return [
    ...own.map((test) => ({ name: test.name, run: TestRunner.getTestFn(test) })),
    ...suites.flatMap((suite) => testsUnder(suite.tasks).map(({ name, run }) => ({ name: `${suite.name} > ${name}`, run }))),
  ]
}

/** How many milliseconds it took, or what was wrong. */
const attempt = async ({ run }: Timed): Promise<number | Error> => {
  const from = performance.now()
  try {
    await run()
    return performance.now() - from
  } catch (error) {
    // Nobody is judged by a busy machine: what came to its end in more time than a test gives itself has passed.
    if (error instanceof Error && error.name === 'TestTimeoutError') return performance.now() - from
    return error instanceof Error ? error : new Error(String(error))
  } finally {
    // Lets the process answer whoever started it.
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const perKill = ({ name }: Timed): number => (durations.get(name) ?? 0) / (1 + (kills.get(name) ?? 0))

/** The first of the tests, those that kill often for their time first, that fails. */
const killer = async (tests: readonly Timed[], hitsOf: (test: Timed) => number): Promise<string | null> => {
  for (const test of tests.slice().sort((a, b) => perKill(a) - perKill(b))) {
    // A loop that the mutant made endless ends by this; twenty times the work is not endless.
    board.hitCount = 0
    board.hitLimit = 20 * hitsOf(test) + 10_000
    if ((await attempt(test)) instanceof Error) return test.name
  }
  return null
}

it('judges', async ({ task }) => {
  const suite = (name: string): Timed[] =>
    testsUnder(task.file.tasks.flatMap((one) => (one.type === 'suite' && one.name === name ? one.tasks : [])))
  const byLoading = new Set(Object.keys(board.mutantCoverage?.static ?? {}))
  const tests = suite('plain')
  const begin = performance.now()
  for (const test of tests) {
    board.currentTestId = test.name
    const took = await attempt(test)
    if (took instanceof Error) throw new Error(`"${test.name}" fails without a mutant`, { cause: took })
    durations.set(test.name, took)
  }
  board.currentTestId = undefined
  note({ type: 'ready', tests: tests.length, ms: performance.now() - begin })

  const hits = structuredClone(board.mutantCoverage?.perTest ?? {})
  for (const id of plan.open) {
    note({ type: 'begun', id })
    const hitsOf = ({ name }: Timed): number => (plan.again ? 1_000_000_000 : (hits[name]?.[id] ?? 0))
    const asked = plan.again ? suite(id) : tests.filter((test) => hitsOf(test) > 0)
    board.activeMutant = id
    const by = failedToLoad.has(id) ? 'loading' : await killer(asked, hitsOf)
    board.activeMutant = undefined
    if (by === null) note({ type: 'survived', id, covered: asked.length > 0, byLoading: byLoading.has(id) })
    else {
      kills.set(by, (kills.get(by) ?? 0) + 1)
      note({ type: 'killed', id, by })
    }
  }
})
