/** Rounds over cases, the sides of every comparison in turn; medians of runs, and medians of the ratios of each round. */
import { comparisons, type BenchCase, type CaseSettings } from './cases.ts'
import { judgeTargets, type TargetResult } from './targets.ts'
import { describeMachine, type Machine } from './machine.ts'
import { runCase, type RunFigures, type RunOptions } from './run-case.ts'
import { NotServed } from './system-under-test.ts'

export interface BenchOptions extends RunOptions {
  readonly cases: readonly BenchCase[]
  /** Runs of each case. */
  readonly rounds: number
  /** A run ended; `figures` null when it failed, and `problem` says why. */
  onRun(round: number, name: string, figures: RunFigures | null, problem: string | null): void
}

export interface CaseResult {
  readonly name: string
  /** Medians over the runs; null where nothing was measured. */
  readonly opsPerSecond: number | null
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  /** Highest resident memory of the largest node, MiB. */
  readonly rssMb: number | null
  readonly loadRssMb: number | null
  /** Cores: all nodes together, the busiest node (the primary, as a rule), the load process, everything else on the machine. */
  readonly nodesCpu: number | null
  readonly busiestCpu: number | null
  readonly loadCpu: number | null
  readonly othersCpu: number | null
  /** CPU of one operation, microseconds: at one node on average, and in the load process. */
  readonly nodeUsPerOp: number | null
  readonly loadUsPerOp: number | null
  /** Operations for one second of CPU, of all nodes and the load process: disturbed least by what else the machine does. */
  readonly opsPerCpuSecond: number | null
  /** Null for reads, which are in no batch. */
  readonly requestsPerBatch: number | null
  /** Longest time without an answer, ms. */
  readonly longestGapMs: number | null
  readonly resent: number
  readonly wrong: number
  /** Operations per second of each run, in their order. */
  readonly runs: readonly number[]
  readonly settings: CaseSettings & { readonly warmUpMs: number; readonly measureMs: number; readonly rounds: number }
  /** not-served: the system cannot do this case. failed: it should have, and did not. */
  readonly state: 'measured' | 'not-served' | 'failed'
  readonly problem: string | null
}

export interface RatioResult {
  readonly name: string
  readonly of: string
  readonly to: string
  readonly opsPerSecond: readonly [number, number]
  /** Median over rounds of `of` divided by `to` in operations per second. */
  readonly ratio: number
  /** The same in operations for one second of CPU, all processes together: disturbed least by what else the machine does. Null: unknown. */
  readonly cpuRatio: number | null
}

export interface BenchResult {
  readonly machine: Machine
  readonly cases: readonly CaseResult[]
  readonly ratios: readonly RatioResult[]
  /** Of those of which something was measured. */
  readonly targets: readonly TargetResult[]
}

/** Null of nothing; of an even number the mean of the middle two. */
export const median = (values: readonly (number | null)[]): number | null => {
  const ascending = values.filter((value) => value !== null).sort((a, b) => a - b)
  const [low, high] = [ascending[Math.floor((ascending.length - 1) / 2)], ascending[Math.floor(ascending.length / 2)]]
  return low === undefined || high === undefined ? null : (low + high) / 2
}

interface Runs {
  readonly one: BenchCase
  /** By round; null where the run failed. */
  readonly figures: (RunFigures | null)[]
  state: CaseResult['state']
  problem: string | null
}

const opsOf = ({ load }: RunFigures): number => load.completed / load.seconds
const sum = (values: readonly (number | null)[]): number | null =>
  values.length === 0 || values.includes(null) ? null : values.reduce<number>((total, value) => total + (value ?? 0), 0)
const largest = (values: readonly (number | null)[]): number | null => {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : Math.max(...known)
}
const nodesOf = ({ sampled }: RunFigures): RunFigures['sampled']['processes'] => sampled.processes.filter(({ name }) => name !== 'load')
const loadOf = ({ sampled }: RunFigures): RunFigures['sampled']['processes'][number] | undefined =>
  sampled.processes.find(({ name }) => name === 'load')

const mean = (values: readonly (number | null)[]): number | null => {
  const total = sum(values)
  return total === null ? null : total / values.length
}

/** Microseconds of CPU for each operation by what used `cores` meanwhile. */
const usPerOp = (run: RunFigures, cores: number | null): number | null =>
  cores === null || opsOf(run) === 0 ? null : (cores * 1_000_000) / opsOf(run)

const opsPerCpuSecondOf = (run: RunFigures): number | null => {
  const cpu = sum(run.sampled.processes.map((process) => process.cpu))
  return cpu === null || cpu === 0 ? null : opsOf(run) / cpu
}

const quotient = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a / b)

