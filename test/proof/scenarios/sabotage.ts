/**
 * Ways to make a scenario not hold: the faults that it rests on left out, something that it does not know of, or an engine with a planted
 * bug. Each changes the scenario's acts or the replicas that it runs on, never its checks.
 */
import type { Scenario, ScenarioAct, ScenarioCheck, ScenarioStep } from '../../../src/contract/scenarios.ts'

/** One thing that is wrong, and what kinds of checks it is to make fail. */
interface Wrong {
  /** For people, in the table. */
  readonly what: string
  readonly checks: readonly ScenarioCheck['check'][]
}

export interface Sabotage {
  readonly name: string
  /** Usually one; two where they do not touch the same steps, to save a run. */
  readonly wrongs: readonly [Wrong, ...Wrong[]]
  /** The replicas have this bug; null: none. */
  readonly plant: string | null
  /** The scenario with it; null: it has nothing that this could make fail. */
  apply(scenario: Scenario): SabotagedScenario | null
}

/** What a sabotage did to a check of this kind. */
export const whatOf = ({ wrongs }: Sabotage, kind: ScenarioCheck['check'] | null): string =>
  (wrongs.find(({ checks }) => kind !== null && checks.includes(kind)) ?? wrongs[0]).what

export interface SabotagedStep extends ScenarioStep {
  /** Index of the step that this is; null: it was added. */
  readonly origin: number | null
}
export type SabotagedScenario = Omit<Scenario, 'steps'> & { readonly steps: readonly SabotagedStep[] }

/** What is to fail is not waited for as long as what is to hold. */
const withinMsMax = 12_000
const timeoutMsMax = 4_000

const impatient = (act: ScenarioAct): ScenarioAct =>
  act.act === 'submit' ? { ...act, timeoutMs: Math.min(act.timeoutMs, timeoutMsMax) } : act

type ActsOf = (step: ScenarioStep) => readonly ScenarioAct[]

const same = (scenario: Scenario, acts: ActsOf = (step) => step.acts): SabotagedScenario => ({
  ...scenario,
  steps: scenario.steps.map((step, origin) => ({
    ...step,
    origin,
    acts: acts(step).map(impatient),
    withinMs: Math.min(step.withinMs, withinMsMax),
  })),
})

const isFault = ({ act }: ScenarioAct): boolean => act === 'inject' || act === 'replica'
const withoutFaults = ({ acts }: ScenarioStep): ScenarioAct[] => acts.filter((act) => !isFault(act))

const checks = (scenario: Scenario, ...kinds: readonly string[]): boolean =>
  scenario.steps.some((step) => step.checks.some(({ check }) => kinds.includes(check)))

/** A backup that the scenario gives no part of its own. */
const bystanderOf = (scenario: Scenario): string => {
  const text = JSON.stringify(scenario.steps.map(({ acts }) => acts.filter(({ act }) => act === 'remember')))
  return ['backup-3', 'backup-2', 'backup-1'].find((name) => !text.includes(name)) ?? 'backup-3'
}

const stopOf = (scenario: Scenario): ScenarioAct => ({ act: 'replica', replica: bystanderOf(scenario), action: 'stop' })

/** The bystander stops after all was done and executed, right before the last looks are taken. */
const stoppedLate = (scenario: Scenario): SabotagedScenario => {
  const { steps, ...rest } = same(scenario, withoutFaults)
  return {
    ...rest,
    steps: steps.flatMap((step): SabotagedStep[] =>
      step.checks.some(({ check }) => check === 'agreed')
        ? [
            { ...step, origin: null },
            { ...step, acts: [stopOf(scenario)] },
          ]
        : [step],
    ),
  }
}

const anotherFault: ScenarioAct = { act: 'inject', fault: { type: 'delay', from: 2, to: 3, delayMs: 1 } }

/** Steps that say that the view stays have their primary cut off before they ask for anything. */
const withoutPrimary = ({ acts, checks: looks }: ScenarioStep): readonly ScenarioAct[] => {
  if (!looks.some((look) => look.check === 'view' && look.is === 'same')) return acts
  const asking = acts.findIndex(({ act }) => act === 'submit')
  if (asking === -1) return acts
  return [...acts.slice(0, asking), { act: 'inject', fault: { type: 'isolate', replica: 'primary' } }, ...acts.slice(asking)]
}

const starts = (act: ScenarioAct): boolean => act.act === 'replica' && act.action === 'start'

export const sabotages: readonly Sabotage[] = [
  {
    name: 'withheld',
    wrongs: [{ what: 'the faults are withheld', checks: [] }],
    plant: null,
    apply: (scenario) => same(scenario, withoutFaults),
  },
  {
    name: 'another down',
    wrongs: [{ what: 'another replica is stopped beforehand, no faults', checks: [] }],
    plant: null,
    apply: (scenario) => same(scenario, (step) => [...(step === scenario.steps[0] ? [stopOf(scenario)] : []), ...withoutFaults(step)]),
  },
  {
    name: 'restless, stopped late',
    wrongs: [
      { what: 'planted bug `restless`: replicas leave their view for no reason, no faults', checks: ['view', 'view-reason'] },
      { what: 'another replica stops before the last look, no faults', checks: ['agreed', 'log', 'state'] },
    ],
    plant: 'restless',
    apply: stoppedLate,
  },
  {
    name: 'no-replies',
    wrongs: [{ what: 'planted bug `no-replies`: clients are never answered', checks: [] }],
    plant: 'no-replies',
    apply: (scenario) => (checks(scenario, 'answered') ? same(scenario) : null),
  },
  {
    name: 'another fault',
    wrongs: [{ what: 'a fault that delays one link by 1 ms is left active', checks: [] }],
    plant: null,
    apply: (scenario) =>
      checks(scenario, 'faults')
        ? same(scenario, (step) => (step.checks.some(({ check }) => check === 'faults') ? [...step.acts, anotherFault] : step.acts))
        : null,
  },
  {
    name: 'replies-name-another-place',
    wrongs: [{ what: 'planted bug `replies-name-another-place`: a reply names the sequence number after its own', checks: [] }],
    plant: 'replies-name-another-place',
    apply: same,
  },
  {
    name: 'stores-something-else',
    wrongs: [{ what: 'planted bug `stores-something-else`: what is stored is not what was given', checks: [] }],
    plant: 'stores-something-else',
    apply: (scenario) => (checks(scenario, 'result') ? same(scenario, withoutFaults) : null),
  },
  {
    name: 'primary isolated first',
    wrongs: [{ what: 'the primary is isolated beforehand', checks: ['view'] }],
    plant: null,
    apply: (scenario) => {
      const sabotaged = same(scenario, withoutPrimary)
      return sabotaged.steps.some(({ origin, acts }) => acts.length > (scenario.steps[origin ?? -1]?.acts.length ?? Infinity))
        ? sabotaged
        : null
    },
  },
  {
    name: 'not started',
    wrongs: [{ what: 'nothing is started again', checks: [] }],
    plant: null,
    apply: (scenario) =>
      scenario.steps.some(({ acts }) => acts.some(starts)) ? same(scenario, ({ acts }) => acts.filter((act) => !starts(act))) : null,
  },
]
