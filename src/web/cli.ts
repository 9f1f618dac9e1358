/** The command line: `pbft-panel`. */
import { Command, CommanderError } from 'commander'
import { addClusterCommand } from './commands/cluster.ts'
import { addReplicaCommand } from './commands/replica.ts'
import { addServeCommand } from './commands/serve.ts'
import { CommandError, exitCodeOf, exitCodes, note, printJson } from './output.ts'
import { version } from './paths.ts'

const createProgram = (): Command => {
  const program = new Command('pbft-panel').description('A control panel for PBFT clusters').version(version).showHelpAfterError(false)
  addServeCommand(program)
  addClusterCommand(program)
  addReplicaCommand(program)
  const quiet = (command: Command): void => {
    command.exitOverride()
    command.commands.forEach(quiet)
  }
  quiet(program)
  return program
}

/** Words for the person on stderr; with `--json` the error as a value too, unless it is wrong use. */
const report = (error: unknown): void => {
  if (error instanceof CommandError && process.argv.includes('--json')) printJson({ error: error.error })
  const isExpected = error instanceof CommandError || exitCodeOf(error) === exitCodes.usage
  note(error instanceof Error ? (isExpected ? error.message : (error.stack ?? error.message)) : String(error))
}

const main = async (): Promise<void> => {
  try {
    await createProgram().parseAsync()
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed its one line already; help and version are no errors.
      process.exitCode = error.exitCode === 0 ? exitCodes.success : exitCodes.usage
      return
    }
    report(error)
    process.exitCode = exitCodeOf(error)
  }
}

void main()
