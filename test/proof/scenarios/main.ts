/**
 * `npm run scenarios-can-fail [NAME...] [--minutes N] [--at-a-time N] [--results FILE]`: every scenario of the library as it is, and sabotaged in each way
 * that concerns it, on real clusters. Writes the table of docs/scenarios.md when none is named. Exit code 1 when a scenario does not hold as it
 * is, or has an expectation that nothing makes fail. `--results` keeps what was seen, so that a run that was broken off can go on.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { libraryFile, listScenarios, readScenario } from '../../../src/cluster/scenario/files.ts'
import type { Scenario } from '../../../src/contract/scenarios.ts'
import { root, scenariosFolder } from '../../../src/web/paths.ts'
import { inPool } from '../pool.ts'
import { observe, type Outcome } from './observe.ts'
import { sabotages, type Sabotage } from './sabotage.ts'
import { expectationsOf, tableOf } from './table.ts'

const page = join(root, 'docs', 'scenarios.md')
const heading = '## What makes each expectation fail\n'
const intro = `Made by \`npm run scenarios-can-fail\` on real clusters of four: each scenario as it is, where everything held, and sabotaged, to its end. A row
says what made its expectation fail with the fewest others of its step. Patience is shorter there than in the file (12 s for the checks of a step).`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { minutes: { type: 'string', default: '120' }, results: { type: 'string' }, 'at-a-time': { type: 'string', default: '2' } },
})
const deadline = performance.now() + Number(values.minutes) * 60_000

const scenarioOf = (name: string): Scenario => {
  const read = readScenario(libraryFile(scenariosFolder, name))
  if (!read.ok) throw new Error(read.error.message)
  return read.value
}

const names = listScenarios(scenariosFolder, 'library').map(({ name }) => name)
const chosen = names.filter((name) => positionals.length === 0 || positionals.includes(name)).map(scenarioOf)
const known =
  values.results !== undefined && existsSync(values.results) ? (JSON.parse(readFileSync(values.results, 'utf8')) as Outcome[]) : []
const outcomes: Outcome[] = [...known]

const isKnown = (scenario: Scenario, sabotage: Sabotage | null): boolean =>
  known.some((outcome) => outcome.scenario === scenario.name && outcome.sabotage === (sabotage?.name ?? null))

const tasks = [null, ...sabotages].flatMap((sabotage) =>
  chosen
    .filter((scenario) => !isKnown(scenario, sabotage) && (sabotage === null || sabotage.apply(scenario) !== null))
    .map((scenario) => ({ scenario, sabotage })),
)

const say = (line: string): void => void process.stderr.write(`${line}\n`)

say(`${tasks.length} runs, ${values['at-a-time']} at a time, at most ${values.minutes} minutes`)
let left = tasks.length
await inPool(tasks, Number(values['at-a-time']), async ({ scenario, sabotage }) => {
  if (performance.now() > deadline) return
  const outcome = await observe(scenario, sabotage).catch((error: unknown) =>
    say(`${scenario.name}, ${sabotage?.name ?? 'as it is'}: ${String(error)}`),
  )
  // What could not be run stays to be run.
  if (outcome === null || outcome === undefined) return
  left -= 1
  outcomes.push(outcome)
  if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(outcomes))
  const failed = outcome.sights.filter(({ holds }) => !holds).map(({ step, check }) => `${step}.${check}`)
  say(`${left} left: ${scenario.name}, ${sabotage?.name ?? 'as it is'}: ${outcome.holds ? 'holds' : `fails at ${failed.join(' ')}`}`)
})

const expectations = chosen.flatMap((scenario) => expectationsOf(scenario, outcomes))
const broken = expectations.filter(({ isGreen }) => isGreen !== true)
const certain = expectations.filter(({ failures }) => failures.length === 0)
for (const { scenario, step, check, words } of broken) say(`NOT GREEN: ${scenario} ${step}.${check} ${words}`)
for (const { scenario, step, check, words } of certain) say(`CANNOT FAIL: ${scenario} ${step}.${check} ${words}`)
const alone = expectations.filter(({ failures }) => failures[0]?.others === 0).length
say(`${expectations.length} expectations, ${expectations.length - certain.length} were seen to fail, ${alone} of them alone in their step`)
if (chosen.length === names.length) {
  const text = readFileSync(page, 'utf8')
  const before = text.includes(heading) ? text.slice(0, text.indexOf(heading)) : `${text}\n`
  const seen = `Of ${expectations.length} expectations ${expectations.length - certain.length} were seen to fail, ${alone} of them as the only one of their step.`
  const unrun = left === 0 ? '' : ` ${left} runs are missing; what only they would show is marked NOT SEEN.`
  writeFileSync(page, `${before}${heading}\n${intro}\n${seen}${unrun}\n\n${tableOf(chosen, outcomes)}`)
}
process.exitCode = broken.length + certain.length + left === 0 ? 0 : 1
