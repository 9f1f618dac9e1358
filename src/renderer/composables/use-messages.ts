/**
 * The recorded messages around a window of time. Whole while they are few enough to hold (then panning and zooming within them asks
 * nobody), counted in bins by the host beyond that.
 */
import { useDebounceFn, useThrottleFn } from '@vueuse/core'
import { computed, onBeforeUnmount, shallowRef, watch, type Ref } from 'vue'
import type { MessageFilter } from '../../contract/api.ts'
import type { MessagesPage, RecordingGap } from '../../contract/messages.ts'
import type { PanelError } from '../../contract/result.ts'
import { contains, drawnOfOverview, type TimeWindow } from '../lib/message-window.ts'
import { useLink } from '../stores/link.ts'
import { useMessageIndex } from './use-message-index.ts'

const heldMax = 100_000
const bins = 400
const settleMs = 120
const tailEveryMs = 500

export interface MessagesOptions {
  readonly window: Readonly<Ref<TimeWindow>>
  readonly filter: Readonly<Ref<MessageFilter>>
  readonly following: Readonly<Ref<boolean>>
  /** Pixels across. */
  readonly pixels: () => number
  /** Messages up to here are recorded now, and the end is followed. */
  onTail(last: number): void
}

export function useMessages({ window: shown, filter, following, pixels, onTail }: MessagesOptions) {
  const link = useLink()
  const index = useMessageIndex()
  const problem = shallowRef<PanelError | null>(null)
  const answered = shallowRef(false)
  const loading = shallowRef(false)
  const bounds = shallowRef<{ readonly first: number | null; readonly last: number | null }>({ first: null, last: null })
  const gaps = shallowRef<readonly RecordingGap[]>([])
  const overview = shallowRef<(ReturnType<typeof drawnOfOverview> & { readonly kinds: readonly string[] }) | null>(null)
  /** What the index holds without anything left out; null: nothing of use. */
  let held: TimeWindow | null = null
  let turn = 0

  const look = (): void => index.look({ ...shown.value, pixels: pixels() })

  function take({ first, last, gaps: found }: Pick<MessagesPage, 'first' | 'last' | 'gaps'>): void {
    bounds.value = { first, last }
    gaps.value = found
    answered.value = true
    problem.value = null
  }

  /** True when all of `wanted` fits. */
  async function hold(wanted: TimeWindow, mine: number): Promise<boolean> {
    const result = await link.call('messages', { ...wanted, limit: heldMax, filter: filter.value })
    if (mine !== turn) return true
    if (!result.ok) {
      problem.value = result.error
      return true
    }
    const page = result.value
    take(page)
    if (page.total > page.count) return false
    held = wanted
    overview.value = null
    index.load(page)
    look()
    return true
  }

  async function count(wanted: TimeWindow, mine: number): Promise<void> {
    const result = await link.call('messagesOverview', { ...wanted, bins, filter: filter.value })
    if (mine !== turn) return
    if (!result.ok) {
      problem.value = result.error
      return
    }
    take(result.value)
    held = null
    overview.value = { ...drawnOfOverview(result.value), kinds: result.value.kinds }
  }

  async function load(): Promise<void> {
    turn += 1
    const mine = turn
    loading.value = true
    const { from, to } = shown.value
    const span = to - from
    const wide = following.value ? { from, to: to + 1 } : { from: from - span, to: to + span }
    if (!(await hold(wide, mine)) && (following.value || !(await hold({ from, to }, mine)))) await count({ from, to }, mine)
    if (mine === turn) loading.value = false
  }
  const loadSoon = useDebounceFn(load, settleMs)
  const loadTail = useThrottleFn(load, tailEveryMs, true)

  watch(shown, (wanted) => {
    if (held !== null) look()
    if (following.value) void loadTail()
    else if (held === null || !contains(held, wanted)) void loadSoon()
  })
  watch(filter, () => {
    held = null
    void load()
  })
  const stop = link.onEvent((event) => {
    if (event.type === 'reset') void load()
    if (event.type !== 'messages') return
    bounds.value = { first: bounds.value.first ?? event.last, last: event.last }
    if (following.value) onTail(event.last)
  })
  onBeforeUnmount(stop)

  return {
    index,
    problem,
    answered,
    loading,
    bounds,
    gaps,
    /** The counts are shown instead of messages: too many for one by one. */
    counted: computed(() => overview.value !== null),
    drawn: computed(() => overview.value?.drawn ?? index.drawn.value),
    rows: computed(() => overview.value?.rows ?? index.rows.value),
    kinds: computed(() => overview.value?.kinds ?? index.kinds.value),
    load,
    look,
  }
}
