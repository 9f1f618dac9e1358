/** Runs tests of the engine against a copy of the sources. */
import { spawn } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** What a copy needs for it, beside the engine. */
export const testFolders: readonly string[] = [join('test', 'pbft'), join('test', 'support')]

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numFailedTestSuites: number
}

const config = (folder: string): string => `import { defineConfig } from 'vitest/config'
export default defineConfig({
  cacheDir: ${JSON.stringify(join(folder, '.cache'))},
  test: { include: ['test/**/*.test.ts'], testTimeout: 20_000, maxWorkers: 1, cache: false },
})
`

/**
 * Runs the tests below `folder` whose name has `name` in it. Tests that do not end within `timeoutMs` have failed.
 * @returns how many passed and failed
 */
export const runTests = async (
  folder: string,
  { name, bail = 0, timeoutMs = 120_000 }: { readonly name?: string; readonly bail?: number; readonly timeoutMs?: number },
): Promise<{ readonly passed: number; readonly failed: number }> => {
  const report = join(folder, 'report.json')
  await writeFile(join(folder, 'vitest.config.ts'), config(folder))
  const args = [join(folder, 'node_modules', 'vitest', 'vitest.mjs'), 'run', '--root', folder, '--reporter=json', `--outputFile=${report}`]
  if (name !== undefined) args.push('-t', name)
  if (bail > 0) args.push(`--bail=${bail}`)
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', detached: true })
  const timer = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), timeoutMs)
  await new Promise((resolve) => child.on('exit', resolve))
  clearTimeout(timer)
  if (!existsSync(report)) return { passed: 0, failed: 1 }
  const { numPassedTests, numFailedTests, numFailedTestSuites } = JSON.parse(await readFile(report, 'utf8')) as Report
  return { passed: numPassedTests, failed: Math.max(numFailedTests, numFailedTestSuites) }
}
