/** Counts out of the test runners' JSON reports. A runner that failed without a failed test (or without a report) counts as one. */
import { existsSync, readFileSync } from 'node:fs'

const readReport = (file) => {
  if (!existsSync(file)) return null
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

const honest = (counts, code) => ({ ...counts, failed: code !== 0 && counts.failed === 0 ? 1 : counts.failed })

/** @param {string} file Vitest's JSON report. @param {number} code Vitest's exit code. */
export const countVitest = (file, code) => {
  const report = readReport(file)
  return honest({ passed: report?.numPassedTests ?? 0, failed: report?.numFailedTests ?? 0 }, code)
}

/** @param {string} file Playwright's JSON report. @param {number} code Playwright's exit code. A flaky test passed in the end. */
export const countPlaywright = (file, code) => {
  const stats = readReport(file)?.stats
  return honest({ passed: (stats?.expected ?? 0) + (stats?.flaky ?? 0), failed: stats?.unexpected ?? 0 }, code)
}
