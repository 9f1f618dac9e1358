/**
 * The recorded messages around a window of time. Whole while they are few enough to hold (then panning and zooming within them asks
 * nobody), counted in bins by the host beyond that.
 */
import { useDebounceFn, useThrottleFn } from '@vueuse/core'
import { computed, onBeforeUnmount, shallowRef, watch, type Ref } from 'vue'
import type { MessageFilter } from '../../contract/api.ts'
import { messagesMax, type MessagesHead, type RecordingGap } from '../../contract/messages.ts'
import type { PanelError } from '../../contract/result.ts'
import { contains, drawnOfOverview, type TimeWindow } from '../lib/message-window.ts'
import { useLink } from '../stores/link.ts'
import { useMessageIndex } from './use-message-index.ts'

const bins = 400
const settleMs = 120
const tailEveryMs = 500

export interface MessagesOptions {
  readonly window: Readonly<Ref<TimeWindow>>
  readonly filter: Readonly<Ref<MessageFilter>>
  readonly following: Readonly<Ref<boolean>>
  /** While it is held in the hand nothing is fetched: what is drawn moves along. */
  readonly dragging: Readonly<Ref<boolean>>
  /** Pixels across. */
  readonly pixels: () => number
  /** Messages up to here are recorded now, and the end is followed. */
  onTail(last: number): void
}

export function useMessages({ window: shown, filter, following, dragging, pixels, onTail }: MessagesOptions) {
  const link = useLink()
  const index = useMessageIndex()
  const problem = shallowRef<PanelError | null>(null)
  const answered = shallowRef(false)
  const loading = shallowRef(false)
  const bounds = shallowRef<{ readonly first: number | null; readonly last: number | null }>({ first: null, last: null })
  const gaps = shallowRef<readonly RecordingGap[]>([])
  const overview = shallowRef<(ReturnType<typeof drawnOfOverview> & { readonly kinds: readonly string[] }) | null>(null)
  /** How much of what is counted has been read; below 1 the counts are estimates. */
  const countedShare = shallowRef(1)
  /** What the index holds without anything left out; null: nothing of use. */
  let held: TimeWindow | null = null
  let turn = 0
  /** Messages per ms of the last answer. */
  let density = 0

  const look = (): void => index.look({ ...shown.value, pixels: pixels() })

  function take(
    { first, last, gaps: found, total }: Pick<MessagesHead, 'first' | 'last' | 'gaps' | 'total'>,
    { from, to }: TimeWindow,
  ): void {
    density = total / (to - from)
    bounds.value = { first, last }
    gaps.value = found
    answered.value = true
    problem.value = null
  }

  /** True when all of `wanted` fits. */
  async function hold(wanted: TimeWindow, mine: number): Promise<boolean> {
    const { result, held: whole } = await index.hold({ ...wanted, limit: messagesMax, filter: filter.value })
    if (mine !== turn) {
      if (whole) held = null
      return true
    }
    if (!result.ok) {
      problem.value = result.error
      return true
    }
    take(result.value, wanted)
    if (!whole) return false
    held = wanted
    overview.value = null
    look()
    return true
  }

  /** A long run is counted in several steps; each makes what is drawn more exact. */
  async function count(wanted: TimeWindow, mine: number): Promise<void> {
    for (;;) {
      const result = await link.call('messagesOverview', { ...wanted, bins, filter: filter.value })
      if (mine !== turn) return
      if (!result.ok) {
        problem.value = result.error
        return
      }
      take(result.value, wanted)
      held = null
      overview.value = { ...drawnOfOverview(result.value), kinds: result.value.kinds }
      const { read, of } = result.value.blocks
      countedShare.value = of === 0 ? 1 : read / of
      if (read >= of) return
    }
  }

  async function load(): Promise<void> {
    turn += 1
    const mine = turn
    loading.value = true
    const { from, to } = shown.value
    const span = to - from
    const wide = following.value ? { from, to: to + 1 } : { from: from - span, to: to + span }
    // While nothing is known of how many there are, no more is asked for than is needed.
    const attempts = following.value ? [wide] : density === 0 ? [{ from, to }] : [wide, { from, to }]
    // What is certainly too much is not carried here only to be found too much.
    const likely = attempts.filter((wanted) => density * (wanted.to - wanted.from) <= messagesMax * 1.5)
    let done = false
    for (const wanted of likely) done ||= await hold(wanted, mine)
    if (!done && mine === turn) await count({ from, to }, mine)
    if (mine === turn) loading.value = false
  }
  const loadSoon = useDebounceFn(() => (dragging.value ? undefined : load()), settleMs)
  function loadWhenAtRest(wanted: TimeWindow): void {
    if (!dragging.value && !following.value && (held === null || !contains(held, wanted))) void loadSoon()
  }
  const loadTail = useThrottleFn(load, tailEveryMs, true)

  watch(shown, (wanted) => {
    if (held !== null) look()
    if (following.value) void loadTail()
    else loadWhenAtRest(wanted)
  })
  watch(dragging, () => loadWhenAtRest(shown.value))
  watch(filter, () => {
    held = null
    density = 0
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
    countedShare,
    drawn: computed(() => overview.value?.drawn ?? index.drawn.value),
    rows: computed(() => overview.value?.rows ?? index.rows.value),
    kinds: computed(() => overview.value?.kinds ?? index.kinds.value),
    load,
    look,
  }
}
