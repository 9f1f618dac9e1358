/** `pbft-panel simulate`: the deterministic simulator over many seeds, also of an engine with a planted bug. */
import { availableParallelism } from 'node:os'
import type { Command } from 'commander'
import { isPartName, partNames, plants, type SeedResult, type Shrunk, type WhatIf } from '../../pbft/sim/index.ts'
import { replicaCount, wholeNumber } from '../numbers.ts'
import { exitCodes, note, print, printJson, UsageError } from '../output.ts'
import { entries, root } from '../paths.ts'
import { copyWithPlant } from '../simulation/mutated-copy.ts'
import { runThreads, shrinkInThread } from '../simulation/swarm.ts'
import { continueFrom, whatIfOf } from './continue-from.ts'
import { listPlants, plantNamed } from './plants.ts'

interface SimulateOptions {
  readonly seeds: number
  readonly first: number
  readonly replicas?: number
  readonly steps: number
  readonly plant?: string
  readonly from?: string
  readonly at?: number
  readonly whatIf?: readonly WhatIf[]
  readonly seconds: number
  readonly data?: string
  readonly trace?: boolean
  readonly shrink?: boolean
  readonly without?: readonly string[]
  readonly threads: number
  readonly json?: boolean
}

const progressEveryMs = 5_000
const threadsMax = 8
/** Runs that shrinking takes at most. */
const shrinkRunsMax = 400

/** Reads a list of parts of a run. Throws a `UsageError` for one that there is not. */
const partsOf = (text: string): string[] => {
  const parts = text.split(',')
  const unknown = parts.find((part) => !isPartName(part))
  if (unknown === undefined) return parts
  throw new UsageError(`--without knows ${partNames.join(', ')}, client:K and action:K, not "${unknown}".`)
}

const stoppedBySignals = (): AbortController => {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort())
  return controller
}

/** Says on stderr, now and then, how far it is. */
const progressOf = (seeds: number): ((ran: number, steps: number) => void) => {
  let saidAt = performance.now()
  return (ran, steps) => {
    if (performance.now() - saidAt < progressEveryMs) return
    saidAt = performance.now()
    note(`${ran} of ${seeds} seeds, ${steps} steps`)
  }
}

interface Outcome {
  readonly seeds: number
  readonly steps: number
  readonly seconds: number
  readonly cancelled: boolean
  /** Of the first seed that shows something, when that was asked for. */
  readonly shrunk: Shrunk | null
  readonly violations: readonly { readonly seed: number; readonly checker: string; readonly detail: string }[]
}

const run = async (entry: string, replicas: number, options: SimulateOptions): Promise<Outcome> => {
  const { seeds, first, steps, trace = false, without = [], threads, json } = options
  const began = performance.now()
  const { signal } = stoppedBySignals()
  const sayProgress = progressOf(seeds)
  const results: SeedResult[] = []
  let total = 0
  await runThreads({
    entry,
    first,
    seeds,
    threads,
    options: { replicas, steps, trace, without },
    signal,
    onTrace: json ? note : print,
    onResult: (result) => {
      results.push(result)
      total += result.steps
      for (const { checker } of result.violations) note(`seed ${result.seed}: ${checker}`)
      sayProgress(results.length, total)
    },
  })
  const violations = results
    .toSorted((a, b) => a.seed - b.seed)
    .flatMap(({ seed, violations: found }) => found.map(({ checker, detail }) => ({ seed, checker, detail })))
  const [worst] = violations
  const isShrunk = options.shrink === true && worst !== undefined
  if (isShrunk) note(`shrinking seed ${worst.seed}`)
  const task = { seed: worst?.seed ?? 0, shrinkRuns: shrinkRunsMax }
  const shrunk = isShrunk ? await shrinkInThread(entry, { replicas, steps, trace: false, without }, task, signal) : null
  const seconds = Number(((performance.now() - began) / 1_000).toFixed(1))
  return { seeds: results.length, steps: total, seconds, cancelled: signal.aborted, shrunk, violations }
}

/** What is left of the run, and how to repeat it. */
const sayShrunk = ({ options, violation, schedule, runs }: Shrunk, plant: string | undefined): void => {
  const { seed, steps, replicas, without = [] } = options
  print(`the least that shows it, after ${runs} runs: ${violation.checker}: ${violation.detail}`)
  for (const line of schedule) print(`  ${line}`)
  const parts = without.length === 0 ? '' : ` --without ${without.join(',')}`
  const bug = plant === undefined ? '' : ` --plant ${plant}`
  print(`pbft-panel simulate --first ${seed} --seeds 1 --replicas ${replicas} --steps ${steps}${parts}${bug} --trace`)
}

/** Exit code 1 on a violation. A seed that is printed reproduces its run exactly. */
const simulate = async (options: SimulateOptions): Promise<void> => {
  if (options.from !== undefined) return continueFrom({ ...options, from: options.from, seed: options.first })
  if (options.plant === 'list') return listPlants(plants, options.json)
  const plant = options.plant === undefined ? null : plantNamed(options.plant, plants)
  const copy = plant === null ? null : await copyWithPlant(root, plant)
  try {
    const outcome = await run(copy?.entry ?? entries.simulation, options.replicas ?? plant?.replicas ?? 4, options)
    const { seeds, steps, seconds, cancelled, violations } = outcome
    if (options.json) printJson(outcome)
    else {
      for (const { seed, checker, detail } of violations) print(`seed ${seed}: ${checker}: ${detail}`)
      if (outcome.shrunk !== null) sayShrunk(outcome.shrunk, options.plant)
      const rate = `${(seeds / seconds).toFixed(1)} seeds and ${Math.round(steps / seconds)} steps a second`
      print(`${cancelled ? 'stopped: ' : ''}${seeds} seeds, ${steps} steps, ${violations.length} violations; ${rate}`)
    }
    process.exitCode = violations.length === 0 ? exitCodes.success : exitCodes.no
  } finally {
    await copy?.remove()
  }
}

export const addSimulateCommand = (program: Command): void => {
  program
    .command('simulate')
    .description('replicas, clients, network and disks in the deterministic simulator; exit code 1 on a violation')
    .option('--seeds <n>', 'how many seeds', wholeNumber('--seeds', 1, 10_000_000), 100)
    .option('--first <seed>', 'the first seed', wholeNumber('--first', 0, 2 ** 31), 1)
    .option('--replicas <n>', 'how many replicas (default: 4)', replicaCount)
    .option('--steps <m>', 'steps per seed', wholeNumber('--steps', 1, 100_000_000), 5_000)
    .option('--plant <bug>', 'run the engine with a planted bug, from the sources; "list" names them')
    .option('--without <parts>', `leave out parts of the runs: ${partNames.join(', ')}, client:K, action:K`, partsOf)
    .option('--shrink', 'find the least that still shows what the first failing seed showed')
    .option('--trace', 'print what happens, line by line')
    .option('--threads <n>', 'seeds at a time', wholeNumber('--threads', 1, 64), Math.min(availableParallelism(), threadsMax))
    .option('--from <run>', 'goes on from a moment of a recorded run instead; with --at')
    .option('--at <seq>', 'the moment at which the first replica executed it', wholeNumber('--at', 1, Number.MAX_SAFE_INTEGER))
    .option('--what-if <fault>', 'crash:K, isolate:K or cut:A-B at that moment; more than once', whatIfOf)
    .option('--seconds <n>', 'how long new clients go on asking from there, simulated', wholeNumber('--seconds', 1, 3_600), 30)
    .option('--data <dir>', 'the data folder in which the run is looked for')
    .option('--json', 'machine-readable answer')
    .action(simulate)
}
