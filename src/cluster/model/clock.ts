/** How far a replica's clock is ahead of the host's, from the times it puts on its reports. Pure. */

const samplesKept = 20
/** Below it the estimate is mostly the report's own delay. */
const errorMs = 25

/**
 * A report that took d ms says "offset - d": the largest of the last 20 is the one that travelled fastest, so it is the best
 * estimate there is without asking back (it errs by that report's delay, below 1 ms on one machine).
 */
export class ClockOffset {
  #samples: number[] = []

  /** `sentAt` by the replica's clock, `receivedAt` by the host's, ms. */
  observe(sentAt: number, receivedAt: number): void {
    this.#samples = [...this.#samples, sentAt - receivedAt].slice(-samplesKept)
  }

  /** ms; 0 before any report, and where the clocks cannot be told apart. */
  get ms(): number {
    const estimate = this.#samples.length === 0 ? 0 : Math.max(...this.#samples)
    return Math.abs(estimate) < errorMs ? 0 : estimate
  }
}
