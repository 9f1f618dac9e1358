/** A replay that a screen steps through: one session at a time, long ways in parts, so that they show how far they are and can be stopped. */
import { computed, onBeforeUnmount, shallowRef } from 'vue'
import type { Params } from '../../contract/api.ts'
import type { RecordedProcessInfo, ReplayMoment, ReplaySessionInfo } from '../../contract/replay.ts'
import type { PanelError } from '../../contract/result.ts'
import { useLink } from '../stores/link.ts'

type Target = Params<'replay'>['to']
/** Places that one call goes on, at most: a fraction of a second. */
const partMax = 20_000

export function useReplay() {
  const link = useLink()
  /** null until the host has answered. */
  const processes = shallowRef<readonly RecordedProcessInfo[] | null>(null)
  const session = shallowRef<ReplaySessionInfo | null>(null)
  const moment = shallowRef<ReplayMoment | null>(null)
  const problem = shallowRef<PanelError | null>(null)
  /** Under way, and how far, 0 to 1. */
  const progress = shallowRef<number | null>(null)
  const busy = computed(() => progress.value !== null)
  let cancelled = false

  async function refresh(): Promise<void> {
    const result = await link.call('recordedProcesses', {})
    if (result.ok) processes.value = result.value
    else problem.value = result.error
  }

  function close(): void {
    const open = session.value
    session.value = null
    moment.value = null
    cancelled = true
    if (open !== null) void link.call('closeReplay', { session: open.session })
  }

  async function open(replica: number, process: number): Promise<void> {
    close()
    problem.value = null
    progress.value = 0
    const result = await link.call('openReplay', { replica, process })
    progress.value = null
    if (!result.ok) problem.value = result.error
    else {
      session.value = result.value
      await go({ steps: 1 })
    }
  }

  async function ask(to: Target): Promise<ReplayMoment | null> {
    const asked = session.value
    if (asked === null) return null
    const result = await link.call('replay', { session: asked.session, to })
    if (session.value !== asked) return null
    if (result.ok) {
      moment.value = result.value
      return result.value
    }
    problem.value = result.error
    if (result.error.code === 'not-found') session.value = null
    return null
  }

  /** Whether what stands at `now` is still before the target. */
  const isBefore = (now: ReplayMoment, to: Target): boolean => {
    if ('place' in to) return (now.place ?? -1) < to.place
    if ('seq' in to) return now.lastExecuted < to.seq
    if ('view' in to) return now.view < to.view
    return 'at' in to && (now.at ?? 0) < to.at
  }

  /** Parts of the way, as far as nobody has gone through it yet; the target itself is asked for at the end. */
  async function approach(to: Target, count: number): Promise<void> {
    for (;;) {
      const now = moment.value
      const place = now?.place ?? 0
      const next = Math.max(place, now?.prepared ?? 0) + partMax
      if (cancelled || now === null || now.ended || !isBefore(now, to) || next >= count || ('place' in to && next >= to.place)) return
      if ((await ask({ place: next })) === null) return
      progress.value = next / count
    }
  }

  /** Goes there. A way that was cancelled ends where it had come to. */
  async function go(to: Target): Promise<void> {
    const asked = session.value
    if (asked === null || busy.value) return
    cancelled = false
    problem.value = null
    progress.value = 0
    if (!('steps' in to)) await approach(to, asked.count)
    if (!cancelled) await ask(to)
    progress.value = null
  }

  onBeforeUnmount(close)
  void refresh()
  return { processes, session, moment, problem, progress, busy, refresh, open, close, go, cancel: () => (cancelled = true) }
}
