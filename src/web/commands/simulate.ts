/** `pbft-panel simulate`: the deterministic simulator over many seeds. */
import type { Command } from 'commander'
import { runSwarm } from '../../pbft/sim/index.ts'
import { replicaCount, wholeNumber } from '../numbers.ts'
import { exitCodes, note, print, printJson } from '../output.ts'

interface SimulateOptions {
  readonly seeds: number
  readonly first: number
  readonly replicas: number
  readonly steps: number
  readonly json?: boolean
}

const progressEveryMs = 5_000

/** Exit code 1 on a violation. A seed that is printed reproduces its run exactly. */
const simulate = ({ seeds, first, replicas, steps, json }: SimulateOptions): void => {
  let ran = 0
  let saidAt = performance.now()
  const result = runSwarm({
    seeds,
    first,
    replicas,
    steps,
    onProgress: () => {
      ran += 1
      if (performance.now() - saidAt < progressEveryMs) return
      saidAt = performance.now()
      note(`${ran} of ${seeds} seeds`)
    },
  })
  if (json) printJson(result)
  else {
    for (const { seed, checker, detail } of result.violations) print(`seed ${seed}: ${checker}: ${detail}`)
    print(`${result.seeds} seeds, ${result.steps} steps, ${result.violations.length} violations`)
  }
  process.exitCode = result.violations.length === 0 ? exitCodes.success : exitCodes.no
}

export const addSimulateCommand = (program: Command): void => {
  program
    .command('simulate')
    .description('replicas, clients, network and disks in the deterministic simulator; exit code 1 on a violation')
    .option('--seeds <n>', 'how many seeds', wholeNumber('--seeds', 1, 10_000_000), 100)
    .option('--first <seed>', 'the first seed', wholeNumber('--first', 0, 2 ** 31), 1)
    .option('--replicas <n>', 'how many replicas', replicaCount, 4)
    .option('--steps <m>', 'steps per seed', wholeNumber('--steps', 1, 100_000_000), 5_000)
    .option('--json', 'machine-readable answer')
    .action(simulate)
}
