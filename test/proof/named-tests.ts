/** Runs tests of the engine against a copy of the sources. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const testFolders: readonly string[] = ['pbft', 'sim', 'link', 'support'].map((folder) => join('test', folder))
/** What a copy needs for it, beside the engine. */
export const testParts: readonly string[] = [...testFolders, join('src', 'link'), join('src', 'contract'), 'tsconfig.base.json']

interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
}

const config = (folder: string): string => `import { defineConfig } from 'vitest/config'
export default defineConfig({
  cacheDir: ${JSON.stringify(join(folder, '.cache'))},
  test: { include: ['test/**/*.test.ts'], testTimeout: 120_000, maxWorkers: 1, cache: false },
})
`

/** Files below `folder` with tests whose name has `name` in it, relative to it. */
export const filesWithTests = (folder: string, name: RegExp): string[] =>
  testFolders.flatMap((part) =>
    readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.test.ts') && name.test(readFileSync(join(folder, part, file), 'utf8')))
      .map((file) => join(part, file)),
  )

/**
 * Runs the tests in some files of a copy, those whose name has `name` in it, until one fails. Tests that do not end within `timeoutMs`
 * have failed.
 * @returns how many passed and failed
 */
export const runTests = async (
  folder: string,
  files: readonly string[],
  { name, timeoutMs = 240_000 }: { readonly name?: RegExp; readonly timeoutMs?: number },
): Promise<{ readonly passed: number; readonly failed: number }> => {
  const report = join(folder, 'report.json')
  await writeFile(join(folder, 'vitest.config.ts'), config(folder))
  const args = [
    join(folder, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--root',
    folder,
    '--reporter=json',
    `--outputFile=${report}`,
    '--bail=1',
    ...files,
  ]
  if (name !== undefined) args.push('-t', name.source)
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore', detached: true })
  const timer = setTimeout(() => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), timeoutMs)
  await new Promise((resolve) => child.on('exit', resolve))
  clearTimeout(timer)
  if (!existsSync(report)) return { passed: 0, failed: 1 }
  const { numPassedTests: passed, numFailedTests: failed } = JSON.parse(await readFile(report, 'utf8')) as Report
  // A test file that does not load proves nothing.
  if (passed + failed === 0) throw new Error(`no test ran in ${folder}: ${files.join(', ')}`)
  return { passed, failed }
}
