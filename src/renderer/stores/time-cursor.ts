/**
 * The one moment that every screen shows: live, or a time of the recorded run. A moment is shown when the host has told how things were
 * then, all of it at once: until it has, everything stays as it was, so that two times are never mixed. The address carries it (`t`).
 */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { Moment } from '../../contract/timeline.ts'
import { useLink } from './link.ts'

const retryMs = 500

/** The time of an address; null: live, or none. */
export const momentOfText = (text: unknown): number | null => {
  const at = typeof text === 'string' && text !== '' ? Number(text) : NaN
  return Number.isFinite(at) && at > 0 ? at : null
}

export const useTimeCursor = defineStore('time-cursor', () => {
  const link = useLink()
  /** Where the operator wants to be, ms since the epoch by the host's clock; null: live. */
  const wanted = ref<number | null>(null)
  /** What is shown; null: live. */
  const moment = shallowRef<Moment | null>(null)
  const at = computed(() => moment.value?.at ?? null)
  const live = computed(() => at.value === null)
  const loading = computed(() => wanted.value !== at.value)
  let isAsking = false

  /** Asks for where one wants to be, one question at a time: a drag asks for many and cares for the last. */
  async function show(): Promise<void> {
    if (isAsking) return
    isAsking = true
    while (wanted.value !== null && wanted.value !== at.value) {
      const asked = wanted.value
      const result = await link.call('moment', { at: asked })
      if (wanted.value === null) break
      if (result.ok) moment.value = result.value
      else {
        // Without a cluster there is no past: a link's moment waits until one is open.
        if (result.error.code !== 'no-cluster') setTimeout(() => void show(), retryMs)
        break
      }
    }
    isAsking = false
  }

  /** null goes back to live. What is no time does too. */
  function set(to: number | null): void {
    wanted.value = to === null || !Number.isFinite(to) || to <= 0 ? null : Math.round(to)
    if (wanted.value === null) moment.value = null
    else void show()
  }

  link.onEvent((event) => {
    if (event.type !== 'host') return
    if (event.host.phase === 'closing') set(null)
    else if (event.host.phase === 'open' && wanted.value !== null) void show()
  })

  return { wanted, moment, at, live, loading, set, goLive: () => set(null) }
})
