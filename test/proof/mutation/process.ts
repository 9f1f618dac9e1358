/** One judging process: vitest, with the instrumented sources in place of the protocol's. Its plan is in the file PBFT_MUTATION_PLAN. */
import { readFileSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'
import { mutatedFolder } from './mutants.ts'
import type { Plan } from './plan.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
const { sources, notes } = JSON.parse(readFileSync(process.env['PBFT_MUTATION_PLAN'] ?? '', 'utf8')) as Plan

const instrumented = {
  name: 'mutants',
  enforce: 'pre' as const,
  transform(_: string, path: string): string | null {
    return dirname(path) === join(root, mutatedFolder) ? (sources[basename(path)] ?? null) : null
  },
}

/**
 * A process that notes nothing for so much of its own processor time, ms, is in a loop that the count of hits does not end; all tests
 * together take seconds. By processor time, since a busy machine must not look like a loop; the tests run in a thread of their own.
 */
const patienceMs = 120_000
const usedMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
const noted = { bytes: 0, atMs: usedMs() }
setInterval(() => {
  const bytes = statSync(notes).size
  if (bytes !== noted.bytes) Object.assign(noted, { bytes, atMs: usedMs() })
  if (usedMs() - noted.atMs > patienceMs) process.exit(3)
}, 1_000).unref()

const options = {
  root,
  config: false as const,
  include: ['test/proof/mutation/judge.test.ts'],
  ...{ watch: false, isolate: false, pool: 'threads' as const, maxWorkers: 1 },
  // What one process was given is nothing for another one.
  fsModuleCache: false,
  // The others are taken in and skipped; it runs them.
  testNamePattern: /^judges$/,
  // See above.
  testTimeout: 2_000_000_000,
}
const vitest = await startVitest('test', [], options, { plugins: [instrumented] })
await vitest.close()
