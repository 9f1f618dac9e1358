/** Where each screen was left: its filters and its selection, so that coming back finds it as it was. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { LocationQuery } from 'vue-router'
import type { Screen } from '../../contract/screens.ts'

export const usePlaces = defineStore('places', () => {
  const left = shallowRef<Readonly<Partial<Record<Screen, LocationQuery>>>>({})
  /** The moment is no screen's own: it goes along to all of them. */
  function leave(screen: Screen, { t: _moment, ...query }: LocationQuery): void {
    left.value = { ...left.value, [screen]: query }
  }
  return { leave, queryOf: (screen: Screen): LocationQuery => left.value[screen] ?? {} }
})