/** Why figures do not count although there are some; null when they do. */
const objection = (one: BenchCase, { load }: RunFigures): string | null => {
  if (load.completed === 0) return 'nothing was answered'
  if (load.wrong > 0) return `${load.wrong} answers were wrong`
  // Whoever has answers is still without them at the end was not answered again.
  if (load.silentAtEndMs > 2_000) return `no answer any more in the last ${Math.round(load.silentAtEndMs)} ms`
  return one.settings.disturbance?.kind === 'kill-primary' && load.view === 0 ? 'the killed primary was not replaced' : null
}

const runOne = async (options: BenchOptions, round: number, runs: Runs): Promise<void> => {
  const { one } = runs
  // What cannot be served once cannot be served five times.
  if (runs.state === 'not-served') return
  try {
    const figures = await runCase(options, one)
    const against = objection(one, figures)
    if (against !== null) throw new Error(against)
    runs.figures[round] = figures
    options.onRun(round, one.name, figures, null)
  } catch (error) {
    options.signal.throwIfAborted()
    runs.state = error instanceof NotServed ? 'not-served' : 'failed'
    runs.problem = error instanceof Error ? error.message : String(error)
    runs.figures[round] = null
    options.onRun(round, one.name, null, runs.problem)
  }
}

const resultOf = (options: BenchOptions, { one, figures, state, problem }: Runs): CaseResult => {
  const good = figures.filter((run) => run !== null)
  const medianOf = (value: (run: RunFigures) => number | null): number | null => median(good.map(value))
  return {
    name: one.name,
    opsPerSecond: medianOf(opsOf),
    p50Ms: medianOf(({ load }) => load.p50Ms),
    p99Ms: medianOf(({ load }) => load.p99Ms),
    rssMb: medianOf((run) => largest(nodesOf(run).map(({ rssMb }) => rssMb))),
    loadRssMb: medianOf((run) => loadOf(run)?.rssMb ?? null),
    nodesCpu: medianOf((run) => sum(nodesOf(run).map(({ cpu }) => cpu))),
    busiestCpu: medianOf((run) => largest(nodesOf(run).map(({ cpu }) => cpu))),
    loadCpu: medianOf((run) => loadOf(run)?.cpu ?? null),
    othersCpu: medianOf(({ sampled }) => sampled.othersCpu),
    nodeUsPerOp: medianOf((run) => usPerOp(run, mean(nodesOf(run).map(({ cpu }) => cpu)))),
    loadUsPerOp: medianOf((run) => usPerOp(run, loadOf(run)?.cpu ?? null)),
    opsPerCpuSecond: medianOf(opsPerCpuSecondOf),
    requestsPerBatch: one.settings.operation === 'get' ? null : medianOf(({ load }) => load.requestsPerBatch),
    longestGapMs: medianOf(({ load }) => load.longestGapMs),
    resent: good.reduce((total, { load }) => total + load.resent, 0),
    wrong: good.reduce((total, { load }) => total + load.wrong, 0),
    runs: good.map(opsOf),
    settings: {
      ...one.settings,
      warmUpMs: one.warmUpMs ?? options.warmUpMs,
      measureMs: one.measureMs ?? options.measureMs,
      rounds: options.rounds,
    },
    state,
    problem,
  }
}

const ratiosOf = (all: readonly Runs[]): RatioResult[] =>
  comparisons.flatMap(({ name, of, to }) => {
    const [above, below] = [all.find(({ one }) => one.name === of), all.find(({ one }) => one.name === to)]
    const rounds = (above?.figures ?? []).flatMap((figures, round) => {
      const other = below?.figures[round] ?? null
      return figures === null || figures === undefined || other === null ? [] : [[figures, other] as const]
    })
    const ratio = median(rounds.map(([first, second]) => opsOf(first) / opsOf(second)))
    const cpuRatio = median(rounds.map(([first, second]) => quotient(opsPerCpuSecondOf(first), opsPerCpuSecondOf(second))))
    const [a, b] = [median(rounds.map(([first]) => opsOf(first))), median(rounds.map(([, second]) => opsOf(second)))]
    return ratio === null || a === null || b === null ? [] : [{ name, of, to, opsPerSecond: [a, b] as const, ratio, cpuRatio }]
  })

/** Runs everything. Throws the signal's reason when it is stopped; all processes and folders are gone then. */
export const runBench = async (options: BenchOptions): Promise<BenchResult> => {
  const machine = describeMachine(options.folder)
  const all = options.cases.map((one): Runs => ({ one, figures: [], state: 'measured', problem: null }))
  for (let round = 0; round < options.rounds; round++) for (const runs of all) await runOne(options, round, runs)
  const cases = all.map((runs) => resultOf(options, runs))
  const ratios = ratiosOf(all)
  return { machine, cases, ratios, targets: judgeTargets(cases, ratios) }
}
