/**
 * The part of the committed log that a screen holds: pages of fixed seq ranges, fetched when looked at, the least recently used
 * dropped. Bounded whatever the log's length. Plain data: nothing in here is reactive, `onChange` says when to draw again.
 */
import type { LogEntry, LogPage } from '../../contract/model.ts'

export interface LogPagesOptions {
  /** Entries of a page; at most the contract's limit of 1,000. */
  readonly pageSize: number
  /** Pages kept; at least what one screen shows. */
  readonly pagesMax: number
  /** Fetched at a time. What is flung past meanwhile is never asked for: only the newest of what was wanted waits. */
  readonly loadsMax: number
  /** Entries with a greater seq than `after`, ascending, at most `limit`; null when it could not be had now. */
  readonly fetch: (after: number, limit: number) => Promise<LogPage | null>
  readonly onChange: () => void
}

interface Page {
  entries: Map<number, LogEntry>
  state: 'loading' | 'ready' | 'outdated'
  /** Something changed while it was loading: load once more. */
  again: boolean
}

export class LogPages {
  private readonly options: LogPagesOptions
  /** In order of use, the latest last. */
  private readonly pages = new Map<number, Page>()
  private generation = 0
  private loads = 0
  private waiting: { readonly first: number; readonly last: number } | null = null

  constructor(options: LogPagesOptions) {
    this.options = options
  }

  /** The entry as last fetched; undefined while it is not here. Does not fetch. */
  entry(seq: number): LogEntry | undefined {
    return this.pages.get(this.pageOf(seq))?.entries.get(seq)
  }

  /** True when the page of `seq` has been answered and the host had no such entry. */
  isAbsent(seq: number): boolean {
    const page = this.pages.get(this.pageOf(seq))
    return page !== undefined && page.state === 'ready' && !page.entries.has(seq)
  }

  /** Sees to it that seq `first` to `last` (1 or more) are here or on their way. */
  want(first: number, last: number): void {
    this.waiting = null
    for (let index = this.pageOf(first); index <= this.pageOf(last); index++) {
      const page = this.pages.get(index)
      if (page !== undefined) {
        this.pages.delete(index)
        this.pages.set(index, page)
      }
      if (page !== undefined && page.state !== 'outdated') continue
      if (this.loads < this.options.loadsMax) this.load(index, page ?? { entries: new Map(), state: 'loading', again: false })
      else this.waiting = { first, last }
    }
    this.dropOldest()
  }

  /** Entries from `seq` on are new or have changed: their pages are fetched again when next wanted. */
  invalidate(seq: number): void {
    const from = this.pageOf(seq)
    for (const [index, page] of this.pages) {
      if (index < from) continue
      if (page.state === 'loading') page.again = true
      else page.state = 'outdated'
    }
  }

  /** Forgets everything, answers under way included. */
  clear(): void {
    this.generation += 1
    this.loads = 0
    this.waiting = null
    this.pages.clear()
  }

  get size(): number {
    return this.pages.size
  }

  private pageOf(seq: number): number {
    return Math.floor((Math.max(seq, 1) - 1) / this.options.pageSize)
  }

  private load(index: number, page: Page): void {
    page.state = 'loading'
    page.again = false
    this.pages.set(index, page)
    this.loads += 1
    const generation = this.generation
    const after = index * this.options.pageSize
    void this.options.fetch(after, this.options.pageSize).then((answer) => {
      if (generation !== this.generation) return
      this.loads -= 1
      // What is known stays on the screen when the host cannot answer; it is asked again when next wanted.
      if (answer === null) page.state = 'outdated'
      else {
        const last = after + this.options.pageSize
        page.entries = new Map(answer.entries.filter((entry) => entry.seq <= last).map((entry) => [entry.seq, entry]))
        page.state = page.again ? 'outdated' : 'ready'
      }
      if (this.waiting !== null) this.want(this.waiting.first, this.waiting.last)
      this.options.onChange()
    })
  }

  private dropOldest(): void {
    for (const [index, page] of this.pages) {
      if (this.pages.size <= this.options.pagesMax) return
      if (page.state !== 'loading') this.pages.delete(index)
    }
  }
}
