/** `pbft-panel replica`: one replica in the foreground. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { wholeNumber } from '../numbers.ts'
import { exitCodes, UsageError } from '../output.ts'
import { entries } from '../paths.ts'

interface ReplicaOptions {
  readonly cluster: string
  readonly id: number
  readonly data?: string
  readonly allowFaults?: boolean
  readonly recordingMb?: number
}

/** The replica's own codes tell a failing disk (3) from a defect (1); a command line has one code for "it ran and failed". */
const exitCodeOf = (code: number | null): number => (code === 0 || code === exitCodes.usage ? code : exitCodes.no)

/** Runs the replica's own program with our terminal; signals go on to it. */
const replica = (options: ReplicaOptions): Promise<void> => {
  const cluster = resolve(options.cluster)
  if (!existsSync(cluster)) throw new UsageError(`There is no file ${cluster}.`)
  const args = ['--cluster', cluster, '--id', String(options.id)]
  if (options.data !== undefined) args.push('--data', resolve(options.data))
  if (options.allowFaults) args.push('--allow-faults')
  if (options.recordingMb !== undefined) args.push('--recording-mb', String(options.recordingMb))
  // The channel makes it end with us, however that happens, as we do with who started us.
  const child = spawn(process.execPath, [entries.replica, ...args], { stdio: ['inherit', 'inherit', 'inherit', 'ipc'] })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  process.on('disconnect', () => child.kill('SIGTERM'))
  process.channel?.unref()
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('exit', (code) => {
      process.exitCode = exitCodeOf(code)
      done()
    })
  })
}

export const addReplicaCommand = (program: Command): void => {
  program
    .command('replica')
    .description('one replica in the foreground')
    .requiredOption('--cluster <file>', "the cluster's cluster.json; the replica's key lies beside it")
    .requiredOption('--id <k>', 'which replica', wholeNumber('--id', 0, 99))
    .option('--data <dir>', 'where it keeps its log (default: beside cluster.json)')
    .option('--allow-faults', 'accept faults from an operator')
    .option(
      '--recording-mb <n>',
      'MiB of its run that are kept to look at; 0: none (default: 256)',
      wholeNumber('--recording-mb', 0, 999_999),
    )
    .option('--json', 'log as NDJSON on stdout (it always is)')
    .action(replica)
}
