/** Ties the moment that is shown to the address: a link restores it, and it goes along from screen to screen. */
import { watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { momentOfText, useTimeCursor } from '../stores/time-cursor.ts'

export function useMomentInAddress(): void {
  const cursor = useTimeCursor()
  const route = useRoute()
  const router = useRouter()
  router.beforeEach((to) =>
    cursor.wanted === null || to.query['t'] !== undefined
      ? true
      : { ...to, query: { ...to.query, t: String(cursor.wanted) }, replace: true },
  )
  watch(
    () => route.query['t'],
    (text) => {
      const at = momentOfText(text)
      if (at !== null) cursor.set(at)
    },
    { immediate: true },
  )
  watch(
    () => cursor.wanted,
    (at) => {
      const { t: _before, ...query } = route.query
      void router.replace({ query: at === null ? query : { ...query, t: String(at) } })
    },
  )
}
