/** The command line: `pbft-panel`. */
import { Command, CommanderError } from 'commander'
import { addBenchCommand } from './commands/bench.ts'
import { addClusterCommand } from './commands/cluster.ts'
import { addDemoCommand } from './commands/demo.ts'
import { addReplicaCommand } from './commands/replica.ts'
import { addRunCommand } from './commands/run.ts'
import { addScenarioCommand } from './commands/scenario.ts'
import { addServeCommand } from './commands/serve.ts'
import { addSimulateCommand } from './commands/simulate.ts'
import { addStatusCommand } from './commands/status.ts'
import { addSubmitCommand } from './commands/submit.ts'
import { CommandError, exitCodeOf, exitCodes, note, printJson, UsageError } from './output.ts'
import { version } from './paths.ts'

const createProgram = (): Command => {
  const program = new Command('pbft-panel').description('A control panel for PBFT clusters').version(version).showHelpAfterError(false)
  addServeCommand(program)
  addClusterCommand(program)
  addReplicaCommand(program)
  addBenchCommand(program)
  addStatusCommand(program)
  addSubmitCommand(program)
  addDemoCommand(program)
  addScenarioCommand(program)
  addRunCommand(program)
  addSimulateCommand(program)
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
    const program = createProgram()
    const [name] = process.argv.slice(2)
    // Without this the word would be taken for an argument of the default command.
    if (name !== undefined && !name.startsWith('-') && name !== 'help' && program.commands.every((command) => command.name() !== name)) {
      throw new UsageError(`There is no command "${name}"; see pbft-panel --help.`)
    }
    await program.parseAsync()
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
