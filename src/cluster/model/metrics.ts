/** Figures per second: rates from growing counters, latencies of the host's own requests, samples. Pure. */
import type { Sample } from '../../contract/model.ts'

const rateWindowMs = 2_000
const samplesKept = 3_600
const latenciesMax = 20_000

/** A time rounded to 0.01 ms: what is finer is noise. */
export const hundredths = (ms: number): number => Math.round(ms * 100) / 100

/** The growth per second of a counter over the last two seconds. */
export class Rate {
  #points: { readonly at: number; readonly value: number }[] = []

  observe(value: number, at: number): void {
    const last = this.#points.at(-1)
    // A restarted process counts from zero again.
    if (last !== undefined && value < last.value) this.#points = []
    this.#points = [...this.#points.filter((point) => at - point.at <= rateWindowMs), { at, value }]
  }

  perSecond(nowMs: number): number {
    const first = this.#points[0]
    const last = this.#points.at(-1)
    if (first === undefined || last === undefined || last.at <= first.at || nowMs - last.at > rateWindowMs) return 0
    return ((last.value - first.value) / (last.at - first.at)) * 1_000
  }

  /** By how much the counter grew over the window. */
  get growth(): number {
    const first = this.#points[0]
    const last = this.#points.at(-1)
    return first === undefined || last === undefined ? 0 : last.value - first.value
  }
}

/** The value below which `part` (0..1) of the ascending values lie (nearest rank); null of none. */
export const percentile = (ascending: readonly number[], part: number): number | null =>
  ascending[Math.min(ascending.length - 1, Math.max(0, Math.ceil(part * ascending.length) - 1))] ?? null

/** Collects latencies until they are taken; beyond a bound a random part of them. */
export class Latencies {
  #values: number[] = []
  #seen = 0

  add(ms: number): void {
    this.#seen += 1
    if (this.#values.length < latenciesMax) this.#values.push(ms)
    else {
      const at = Math.floor(Math.random() * this.#seen)
      if (at < latenciesMax) this.#values[at] = ms
    }
  }

  /** Percentiles 50, 95 and 99 of what was added, ms; nulls of nothing. */
  percentiles(): { readonly p50Ms: number | null; readonly p95Ms: number | null; readonly p99Ms: number | null } {
    const ascending = [...this.#values].sort((a, b) => a - b)
    return { p50Ms: percentile(ascending, 0.5), p95Ms: percentile(ascending, 0.95), p99Ms: percentile(ascending, 0.99) }
  }

  clear(): void {
    this.#values = []
    this.#seen = 0
  }
}

/** One sample a second, the last hour of them. */
export class Samples {
  readonly #latencies = new Latencies()
  #samples: Sample[] = []
  #executed: number | null = null

  /** A request of this host's clients took so long. */
  latency(ms: number): void {
    this.#latencies.add(ms)
  }

  restore(samples: readonly Sample[]): void {
    this.#samples = [...samples, ...this.#samples].slice(-samplesKept)
  }

  /** Closes the second that began at `at`. `executed`: requests executed since the replicas began, by the most advanced. */
  close(at: number, executed: number, view: number | null, faults: number): Sample {
    const requests = this.#executed === null || executed < this.#executed ? 0 : executed - this.#executed
    this.#executed = executed
    const sample: Sample = { at, requests, ...this.#latencies.percentiles(), view, faults }
    this.#latencies.clear()
    this.#samples = [...this.#samples, sample].slice(-samplesKept)
    return sample
  }

  since(at: number): Sample[] {
    return this.#samples.filter((sample) => sample.at >= at)
  }
}
