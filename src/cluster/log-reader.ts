/** Reads the committed log from the most advanced replica that can be reached, about ten times a second while it grows. */
import type { Durability } from '../contract/manifest.ts'
import { quorumSize } from '../pbft/protocol/quorum.ts'
import type { Log } from './log.ts'
import type { Member } from './member.ts'

const pageEntries = 500
/** A replica that gave something false is not asked again for a while. */
const distrustMs = 30_000

export interface LogReaderOptions {
  readonly members: readonly Member[]
  readonly log: Log
  readonly durability: Durability
  /** The highest seq that was seen to be executed: observations come sooner than reports. */
  lastExecuted(): number
  /** The replicas remember less than the journal, and had promised not to forget. */
  onLost(remembered: number, recorded: number): void
  /** The cluster began anew, as it may (durability none): what was recorded is another history. */
  onForgotten(): void
  onGrown(): void
}

export class LogReader {
  readonly #options: LogReaderOptions
  readonly #distrusted = new Map<number, number>()
  #reading = false
  #ongoing: Promise<void> = Promise.resolve()
  #compared = false

  constructor(options: LogReaderOptions) {
    this.#options = options
  }

  /** Reads what there is; called ten times a second. */
  async tick(nowMs: number): Promise<void> {
    if (this.#reading || !this.#compareWithJournal()) return
    this.#reading = true
    this.#ongoing = this.#readAll(nowMs)
    await this.#ongoing
  }

  async #readAll(nowMs: number): Promise<void> {
    try {
      while (await this.#readPage(nowMs)) this.#options.onGrown()
    } finally {
      this.#reading = false
    }
  }

  /** Reads what is known to be there, also what came since the last tick; the replicas are about to be stopped. */
  async finish(nowMs: number): Promise<void> {
    await this.#ongoing
    await this.tick(nowMs)
  }

  /**
   * Before the first page: once a quorum has reported, do the replicas still have what the journal remembers? A quorum that
   * lost it has lost it for good, since any later quorum shares a replica with it. True when reading may begin.
   */
  #compareWithJournal(): boolean {
    if (this.#compared) return true
    const { members, log, durability } = this.#options
    if (log.last === 0) return (this.#compared = true)
    const executed = members.flatMap(({ report }) => (report === null ? [] : [report.lastExecuted])).sort((a, b) => b - a)
    if ((executed[0] ?? -1) >= log.last) return (this.#compared = true)
    if (executed.length < quorumSize(members.length)) return false
    // All had lost it; with fewer, or with one catching up, the highest of a quorum still misses at most what was not answered.
    const remembered = executed[0] ?? 0
    if (durability === 'none') this.#options.onForgotten()
    else this.#options.onLost(remembered, log.last)
    return (this.#compared = true)
  }

  /** True when a whole page came and there may be more. */
  async #readPage(nowMs: number): Promise<boolean> {
    const { log } = this.#options
    const source = this.#source(nowMs)
    if (source === null) return false
    const first = source.report?.historyFirst ?? 0
    const skipped = first > log.last + 1
    const answer = await source.call({ call: 'history', after: skipped ? first - 1 : log.last, limit: pageEntries })
    if (!answer.ok || answer.value.history.length === 0) return false
    const before = log.last
    if (!log.take(answer.value.history, source.id, skipped)) {
      this.#distrusted.set(source.id, nowMs + distrustMs)
      return log.last > before
    }
    if (answer.value.history.length < pageEntries) {
      this.#options.onGrown()
      return false
    }
    return true
  }

  #source(nowMs: number): Member | null {
    const { members, log } = this.#options
    const able = members.filter(
      (member) =>
        member.up && !member.paused && !member.diverged && (this.#distrusted.get(member.id) ?? 0) <= nowMs && member.report !== null,
    )
    const best = able.sort((a, b) => (b.report?.historyLast ?? 0) - (a.report?.historyLast ?? 0))[0]
    const last = Math.max(best?.report?.historyLast ?? 0, this.#options.lastExecuted())
    return best !== undefined && last > log.last ? best : null
  }
}
