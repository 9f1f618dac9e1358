/** Many seeds, one after another. */
import type { FaultMix } from './fault-mix.ts'
import { runSeed, type SeedResult } from './simulation.ts'

export interface SwarmOptions {
  /** How many seeds, and the first of them. */
  readonly seeds: number
  readonly first: number
  readonly replicas: number
  /** Per seed. */
  readonly steps: number
  readonly faults?: Partial<FaultMix> | 'calm'
  /** After each seed; returning false ends the swarm. */
  readonly onProgress?: (result: SeedResult) => boolean | void
}

export interface SwarmResult {
  /** Seeds that ran. */
  readonly seeds: number
  readonly steps: number
  readonly violations: readonly { readonly seed: number; readonly checker: string; readonly detail: string }[]
}

/** Runs to the end whatever is found, unless `onProgress` ends it. */
export function runSwarm(options: SwarmOptions): SwarmResult {
  const { first, replicas, steps, faults } = options
  const violations: { seed: number; checker: string; detail: string }[] = []
  let ran = 0
  let total = 0
  for (let seed = first; seed < first + options.seeds; seed++) {
    const result = runSeed({ seed, replicas, steps, ...(faults === undefined ? {} : { faults }) })
    ran++
    total += result.steps
    violations.push(...result.violations.map(({ checker, detail }) => ({ seed, checker, detail })))
    if (options.onProgress?.(result) === false) break
  }
  return { seeds: ran, steps: total, violations }
}
