/** Counts what completes inside the measured window. */
import { Histogram } from './histogram.ts'
import type { LoadFigures } from './load-protocol.ts'

export class MeasuredWindow {
  readonly #latencies = new Histogram()
  #open = false
  #beganAt = 0
  #lastAt = 0
  #longestGapMs = 0
  #wrong = 0
  #resent = 0
  #firstSeq = 0
  #lastSeq = 0
  #view = 0
  /** Completions from the very start, warm-up included. */
  #total = 0

  get total(): number {
    return this.#total
  }

  get view(): number {
    return this.#view
  }

  /** Times are of the monotonic clock, ms. */
  begin(nowMs: number): void {
    this.#open = true
    this.#beganAt = nowMs
    this.#lastAt = nowMs
    this.#firstSeq = this.#lastSeq
  }

  /** `seq` and `view` are 0 where there are none (reads, other systems). */
  completed(nowMs: number, latencyMs: number, view: number, seq: number): void {
    this.#total += 1
    this.#view = view
    if (seq > this.#lastSeq) this.#lastSeq = seq
    if (!this.#open) return
    this.#longestGapMs = Math.max(this.#longestGapMs, nowMs - this.#lastAt)
    this.#lastAt = nowMs
    this.#latencies.addMs(latencyMs)
  }

  wrong(): void {
    if (this.#open) this.#wrong += 1
  }

  resent(): void {
    if (this.#open) this.#resent += 1
  }

  end(nowMs: number): LoadFigures {
    this.#open = false
    const silentAtEndMs = nowMs - this.#lastAt
    const batches = this.#lastSeq - this.#firstSeq
    return {
      completed: this.#latencies.count,
      wrong: this.#wrong,
      resent: this.#resent,
      seconds: (nowMs - this.#beganAt) / 1_000,
      p50Ms: this.#latencies.percentileMs(0.5),
      p99Ms: this.#latencies.percentileMs(0.99),
      maxMs: this.#latencies.maxMs,
      longestGapMs: Math.max(this.#longestGapMs, silentAtEndMs),
      silentAtEndMs,
      requestsPerBatch: batches > 0 ? this.#latencies.count / batches : null,
      view: this.#view,
    }
  }
}
