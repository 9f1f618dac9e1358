/** What came of the inputs of one part of the fuzzing. */

export interface Outcome {
  readonly part: string
  readonly inputs: number
  /** Taken as what they are: what decodes is canonical, what is called is within its schema. */
  readonly accepted: number
  readonly refused: number
  /** Refusals by reason, as the real counters have them. */
  readonly reasons: Readonly<Record<string, number>>
  /** Of the process that took the inputs, in the beginning (after a warm-up) and at the end, MiB. */
  readonly memoryMb: readonly [before: number, after: number]
  readonly problems: readonly string[]
}

const problemsMax = 20

/** Counts while a part runs. */
export class Tally {
  readonly reasons: Record<string, number> = {}
  readonly problems: string[] = []
  accepted = 0
  refused = 0

  accept(): void {
    this.accepted += 1
  }

  refuse(reason: string): void {
    this.refused += 1
    this.reasons[reason] = (this.reasons[reason] ?? 0) + 1
  }

  problem(text: string): void {
    if (this.problems.length < problemsMax) this.problems.push(text)
  }

  outcome(part: string, inputs: number, memoryMb: Outcome['memoryMb'], growthMaxMb: number): Outcome {
    const [before, after] = memoryMb
    if (after - before > growthMaxMb) this.problem(`memory grew from ${before} to ${after} MiB`)
    const { accepted, refused, reasons, problems } = this
    return { part, inputs, accepted, refused, reasons, memoryMb, problems }
  }
}

const mebibyte = 1_048_576

/** Of this process, after a collection where Node lets us ask for one (`--expose-gc`). */
export const ownHeapMb = (): number => {
  globalThis.gc?.()
  return Math.round(process.memoryUsage().heapUsed / mebibyte)
}
