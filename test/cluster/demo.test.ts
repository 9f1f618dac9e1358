import { describe, expect, it } from 'vitest'
import { runScenario, scenarios } from '../../src/cluster/demo/run.ts'
import type { Scenario, ScenarioReport } from '../../src/cluster/demo/scenario.ts'
import { openTestHost } from './support/host.ts'

const scenario = scenarios.find(({ name }) => name === 'primary-isolation') as Scenario

const runOnFresh = async (): Promise<{ report: ScenarioReport; heard: string[] }> => {
  const test = openTestHost()
  const heard: string[] = []
  try {
    await test.call('createCluster', { name: 'demo', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'demo' })
    const report = await runScenario(test.host, scenario, ({ title, report }) =>
      heard.push(`${title}${report === null ? '' : `: ${report.observed}`}`),
    )
    return { report, heard }
  } finally {
    await test.dispose()
  }
}

describe('the primary-isolation demo', () => {
  it('holds: requests go on in a new view, the old primary comes back with the same log and state', async () => {
    const { report, heard } = await runOnFresh()
    expect(report.steps.filter(({ holds }) => !holds)).toEqual([])
    expect(report.holds).toBe(true)
    expect(report.verdicts).toEqual({
      agreement: 'holds',
      'no-gaps': 'holds',
      'exactly-once': 'holds',
      'digests-equal': 'holds',
      progress: 'holds',
    })
    expect(heard).toHaveLength(2 * report.steps.length)
  })

  it('does not hold when no replica ever gives up on the primary', async () => {
    process.env['PBFT_PANEL_TEST_DISABLE_VIEW_TIMER'] = '1'
    try {
      const { report } = await runOnFresh()
      expect(report.holds).toBe(false)
      expect(report.steps.map(({ title, holds }) => [title, holds])).toEqual([
        ['Submit requests', true],
        ['Isolate the primary', true],
        ['Go on without it', false],
        ['Watch the view change', false],
        ['Heal', false],
        ['The old primary catches up', false],
        ['Nothing is lost', false],
      ])
    } finally {
      delete process.env['PBFT_PANEL_TEST_DISABLE_VIEW_TIMER']
    }
  })
})
