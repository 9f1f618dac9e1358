/**
 * The one moment that every screen shows: live, or a time of the run. Screens that can show the past obey it; the address carries it
 * (`t`), so that a link restores it.
 */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { useCluster } from './cluster.ts'

/** The time of an address; null: live, or none. */
export const momentOfText = (text: unknown): number | null => {
  const at = typeof text === 'string' && text !== '' ? Number(text) : NaN
  return Number.isFinite(at) && at > 0 ? at : null
}

export const useTimeCursor = defineStore('time-cursor', () => {
  const cluster = useCluster()
  /** ms since the epoch by the host's clock; null: live. */
  const at = ref<number | null>(null)
  const live = computed(() => at.value === null)
  /** The moment, or the host's present. */
  const now = computed(() => at.value ?? cluster.hostNow)

  function set(moment: number | null): void {
    at.value = moment === null || !Number.isFinite(moment) || moment <= 0 ? null : moment
  }
  return { at, live, now, set, goLive: () => set(null) }
})
