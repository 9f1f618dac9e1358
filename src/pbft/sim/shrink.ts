/** Finds a smaller run that still shows what a failing one showed: fewer steps, and as many parts left out as possible. */
import type { Violation } from './checkers/index.ts'
import { runSeed, type SeedOptions, type SeedResult } from './simulation.ts'
import { partNames } from './without.ts'

export interface Shrunk {
  /** The smallest run found; `runSeed` repeats it. */
  readonly options: Omit<SeedOptions, 'trace'>
  readonly violation: Violation
  /** What the nemesis still does in it, as in the trace. */
  readonly schedule: readonly string[]
  /** How many runs it took. */
  readonly runs: number
}

class Shrinker {
  readonly #checker: string
  readonly #runsMax: number
  #runs = 0
  #best: SeedOptions
  #result: SeedResult

  constructor(options: SeedOptions, result: SeedResult, checker: string, runsMax: number) {
    this.#best = options
    this.#result = result
    this.#checker = checker
    this.#runsMax = runsMax
  }

  /** True, and the new best, when the run still shows a violation of the same checker. */
  #isEnough(change: Partial<SeedOptions>): boolean {
    if (this.#runs >= this.#runsMax) return false
    this.#runs++
    const options = { ...this.#best, ...change }
    const result = runSeed(options)
    if (result.violations[0]?.checker !== this.#checker) return false
    this.#best = options
    this.#result = result
    return true
  }

  #leavesOut(parts: readonly string[]): boolean {
    return this.#isEnough({ without: [...(this.#best.without ?? []), ...parts] })
  }

  /** Large pieces first, then smaller ones. */
  #steps(): void {
    for (let cut = this.#best.steps >> 1; cut >= 1; cut >>= 1) {
      while (cut < this.#best.steps && this.#isEnough({ steps: this.#best.steps - cut }));
    }
  }

  #actions(): void {
    let left = Array.from({ length: this.#result.actions }, (_, number) => `action:${number}`)
    for (let size = Math.ceil(left.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
      for (let at = 0; at < left.length;) {
        const piece = left.slice(at, at + size)
        if (this.#leavesOut(piece)) left = left.toSpliced(at, size)
        else at += size
      }
    }
  }

  run(): Shrunk {
    this.#steps()
    for (const part of partNames) this.#leavesOut([part])
    for (let client = 0; client < this.#result.clients; client++) this.#leavesOut([`client:${client}`])
    this.#actions()
    this.#steps()
    const schedule: string[] = []
    runSeed({ ...this.#best, trace: (line) => / (nemesis \d|twins of)/.test(line) && schedule.push(line) })
    return { options: this.#best, violation: this.#result.violations[0]!, schedule, runs: this.#runs }
  }
}

/** Null when the run shows nothing. At most `runsMax` runs, each no longer than the first. */
export function shrink(options: Omit<SeedOptions, 'trace'>, runsMax: number): Shrunk | null {
  const result = runSeed(options)
  const [violation] = result.violations
  return violation === undefined ? null : new Shrinker(options, result, violation.checker, runsMax).run()
}
