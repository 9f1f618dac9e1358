/** A list that the host answers whole: asked for at the start and again when an event says that it has changed. */
import { useThrottleFn } from '@vueuse/core'
import { onBeforeUnmount, shallowRef } from 'vue'
import type { ResultOf } from '../../contract/api.ts'
import type { PanelEvent } from '../../contract/events.ts'
import { useLink } from '../stores/link.ts'

const everyMs = 500

/** `views` or `checkpoints`, newest last as the host has them; null until the first answer. */
export function useListing<M extends 'views' | 'checkpoints'>(method: M) {
  const link = useLink()
  const list = shallowRef<ResultOf<M> | null>(null)
  const ask = useThrottleFn(
    async () => {
      const result = await link.call(method, {})
      if (result.ok) list.value = result.value
    },
    everyMs,
    true,
  )
  const concerns = (event: PanelEvent): boolean => event.type === method || event.type === 'reset'
  const stop = link.onEvent((event) => {
    if (concerns(event)) void ask()
  })
  onBeforeUnmount(stop)
  void ask()
  return list
}
