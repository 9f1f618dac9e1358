/** Runs of scenarios on real clusters, as they are or sabotaged, and which of their checks held. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../../../src/cluster/host-interface.ts'
import { startScenario } from '../../../src/cluster/scenario/run.ts'
import type { Scenario, ScenarioRun, ScenarioStepRun } from '../../../src/contract/scenarios.ts'
import { plantsForProcesses } from '../../../src/pbft/sim/index.ts'
import { hostFor } from '../../../src/web/host.ts'
import { entries, root } from '../../../src/web/paths.ts'
import { copyForProcesses } from '../../../src/web/simulation/mutated-copy.ts'
import type { Sabotage, SabotagedScenario } from './sabotage.ts'

/** What a run saw of one check. */
export interface Sight {
  /** Of the scenario as it is in its file; the check -1 is what the safety monitors said at the end, the step then the last one. */
  readonly step: number
  readonly check: number
  readonly holds: boolean
  readonly sentence: string
}

export interface Outcome {
  readonly scenario: string
  /** null: as it is. */
  readonly sabotage: string | null
  readonly holds: boolean
  readonly sights: readonly Sight[]
}

const replicaWith = async (plant: string | null): Promise<{ readonly replica: string; remove(): Promise<void> }> => {
  if (plant === null) return { replica: entries.replica, remove: () => Promise.resolve() }
  const found = plantsForProcesses.find(({ name }) => name === plant)
  if (found === undefined) throw new Error(`there is no planted bug ${plant}`)
  return copyForProcesses(root, found)
}

/** A machine that is busy may need more than one attempt until all replicas have started. */
const attemptsMax = 4

const open = async (host: Host): Promise<void> => {
  for (let attempt = 1; ; attempt++) {
    const opened = await host.call('openCluster', { name: 'demo' })
    if (opened.ok) return
    if (attempt === attemptsMax) throw new Error(opened.error.message)
  }
}

const runOn = async (scenario: Scenario, replica: string, toTheEnd: boolean): Promise<ScenarioRun> => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-scenario-'))
  const host = hostFor({ dataFolder: join(folder, 'data'), logsFolder: join(folder, 'logs') }, { replica })
  try {
    const created = await host.call('createCluster', { name: 'demo', replicas: 4, ...scenario.cluster })
    if (!created.ok) throw new Error(created.error.message)
    await open(host)
    return await startScenario({ host, scenario, stepwise: false, toTheEnd, onChange: () => undefined }).finished
  } finally {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A step that failed before its checks could be looked at has one observation for all of them. */
const sightsOf = (step: ScenarioStepRun, origin: number, checks: number): Sight[] => {
  const { observations } = step
  const only = observations.length < checks ? observations.at(-1) : undefined
  return Array.from({ length: checks }, (_, check) => {
    const seen = only ?? observations[check]
    return { step: origin, check, holds: seen?.holds ?? false, sentence: seen?.sentence ?? 'nothing' }
  })
}

const violatedOf = (run: ScenarioRun): string[] =>
  Object.entries(run.verdicts ?? {}).flatMap(([monitor, state]) => (state === 'violated' ? [monitor] : []))

/** One run of a scenario with four replicas, to its end. @param sabotage null: as it is. Null when that has nothing to do with it. */
export const observe = async (scenario: Scenario, sabotage: Sabotage | null): Promise<Outcome | null> => {
  const asIs: SabotagedScenario = { ...scenario, steps: scenario.steps.map((step, origin) => ({ ...step, origin })) }
  const changed = sabotage === null ? asIs : sabotage.apply(scenario)
  if (changed === null) return null
  const engine = await replicaWith(sabotage?.plant ?? null)
  try {
    const run = await runOn({ ...changed, steps: [...changed.steps] }, engine.replica, sabotage !== null)
    const sights = changed.steps.flatMap(({ origin, checks }, index) => {
      const step = run.steps[index]
      return origin === null || step === undefined ? [] : sightsOf(step, origin, checks.length)
    })
    const violated = violatedOf(run)
    const expected = [...scenario.violates].sort().join(', ')
    const monitors = { holds: violated.sort().join(', ') === expected, sentence: `Violated at the end: ${violated.join(', ') || 'none'}.` }
    sights.push({ step: scenario.steps.length - 1, check: -1, ...monitors })
    return { scenario: scenario.name, sabotage: sabotage?.name ?? null, holds: run.holds === true, sights }
  } finally {
    await engine.remove()
  }
}
