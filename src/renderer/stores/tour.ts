/** The guided tour: where it is, and what was so when its step began. It shows only when it was asked for. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef, watch } from 'vue'
import { tourStepNames, tourSteps, type TourFacts, type TourStepName } from '../lib/tour-steps.ts'
import { useCluster } from './cluster.ts'
import { useRequests } from './requests.ts'

export const useTour = defineStore('tour', () => {
  const cluster = useCluster()
  const requests = useRequests()
  const index = ref<number | null>(null)
  const facts = computed<TourFacts>(() => {
    const status = cluster.liveStatus
    const faults = status?.faults ?? []
    return {
      open: status !== null,
      primary: status?.primary ?? 0,
      completed: requests.list.filter(({ outcome }) => outcome.state === 'completed').length,
      isolations: faults.filter(({ fault }) => fault.type === 'isolate').length,
      faults: faults.length,
      view: status?.view ?? 0,
    }
  })
  const before = shallowRef(facts.value)
  const name = computed<TourStepName | null>(() => (index.value === null ? null : (tourStepNames[index.value] ?? null)))
  const step = computed(() => (name.value === null ? null : tourSteps[name.value]))
  /** null: the step asks for nothing. */
  const done = computed(() => step.value?.isDone?.(before.value, facts.value) ?? null)
  const anchors = computed(() => step.value?.anchors(before.value, facts.value) ?? [])

  function goTo(to: number): void {
    before.value = facts.value
    index.value = to
  }
  /** From the beginning; a cluster that is open is made use of. */
  const start = (): void => goTo(facts.value.open ? 1 : 0)
  const end = (): void => {
    index.value = null
  }
  const next = (): void => {
    if (index.value === null || index.value + 1 >= tourStepNames.length) end()
    else goTo(index.value + 1)
  }
  const back = (): void => {
    if (index.value !== null && index.value > 0) goTo(index.value - 1)
  }
  // A cluster that is there changes the whole window: there is nothing left to point at.
  watch(done, (isDone) => {
    if (isDone === true && name.value === 'cluster') next()
  })

  return { index, name, step, done, anchors, count: tourStepNames.length, start, next, back, end }
})
