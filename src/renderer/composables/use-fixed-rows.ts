/**
 * Which of very many rows of one height are in sight. Arithmetic instead of measuring: what it costs does not grow with the
 * number of rows, which changes many times a second while the log is followed.
 */
import { useElementSize } from '@vueuse/core'
import { computed, shallowRef, type Ref } from 'vue'

export interface FixedRowsOptions {
  readonly scroller: Readonly<Ref<HTMLElement | null>>
  readonly count: () => number
  /** Pixels. */
  readonly rowHeight: number
  /** Rows drawn beyond either edge. */
  readonly overscan: number
}

export function useFixedRows({ scroller, count, rowHeight, overscan }: FixedRowsOptions) {
  const { height } = useElementSize(scroller)
  /** Pixels above the first visible one. */
  const top = shallowRef(0)
  const first = computed(() => Math.max(0, Math.min(Math.floor(top.value / rowHeight), count() - 1) - overscan))
  const end = computed(() => Math.min(count(), Math.ceil((top.value + height.value) / rowHeight) + overscan))
  const indexes = computed(() => Array.from({ length: Math.max(0, end.value - first.value) }, (_, offset) => first.value + offset))
  /** At least as many as are ever drawn at once: the row at `index` can live in the element `index % slots`, so that scrolling makes none. */
  const slots = computed(() => Math.ceil(height.value / rowHeight) + 2 * overscan + 2)
  const totalHeight = computed(() => count() * rowHeight)
  /** Pixels between the last visible one and the end. */
  const belowSight = computed(() => totalHeight.value - height.value - top.value)

  function onScroll(): void {
    top.value = scroller.value?.scrollTop ?? 0
  }

  /** Scrolls as little as shows the row, or so that it is in the middle. */
  function show(index: number, where: 'nearest' | 'middle'): void {
    const element = scroller.value
    if (element === null) return
    const at = index * rowHeight
    if (where === 'middle') element.scrollTop = at - (height.value - rowHeight) / 2
    else if (at < element.scrollTop) element.scrollTop = at
    else if (at + rowHeight > element.scrollTop + height.value) element.scrollTop = at + rowHeight - height.value
  }

  return { top, indexes, slots, totalHeight, belowSight, onScroll, show }
}
