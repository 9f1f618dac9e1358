/** The table of docs/scenarios.md: for each expectation of the library what makes it fail, and what is seen then. */
import type { Scenario, ScenarioCheck } from '../../../src/contract/scenarios.ts'
import type { Outcome, Sight } from './observe.ts'
import { sabotages, whatOf } from './sabotage.ts'

export interface Failure {
  readonly sabotage: string
  readonly sentence: string
  /** Other checks of its step that failed in that run. */
  readonly others: number
}

export interface Expectation {
  readonly scenario: string
  readonly step: number
  readonly check: number
  readonly words: string
  /** Whether it held when nothing was wrong; null: not looked at. */
  readonly isGreen: boolean | null
  /** The fewest others first. */
  readonly failures: readonly Failure[]
}

const named = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(' or ') : String(value))

/** A check in a few words, as docs/scenarios.md names it. */
export const wordsOf = (check: ScenarioCheck): string => {
  const { check: kind, ...fields } = check
  const shown = Object.entries(fields).filter(
    ([name, value]) => !(name === 'forMs' && value === 0) && !(name === 'since' && value === 'step'),
  )
  return [kind, ...shown.map(([name, value]) => (name === 'is' || name === 'replica' ? named(value) : `${name} ${named(value)}`))].join(' ')
}

const sightOf = (outcome: Outcome, step: number, check: number): Sight | undefined =>
  outcome.sights.find((sight) => sight.step === step && sight.check === check)

const failuresOf = (outcomes: readonly Outcome[], step: number, check: number): Failure[] =>
  outcomes
    .flatMap((outcome): Failure[] => {
      const sight = sightOf(outcome, step, check)
      if (outcome.sabotage === null || sight === undefined || sight.holds) return []
      const others = outcome.sights.filter((other) => other.step === step && other.check >= 0 && other !== sight && !other.holds)
      return [{ sabotage: outcome.sabotage, sentence: sight.sentence, others: others.length }]
    })
    .sort((a, b) => a.others - b.others)

export const expectationsOf = (scenario: Scenario, outcomes: readonly Outcome[]): Expectation[] => {
  const own = outcomes.filter((outcome) => outcome.scenario === scenario.name)
  const green = own.find(({ sabotage }) => sabotage === null)
  const expectation = (step: number, check: number, words: string): Expectation => ({
    scenario: scenario.name,
    step,
    check,
    words,
    isGreen: green === undefined ? null : (sightOf(green, step, check)?.holds ?? false),
    failures: failuresOf(own, step, check),
  })
  const { violates } = scenario
  const atTheEnd =
    violates.length === 0 ? 'no safety monitor is violated at the end' : `violated at the end: ${violates.join(', ')}, no other`
  return [
    ...scenario.steps.flatMap(({ checks }, step) => checks.map((check, index) => expectation(step, index, wordsOf(check)))),
    expectation(scenario.steps.length - 1, -1, atTheEnd),
  ]
}

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ').slice(0, 160)

const row = (scenario: Scenario, { step, check, words, failures }: Expectation): string => {
  const [best] = failures
  const sabotage = sabotages.find(({ name }) => name === best?.sabotage)
  const what = sabotage === undefined ? 'NOT SEEN' : whatOf(sabotage, scenario.steps[step]?.checks[check]?.check ?? null)
  const others = best === undefined ? '' : best.others === 0 ? 'alone' : `and ${best.others} more`
  const title = check < 0 ? 'at the end' : (scenario.steps[step]?.title.en ?? '')
  return `| ${[title, cell(words), what, others, cell(best?.sentence ?? '')].join(' | ')} |`
}

/** One table per scenario. */
export const tableOf = (scenarios: readonly Scenario[], outcomes: readonly Outcome[]): string =>
  scenarios
    .map((scenario) => {
      const rows = expectationsOf(scenario, outcomes).map((expectation) => row(scenario, expectation))
      return `### ${scenario.name}\n\n| step | expectation | fails when | of its step | what is seen then |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
    })
    .join('\n')
