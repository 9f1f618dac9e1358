/** `pbft-panel bench`: requests per second and latency of real clusters on this machine. */
import { tmpdir } from 'node:os'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { runBench } from '../../cluster/bench/bench.ts'
import { benchCases, etcdCases, selectCases } from '../../cluster/bench/cases.ts'
import { etcdVersion } from '../../cluster/bench/etcd.ts'
import { reportLines } from '../../cluster/bench/report.ts'
import { wholeNumber } from '../numbers.ts'
import { exitCodes, note, print, printJson, UsageError } from '../output.ts'
import { entries } from '../paths.ts'

interface BenchCommandOptions {
  readonly against?: string
  readonly quick?: boolean
  readonly rounds: number
  readonly warmUp: number
  readonly measure: number
  readonly folder: string
  readonly list?: boolean
  readonly json?: boolean
}

/** The peer's cases; none, with a word about it, when it is not installed. */
const peerCases = (peer: string | undefined): typeof etcdCases => {
  if (peer === undefined) return []
  if (peer !== 'etcd') throw new UsageError(`--against knows etcd, not "${peer}".`)
  const version = etcdVersion()
  note(version === null ? 'etcd is not installed (Debian: apt-get install etcd-server): measuring without it.' : `Against etcd ${version}.`)
  return version === null ? [] : etcdCases
}

const stoppedBySignals = (): AbortController => {
  const controller = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => controller.abort(new Error('stopped')))
  return controller
}

const bench = async (words: readonly string[], options: BenchCommandOptions): Promise<void> => {
  const peers = peerCases(options.against)
  const { cases, unknown } = selectCases(benchCases, words)
  if (unknown.length > 0) throw new UsageError(`There is no case ${unknown.join(', ')}; --list names them.`)
  const chosen = [...cases, ...peers]
  if (options.list) return chosen.forEach(({ name }) => print(name))
  const rounds = options.quick ? 1 : options.rounds
  const runs = rounds * chosen.length
  let done = 0
  const { signal } = stoppedBySignals()
  const running = runBench({
    cases: chosen,
    rounds,
    warmUpMs: options.warmUp,
    measureMs: options.measure,
    folder: resolve(options.folder),
    replicaEntry: entries.replica,
    loadEntry: entries.load,
    signal,
    onRun(round, name, figures, problem) {
      done += 1
      const outcome = figures === null ? problem : `${Math.round(figures.load.completed / figures.load.seconds)} ops/s`
      note(`[${done}/${runs}] round ${round + 1}  ${name}: ${outcome}`)
    },
  })
  const result = await running.catch((error: unknown) => {
    if (signal.aborted) return null
    throw error
  })
  if (result === null) {
    note('Stopped: no process and no folder of it is left.')
    process.exitCode = exitCodes.no
    return
  }
  if (options.json) printJson(result)
  else reportLines(result).forEach(print)
  process.exitCode = result.cases.some(({ state }) => state === 'failed') ? exitCodes.no : exitCodes.success
}

export const addBenchCommand = (program: Command): void => {
  program
    .command('bench')
    .description('requests per second and latency of real clusters on this machine (about forty minutes; see --quick, --list)')
    .argument('[case...]', 'cases by name, or by the beginning of their names (default: all)')
    .option('--against <peer>', 'also measure an outside peer, if it is installed: etcd')
    .option('--quick', 'one run of each case')
    .option('--rounds <n>', 'runs of each case, in turn', wholeNumber('--rounds', 1, 1_000), 5)
    .option('--warm-up <ms>', 'before the measured window', wholeNumber('--warm-up', 0, 600_000), 1_500)
    .option('--measure <ms>', 'the measured window', wholeNumber('--measure', 100, 3_600_000), 2_000)
    .option('--folder <dir>', 'where the temporary folders lie, and so which disk is measured', tmpdir())
    .option('--list', 'name the cases and end')
    .option('--json', 'machine-readable answer on stdout')
    .action(bench)
}
