/** `pbft-panel run`: recorded runs. */
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { askEvidence } from '../../cluster/direct.ts'
import { verifyEvidenceFile, writeEvidence } from '../../cluster/evidence/file.ts'
import { replayRecording } from '../../cluster/recorder/runs.ts'
import { wholeNumber } from '../numbers.ts'
import { CommandError, exitCodes, note, print, printJson } from '../output.ts'
import { addRunFileCommands, dataFolderOf, type RunOptions } from './run-files.ts'
import { withRun } from './run-place.ts'

interface ReplayOptions extends RunOptions {
  readonly replica: number
  readonly process?: number
  readonly to?: number
  readonly view?: number
  readonly state?: boolean
}

/** Exit code 1 when the replayed run is not the recorded one, or does not come to where it was asked to. */
const replay = async (run: string, options: ReplayOptions): Promise<void> => {
  const { replica, process: number = null, to = null, view = null } = options
  const replayed = await withRun(run, dataFolderOf(options), ({ record, replicas }) =>
    replayRecording(record.head.info.name, replicas, { replica, process: number, seq: to, view }),
  )
  if (!replayed.ok) throw new CommandError(replayed.error)
  const { state, ...answer } = replayed.value
  if (options.json) printJson(options.state ? { ...answer, state } : answer)
  else {
    const { proof } = answer
    print(
      `${answer.run}, r${replica}, process ${answer.process} of ${answer.processes}: view ${answer.view}, executed ${answer.lastExecuted}`,
    )
    print(`state digest ${answer.stateDigest}`)
    print(
      `${proof.inputs} inputs; equal: ${proof.checkpointsEqual} checkpoints, ${proof.sendsEqual} sends, ${proof.signaturesEqual} signatures`,
    )
    for (const { index, what } of proof.divergences) print(`entry ${index}: ${what}`)
    print(answer.holds ? 'The same run.' : 'NOT the same run.')
    if (!answer.reached) print('The recording ends before that.')
    if (options.state) print(JSON.stringify(state, null, 2))
  }
  process.exitCode = answer.holds && answer.reached ? exitCodes.success : exitCodes.no
}

interface EvidenceOptions {
  readonly cluster: string
  readonly out: string
  readonly timeout: number
  readonly json?: boolean
}

/** Exit code 0: the replica is convicted; 1: not proven. Asks nobody: reads the two files. */
const verify = (file: string, options: Pick<EvidenceOptions, 'cluster' | 'json'>): void => {
  const verdict = verifyEvidenceFile(resolve(file), resolve(options.cluster))
  if (!verdict.ok) throw new CommandError(verdict.error)
  if (options.json) printJson(verdict.value)
  else print(verdict.value.reason)
  process.exitCode = verdict.value.convicted ? exitCodes.success : exitCodes.no
}

/** Exit code 1 when no replica answers. */
const evidence = async (options: EvidenceOptions): Promise<void> => {
  const asked = await askEvidence(resolve(options.cluster), options.timeout)
  if (!asked.ok) throw new CommandError(asked.error)
  const { exports, answered, liars } = asked.value
  const written = writeEvidence(resolve(options.out), exports)
  if (!written.ok) throw new CommandError(written.error)
  if (options.json) printJson({ files: written.value, answered, liars })
  else {
    written.value.forEach(print)
    if (answered.length === 0) note('No replica answered.')
    else if (exports.length === 0) note(`${answered.length} replicas answered; none has evidence against another.`)
    for (const id of liars) note(`r${id} handed over evidence that proves nothing.`)
  }
  process.exitCode = answered.length > 0 ? exitCodes.success : exitCodes.no
}

export const addRunCommand = (program: Command): void => {
  const command = program.command('run').description('recorded runs: what the replicas wrote down of what they did')
  addRunFileCommands(command)
  command
    .command('replay <run>')
    .description('a recorded replica run again through the same core and compared with the recording; exit code 1 when it differs')
    .requiredOption('--replica <k>', 'which replica', wholeNumber('--replica', 0, 99))
    .option('--process <n>', 'which of its processes, from 1 (default: the last)', wholeNumber('--process', 1, 1_000_000))
    .option('--to <seq>', 'until this sequence number is executed', wholeNumber('--to', 0, Number.MAX_SAFE_INTEGER))
    .option('--view <v>', 'until this view is entered', wholeNumber('--view', 0, Number.MAX_SAFE_INTEGER))
    .option('--state', 'show the whole state there')
    .option('--data <dir>', 'the data folder')
    .option('--json', 'machine-readable answer')
    .action(replay)
  command
    .command('verify <file>')
    .description('judges a file of evidence by the public keys in cluster.json, offline; exit code 1 when it convicts nobody')
    .requiredOption('--cluster <file>', "the cluster's cluster.json; no private keys are needed")
    .option('--json', 'machine-readable answer')
    .action(verify)
  command
    .command('evidence')
    .description('asks every replica for evidence against others and writes what is proven to files')
    .requiredOption('--cluster <file>', "the cluster's cluster.json, an operator's key beside it")
    .requiredOption('--out <dir>', 'the folder for the files')
    .option('--timeout <ms>', 'how long to wait for a replica', wholeNumber('--timeout', 1, 600_000), 3_000)
    .option('--json', 'machine-readable answer')
    .action(evidence)
}
