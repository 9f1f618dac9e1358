import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readScenario, listScenarios } from '../../src/cluster/scenario/files.ts'
import { startScenario } from '../../src/cluster/scenario/run.ts'
import type { Scenario, ScenarioRun } from '../../src/contract/scenarios.ts'
import { observe } from '../proof/scenarios/observe.ts'
import { sabotages } from '../proof/scenarios/sabotage.ts'
import { eventually, openTestHost } from './support/host.ts'

const library = resolve(import.meta.dirname, '../../resources/scenarios')
const names = listScenarios(library, 'library').map(({ name }) => name)

const scenarioOf = (name: string): Scenario => {
  const read = readScenario(resolve(library, `${name}.json`))
  if (!read.ok) throw new Error(read.error.message)
  return read.value
}

const runOnFresh = async (name: string, withheld: boolean): Promise<{ run: ScenarioRun; seen: ScenarioRun[] }> => {
  const test = openTestHost()
  const seen: ScenarioRun[] = []
  try {
    const scenario = scenarioOf(name)
    await test.call('createCluster', { name: 'demo', replicas: 4, ...scenario.cluster })
    await test.call('openCluster', { name: 'demo' })
    const run = await startScenario({ host: test.host, scenario, stepwise: false, withheld, onChange: (now) => seen.push(now) }).finished
    return { run, seen }
  } finally {
    await test.dispose()
  }
}

const failures = (run: ScenarioRun): unknown =>
  run.steps
    .filter(({ phase }) => phase !== 'held')
    .map(({ title, phase, observations }) => [title.en, phase, observations.map(({ sentence, holds }) => `${holds} ${sentence}`)])

describe('the library on real clusters', () => {
  it.each(names)('%s holds', async (name) => {
    const { run } = await runOnFresh(name, false)
    expect(failures(run)).toEqual([])
    expect(run.holds).toBe(true)
    const violated = Object.entries(run.verdicts ?? {}).flatMap(([monitor, state]) => (state === 'violated' ? [monitor] : []))
    expect(violated).toEqual(scenarioOf(name).violates)
  })

  it('does not hold when the fault that it rests on is withheld', async () => {
    const { run } = await runOnFresh('primary-isolation', true)
    expect(run.holds).toBe(false)
    expect(run.steps.map(({ phase }) => phase)).toEqual(['held', 'held', 'failed', 'not-reached', 'not-reached', 'not-reached'])
  })

  it('does not hold on an engine with a planted bug, at the expectation that the bug concerns and at no other', async () => {
    const scenario = scenarioOf('backup-crash')
    const broken = sabotages.find(({ plant }) => plant === 'no-replies')
    if (broken === undefined) throw new Error('there is no such sabotage')
    const outcome = await observe({ ...scenario, steps: scenario.steps.slice(0, 2) }, broken)
    expect(outcome?.holds).toBe(false)
    expect(outcome?.sights.filter(({ holds }) => !holds).map(({ step, check }) => [step, check])).toEqual([[1, 1]])
    expect(scenario.steps[1]?.checks[1]?.check).toBe('answered')
  })

  it('waits for the presenter before and after each step, and stops when told, with all faults healed', async () => {
    const test = openTestHost()
    try {
      await test.call('createCluster', { name: 'demo', replicas: 4, durability: 'process' })
      await test.call('openCluster', { name: 'demo' })
      const waiting = async (index: number, phase: string): Promise<ScenarioRun> =>
        eventually(`step ${index} is ${phase}`, async () => {
          const run = await test.call('scenario', {})
          return run?.state === 'waiting' && run.steps[index]?.phase === phase ? run : null
        })
      await test.call('startScenario', { name: 'too-many-faults', stepwise: true })
      expect((await test.host.call('startScenario', { name: 'power-cut' })).ok).toBe(false)
      for (const index of [0, 1, 2]) {
        await waiting(index, 'expecting')
        await test.call('advanceScenario', {})
        await waiting(index, 'held')
        if (index < 2) await test.call('advanceScenario', {})
      }
      expect((await test.call('status', {})).faults).toHaveLength(1)
      await test.call('stopScenario', {})
      const run = await eventually('it has ended', async () => {
        const now = await test.call('scenario', {})
        return now?.endedAt === null ? null : now
      })
      expect(run.state).toBe('stopped')
      expect(run.holds).toBe(false)
      expect((await test.call('status', {})).faults).toEqual([])
      expect((await test.host.call('advanceScenario', {})).ok).toBe(false)
    } finally {
      await test.dispose()
    }
  })
})
