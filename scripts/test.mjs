/**
 * `npm test`: sets up what it needs, runs the checks and every test, and ends with one plain line, `N passed, N failed`.
 * Parts can be named: `npm test -- check unit cluster shells`.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { checks, runCheck } from './lib/checks.mjs'
import { hasDisplay } from './lib/electron.mjs'
import { electronForTests } from './lib/electron-for-tests.mjs'
import { inModules, resultsFolder, toolEnvironment } from './lib/paths.mjs'
import { countPlaywright, countVitest } from './lib/reports.mjs'
import { run } from './lib/run.mjs'
import { ensureBuilt, ensureInstalled, ensureNode, main, say, StageError } from './lib/stages.mjs'
import { ensureSystemPackages } from './lib/system.mjs'

const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(0)} s`

const runChecks = async (node) => {
  const total = { passed: 0, failed: 0 }
  for (const check of checks) {
    const began = Date.now()
    const { ok, output } = await runCheck(node, check)
    say(`${ok ? 'ok  ' : 'FAIL'} ${check.name} (${seconds(began)})`)
    if (!ok) say(output)
    total[ok ? 'passed' : 'failed'] += 1
  }
  return total
}

const runVitest = async (node, project) => {
  const report = join(resultsFolder, `${project}.json`)
  const args = [inModules('vitest', 'vitest.mjs'), 'run', '--project', project, '--passWithNoTests', '--reporter=default']
  const { code } = await run(node, [...args, '--reporter=json', `--outputFile.json=${report}`], { env: toolEnvironment() })
  return countVitest(report, code)
}

/** What the shells' tests need, before anything long runs. */
const prepareShells = async () => {
  await ensureSystemPackages()
  await electronForTests()
}

/** On the machine's display where there is one, else on a virtual one. */
const runShells = async (node) => {
  const electron = await electronForTests()
  say(
    electron === null
      ? 'No Electron for this platform'
      : `Electron ${electron.version}, ${electron.official ? 'the official one' : 'the one for tests'}`,
  )
  const report = join(resultsFolder, 'shells.json')
  const env = toolEnvironment({
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
    PBFT_PANEL_NODE: node,
    ...(electron === null
      ? {}
      : { PBFT_PANEL_TEST_ELECTRON: electron.executable, PBFT_PANEL_TEST_ELECTRON_OFFICIAL: String(electron.official) }),
  })
  const playwright = [inModules('playwright', 'cli.js'), 'test', '--reporter=list,json']
  const command = hasDisplay() ? [node, ...playwright] : ['xvfb-run', '-a', '-s', '-screen 0 1600x1000x24', node, ...playwright]
  const { code } = await run(command[0], command.slice(1), { env })
  return countPlaywright(report, code)
}

const parts = {
  check: runChecks,
  unit: (node) => runVitest(node, 'unit'),
  cluster: (node) => runVitest(node, 'cluster'),
  shells: runShells,
}

await main(async () => {
  const wanted = process.argv.slice(2)
  const unknown = wanted.filter((name) => !(name in parts))
  if (unknown.length > 0) throw new StageError(`No such part: ${unknown.join(', ')}. There are: ${Object.keys(parts).join(', ')}.`)
  say(`Node ${process.versions.node} on ${process.platform}-${process.arch}`)
  await ensureInstalled()
  const node = ensureNode()
  await ensureBuilt()
  const included = (name) => wanted.length === 0 || wanted.includes(name)
  if (included('shells')) await prepareShells()
  if (existsSync(resultsFolder)) rmSync(resultsFolder, { recursive: true })
  mkdirSync(resultsFolder, { recursive: true })
  const total = { passed: 0, failed: 0 }
  const lines = []
  for (const [name, part] of Object.entries(parts)) {
    if (!included(name)) continue
    say(`\n== ${name}`)
    const began = Date.now()
    const { passed, failed } = await part(node)
    total.passed += passed
    total.failed += failed
    lines.push(`${name}: ${passed} passed, ${failed} failed, ${seconds(began)}`)
  }
  say(`\n${lines.join('\n')}`)
  process.stdout.write(`\n${total.passed} passed, ${total.failed} failed\n`)
  return total.failed === 0 && total.passed > 0 ? 0 : 1
})
