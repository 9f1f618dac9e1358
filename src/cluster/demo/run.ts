/** Runs a scenario on the cluster that a host has open, step by step, and sums it up. */
import type { MonitorName } from '../../contract/model.ts'
import type { Host } from '../host-interface.ts'
import { primaryIsolation } from './primary-isolation.ts'
import { Stage, StepFailure, type Observed, type Scenario, type ScenarioReport, type ScenarioStep, type StepReport } from './scenario.ts'

export const scenarios: readonly Scenario[] = [primaryIsolation]

export type OnStep = (step: { readonly title: string; readonly expected: string; readonly report: StepReport | null }) => void

/**
 * Runs all steps; `onStep` hears of each before it acts (`report` null) and after. After a step that does not hold the others
 * are not reached. All faults are healed at the end, whatever happened.
 */
export const runScenario = async (host: Host, scenario: Scenario, onStep: OnStep = () => undefined): Promise<ScenarioReport> => {
  const stage = new Stage(host)
  const steps: StepReport[] = []
  for (const step of scenario.steps()) {
    const { title, expected } = step
    onStep({ title, expected, report: null })
    const reached = steps.every(({ holds }) => holds)
    const observed = reached ? await runStep(stage, step) : { observed: 'not reached', holds: false }
    const report: StepReport = { title, expected, ...observed }
    steps.push(report)
    onStep({ title, expected, report })
  }
  await host.call('healAll', {})
  const verdicts = await verdictsOf(host)
  const safe = Object.values(verdicts).every((state) => state !== 'violated')
  return { scenario: scenario.name, steps, verdicts, holds: safe && steps.every(({ holds }) => holds) }
}

const runStep = async (stage: Stage, step: ScenarioStep): Promise<Observed> => {
  try {
    await step.act(stage)
    return await step.check(stage)
  } catch (error) {
    if (error instanceof StepFailure) return { observed: error.message, holds: false }
    throw error
  }
}

const verdictsOf = async (host: Host): Promise<Record<MonitorName, string>> => {
  const status = await host.call('status', {})
  const monitors = status.ok ? status.value.monitors : []
  const stateOf = (name: MonitorName): string => monitors.find((monitor) => monitor.name === name)?.state ?? 'unknown'
  return {
    agreement: stateOf('agreement'),
    'no-gaps': stateOf('no-gaps'),
    'exactly-once': stateOf('exactly-once'),
    'digests-equal': stateOf('digests-equal'),
    progress: stateOf('progress'),
  }
}
