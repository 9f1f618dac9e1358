/** The scenarios there are, and the one that runs or ran last on the open cluster. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { ScenarioRun, ScenarioSummary } from '../../contract/scenarios.ts'
import { t } from '../i18n/index.ts'
import { useActs } from './acts.ts'
import { useLink } from './link.ts'

export const useScenarios = defineStore('scenarios', () => {
  const link = useLink()
  const acts = useActs()
  const list = shallowRef<readonly ScenarioSummary[] | null>(null)
  const run = shallowRef<ScenarioRun | null>(null)
  /** The run fills the window, in large type. */
  const presenting = ref(false)
  const isRunning = computed(() => run.value !== null && run.value.endedAt === null)

  async function refresh(): Promise<void> {
    const [scenarios, current] = await Promise.all([link.call('scenarios', {}), link.call('scenario', {})])
    if (scenarios.ok) list.value = scenarios.value
    if (current.ok) run.value = current.value
  }

  link.onEvent((event) => {
    if (event.type === 'reset') void refresh()
    else if (event.type === 'scenario') run.value = event.run
  })

  /** `present`: step by step in large type, at the presenter's pace. */
  async function start(summary: ScenarioSummary, present: boolean): Promise<void> {
    const which = summary.source === 'library' ? { name: summary.name } : { file: summary.file }
    const result = await acts.run('scenario', t('scenarios.run'), 'startScenario', { ...which, stepwise: present })
    if (!result.ok) return
    run.value = result.value
    presenting.value = present
  }

  async function advance(): Promise<void> {
    if (run.value?.state === 'waiting') await acts.run('scenario-next', t('scenarios.next'), 'advanceScenario', {})
  }

  async function stop(): Promise<void> {
    await acts.run('scenario-stop', t('scenarios.stop'), 'stopScenario', {})
  }

  return { list, run, presenting, isRunning, refresh, start, advance, stop }
})
