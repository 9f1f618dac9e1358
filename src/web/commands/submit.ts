/** `pbft-panel submit`: one operation. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { submitOnce } from '../../cluster/direct.ts'
import { wholeNumber } from '../numbers.ts'
import { operationUsage, parseOperation } from '../operation.ts'
import { CommandError, exitCodes, print, printJson } from '../output.ts'

interface SubmitOptions {
  readonly cluster: string
  readonly timeout: number
  readonly json?: boolean
}

/** Exit code 1 when the service said no (its answer is still printed), or when no answer came. */
const submit = async (words: readonly string[], options: SubmitOptions): Promise<void> => {
  const operation = parseOperation(words)
  const submitted = await submitOnce(resolve(options.cluster), operation, options.timeout)
  if (!submitted.ok) throw new CommandError(submitted.error)
  const { result, view, seq, repliers, latencyMs } = submitted.value
  if (options.json) printJson({ result, view, seq, replies: repliers.length, repliers, latencyMs })
  else {
    print(result.ok ? JSON.stringify(result.value) : `refused: ${result.error}`)
    print(`  view ${view}, seq ${seq}, equal replies of ${repliers.map((id) => `r${id}`).join(', ')}, ${latencyMs.toFixed(1)} ms`)
  }
  process.exitCode = result.ok ? exitCodes.success : exitCodes.no
}

export const addSubmitCommand = (program: Command): void => {
  program
    .command('submit')
    .description('one operation, answered by f + 1 equal replies')
    .argument('<operation...>', 'the operation and its words')
    .requiredOption('--cluster <file>', "the cluster's cluster.json, an operator's key beside it")
    .option('--timeout <ms>', 'how long to wait for the answer', wholeNumber('--timeout', 1, 600_000), 30_000)
    .option('--json', 'machine-readable answer')
    .addHelpText('after', `\nOperations:\n${operationUsage}`)
    .action(submit)
}
