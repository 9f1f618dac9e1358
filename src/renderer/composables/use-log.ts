/**
 * The log as a screen sees it: rows by seq on demand (pages.ts), or the matches of a filter, gathered from the front of the log
 * on. Both keep plain data and bump a version when there is something new to draw.
 */
import { onBeforeUnmount, shallowRef, watch, type ShallowRef } from 'vue'
import type { LogFilter } from '../../contract/api.ts'
import type { LogEntry } from '../../contract/model.ts'
import type { PanelError } from '../../contract/result.ts'
import { LogPages } from '../lib/log-pages.ts'
import { useCluster } from '../stores/cluster.ts'
import { useLink } from '../stores/link.ts'

const pageSize = 200
const pagesMax = 40
const loadsMax = 2
const drawEveryMs = 100

export interface LogRows {
  /** Changes when rows have to be drawn again. */
  readonly version: Readonly<ShallowRef<number>>
  entry(seq: number): LogEntry | undefined
  isAbsent(seq: number): boolean
  want(first: number, last: number): void
}

/** Every entry of the log, by seq. */
export function useLogRows(): LogRows {
  const link = useLink()
  const cluster = useCluster()
  const version = shallowRef(0)
  let drawing: ReturnType<typeof setTimeout> | undefined
  const draw = (): void => {
    drawing ??= setTimeout(() => {
      drawing = undefined
      version.value += 1
    }, drawEveryMs)
  }
  const pages = new LogPages({
    pageSize,
    pagesMax,
    loadsMax,
    fetch: async (after, limit) => {
      const result = await link.call('log', { after, limit, ...(cluster.asOf === null ? {} : { asOf: cluster.asOf }) })
      return result.ok ? result.value : null
    },
    onChange: () => (version.value += 1),
  })
  // Another moment is another log.
  watch(
    () => cluster.asOf,
    () => {
      pages.clear()
      draw()
    },
  )
  const stop = link.onEvent((event) => {
    if (event.type === 'log') pages.invalidate(event.changedFrom)
    else if (event.type === 'reset') pages.clear()
    else return
    draw()
  })
  onBeforeUnmount(() => {
    stop()
    clearTimeout(drawing)
  })
  return {
    version,
    entry: (seq) => pages.entry(seq),
    isAbsent: (seq) => pages.isAbsent(seq),
    want: (first, last) => pages.want(first, last),
  }
}

const matchesPerCall = 500
/** A screen that shows more has searched too much; the filter wants narrowing. */
const matchesMax = 50_000

/** The entries that fit a filter. */
export function useLogSearch() {
  const link = useLink()
  const cluster = useCluster()
  const matches = shallowRef<readonly LogEntry[]>([])
  /** Everything up to this seq has been searched. */
  const searchedTo = shallowRef(0)
  const searching = shallowRef(false)
  const problem = shallowRef<PanelError | null>(null)
  let filter: LogFilter | null = null
  let run = 0

  /** Searches on until `enough` more matches are found or the end is reached. */
  async function more(enough = matchesPerCall): Promise<void> {
    if (filter === null || searching.value) return
    const mine = run
    searching.value = true
    const wanted = matches.value.length + enough
    while (mine === run && matches.value.length < Math.min(wanted, matchesMax) && searchedTo.value < cluster.logBounds.last) {
      const { asOf } = cluster
      const result = await link.call('log', { after: searchedTo.value, limit: matchesPerCall, filter, ...(asOf === null ? {} : { asOf }) })
      if (mine !== run) return
      if (!result.ok) {
        problem.value = result.error
        break
      }
      matches.value = [...matches.value, ...result.value.entries]
      searchedTo.value = result.value.next ?? result.value.last
    }
    searching.value = false
  }

  watch(
    () => cluster.asOf,
    () => search(filter),
  )

  /** Begins a new search; null ends it. */
  function search(next: LogFilter | null): void {
    run += 1
    filter = next
    matches.value = []
    searchedTo.value = 0
    searching.value = false
    problem.value = null
    void more()
  }

  return { matches, searchedTo, searching, problem, search, more }
}
