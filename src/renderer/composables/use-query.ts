/**
 * Writes filters and selection of a screen into its address. Not once the reader is on the way to another screen: a change of the address
 * would call that off, and while the other screen's script is still fetched there is time for one.
 */
import { onBeforeUnmount } from 'vue'
import { onBeforeRouteLeave, useRouter, type LocationQueryRaw } from 'vue-router'

export function useQueryWriter(): (query: LocationQueryRaw) => void {
  const router = useRouter()
  let leaving = false
  onBeforeRouteLeave(() => {
    leaving = true
  })
  // Called off: it is this screen still.
  const stop = router.afterEach((_to, _from, failure) => {
    if (failure !== undefined) leaving = false
  })
  onBeforeUnmount(stop)
  return (query) => {
    if (!leaving) void router.replace({ query })
  }
}
