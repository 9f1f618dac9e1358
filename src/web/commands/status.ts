/** `pbft-panel status`: asks every replica. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { askStatus } from '../../cluster/direct.ts'
import type { ClusterStatus } from '../../contract/model.ts'
import { wholeNumber } from '../numbers.ts'
import { CommandError, exitCodes, print, printJson } from '../output.ts'

interface StatusOptions {
  readonly cluster: string
  readonly timeout: number
  readonly json?: boolean
}

const table = (status: ClusterStatus): void => {
  print(status.verdict.sentence)
  for (const { id, state, host, port, view, lastExecuted, lowWatermark, highWatermark, stateDigest, isPrimary } of status.replicas) {
    const known =
      view === null
        ? ''
        : `  view ${view}  executed ${lastExecuted}  window ${lowWatermark}..${highWatermark}  ${stateDigest?.slice(0, 12)}`
    print(`  r${id}  ${host}:${port}  ${state}${known}${isPrimary ? '  primary' : ''}`)
  }
}

/** Exit code 1 when requests would not complete now. */
const status = async (options: StatusOptions): Promise<void> => {
  const asked = await askStatus(resolve(options.cluster), options.timeout)
  if (!asked.ok) throw new CommandError(asked.error)
  if (options.json) printJson(asked.value)
  else table(asked.value)
  const { state } = asked.value.verdict
  process.exitCode = state === 'healthy' || state === 'degraded' ? exitCodes.success : exitCodes.no
}

export const addStatusCommand = (program: Command): void => {
  program
    .command('status')
    .description('asks every replica of a cluster; exit code 1 when it cannot serve')
    .requiredOption('--cluster <file>', "the cluster's cluster.json, an operator's key beside it")
    .option('--timeout <ms>', 'how long to wait for a replica', wholeNumber('--timeout', 1, 600_000), 3_000)
    .option('--json', 'machine-readable answer')
    .action(status)
}
