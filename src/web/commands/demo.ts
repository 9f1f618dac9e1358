/** `pbft-panel demo`: a real cluster in a temporary folder, a scenario narrated, verdicts, clean-up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { runScenario, scenarios, type OnStep } from '../../cluster/demo/run.ts'
import type { Scenario, ScenarioReport } from '../../cluster/demo/scenario.ts'
import { createHost } from '../../cluster/host.ts'
import type { Host } from '../../cluster/host-interface.ts'
import { launchByNode } from '../../cluster/launch-node.ts'
import { replicaCount } from '../numbers.ts'
import { CommandError, exitCodes, note, print, printJson, UsageError } from '../output.ts'
import { entries, foldersOf, version } from '../paths.ts'

interface DemoOptions {
  readonly replicas: number
  readonly json?: boolean
}

const findScenario = (name: string, replicas: number): Scenario => {
  const scenario = scenarios.find((one) => one.name === name)
  if (scenario === undefined)
    throw new UsageError(`There is no scenario "${name}"; there are ${scenarios.map((one) => one.name).join(', ')}.`)
  if (replicas < scenario.replicasMin) throw new UsageError(`${name} needs at least ${scenario.replicasMin} replicas.`)
  return scenario
}

const narrate =
  (say: (line: string) => void): OnStep =>
  ({ title, expected, report }) => {
    if (report === null) say(`\n${title}\n  expected  ${expected}`)
    else say(`  observed  ${report.observed}\n  ${report.holds ? 'holds' : 'DOES NOT HOLD'}`)
  }

const runOn = async (host: Host, scenario: Scenario, options: DemoOptions, say: (line: string) => void): Promise<ScenarioReport> => {
  const created = await host.call('createCluster', { name: 'demo', replicas: options.replicas })
  if (!created.ok) throw new CommandError(created.error)
  const opened = await host.call('openCluster', { name: 'demo' })
  if (!opened.ok) throw new CommandError(opened.error)
  say(`A cluster of ${options.replicas} replicas, processes ${opened.value.replicas.map(({ pid }) => pid).join(', ')}`)
  return runScenario(host, scenario, narrate(say))
}

const demo = async (name: string, options: DemoOptions): Promise<void> => {
  const scenario = findScenario(name, options.replicas)
  const say = options.json ? note : print
  const dataFolder = mkdtempSync(join(tmpdir(), 'pbft-panel-demo-'))
  const host = createHost({ ...foldersOf(dataFolder), shell: 'browser', version, locale: 'en', launch: launchByNode, entries })
  const cleanUp = async (): Promise<void> => {
    await host.close()
    rmSync(dataFolder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(exitCodes.no)))
  try {
    const report = await runOn(host, scenario, options, say)
    if (options.json) printJson(report)
    else {
      print(
        `\n${Object.entries(report.verdicts)
          .map(([monitor, state]) => `${monitor}: ${state}`)
          .join(', ')}`,
      )
      print(report.holds ? 'Everything held.' : 'Something did not hold.')
    }
    process.exitCode = report.holds ? exitCodes.success : exitCodes.no
  } finally {
    await cleanUp()
  }
}

export const addDemoCommand = (program: Command): void => {
  program
    .command('demo')
    .description('a real cluster in a temporary folder, a scenario narrated, verdicts, clean-up')
    .argument('[scenario]', scenarios.map((scenario) => scenario.name).join(', '), 'primary-isolation')
    .option('--replicas <n>', 'how many replicas', replicaCount, 4)
    .option('--json', 'machine-readable report')
    .action(demo)
}
