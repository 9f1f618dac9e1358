/** Latencies in buckets whose width grows with the value: constant memory, whatever the length of a run, and at most 1.6 % off. */

/** Sub-buckets of each power of two; a power of two itself. */
const parts = 64
const partBits = 6
/** Values of 2^36 us (19 hours) and more share the last bucket. */
const powers = 36

const bucketOf = (us: number): number => {
  const value = Math.max(0, Math.floor(us))
  if (value < parts) return value
  const power = Math.min(powers, Math.floor(Math.log2(value)))
  const within = Math.min(parts - 1, Math.floor(value / 2 ** (power - partBits)) - parts)
  return (power - partBits + 1) * parts + within
}

/** The middle of a bucket, us. */
const valueOf = (bucket: number): number => {
  if (bucket < parts) return bucket
  const power = Math.floor(bucket / parts) - 1 + partBits
  return (parts + (bucket % parts) + 0.5) * 2 ** (power - partBits)
}

export class Histogram {
  readonly #counts = new Float64Array((powers - partBits + 2) * parts)
  #total = 0
  #maxUs = 0

  get count(): number {
    return this.#total
  }

  /** The largest value, exact, ms; 0 of nothing. */
  get maxMs(): number {
    return this.#maxUs / 1_000
  }

  addMs(ms: number): void {
    const us = ms * 1_000
    const bucket = bucketOf(us)
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total += 1
    if (us > this.#maxUs) this.#maxUs = us
  }

  /** The value that `part` (0..1) of all values do not exceed (nearest rank), ms; null of nothing. */
  percentileMs(part: number): number | null {
    if (this.#total === 0) return null
    let left = Math.max(1, Math.ceil(part * this.#total))
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket] ?? 0
      if (left <= 0) return valueOf(bucket) / 1_000
    }
    return this.maxMs
  }
}
