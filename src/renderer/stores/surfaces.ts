/** Which dialog of the frame is open; one at a time. */
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'

export type Surface = 'palette' | 'shortcuts' | 'create' | 'connect' | 'note'

export const useSurfaces = defineStore('surfaces', () => {
  const open = ref<Surface | null>(null)
  const show = (surface: Surface): void => {
    open.value = surface
  }
  /** A two-way flag for one of them. */
  const flag = (surface: Surface) =>
    computed({
      get: () => open.value === surface,
      set: (value: boolean) => {
        if (value) open.value = surface
        else if (open.value === surface) open.value = null
      },
    })
  return { open, show, flag }
})
