/** `pbft-panel demo`: a real cluster in a temporary folder, a scenario narrated, verdicts, clean-up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Host } from '../../cluster/host-interface.ts'
import { startScenario } from '../../cluster/scenario/run.ts'
import type { Scenario, ScenarioRun } from '../../contract/scenarios.ts'
import { plantsForProcesses } from '../../pbft/sim/index.ts'
import { hostFor } from '../host.ts'
import { replicaCount } from '../numbers.ts'
import { CommandError, exitCodes, note, print, UsageError } from '../output.ts'
import { entries, foldersOf, root } from '../paths.ts'
import { copyForProcesses } from '../simulation/mutated-copy.ts'
import { listPlants, plantNamed } from './plants.ts'
import { findScenario } from './scenario.ts'
import { kept, narrator, reportScenario } from './scenario-report.ts'

interface DemoOptions {
  readonly replicas: number
  readonly withholdFaults?: boolean
  readonly plant?: string
  readonly json?: boolean
}

const runOn = async (host: Host, scenario: Scenario, options: DemoOptions): Promise<ScenarioRun> => {
  const created = await host.call('createCluster', { name: 'demo', replicas: options.replicas, ...scenario.cluster })
  if (!created.ok) throw new CommandError(created.error)
  const opened = await host.call('openCluster', { name: 'demo' })
  if (!opened.ok) throw new CommandError(opened.error)
  const say = options.json ? note : print
  say(`A cluster of ${options.replicas} replicas, processes ${opened.value.replicas.map(({ pid }) => pid).join(', ')}`)
  const withheld = options.withholdFaults ?? false
  return startScenario({ host, scenario, stepwise: false, withheld, onChange: kept(host, narrator(options.json ?? false)) }).finished
}

const demo = async (name: string, options: DemoOptions): Promise<void> => {
  if (options.plant === 'list') return listPlants(plantsForProcesses, options.json)
  const scenario = findScenario(name)
  if (options.replicas < scenario.replicasMin) throw new UsageError(`${scenario.name} needs at least ${scenario.replicasMin} replicas.`)
  const plant = options.plant === undefined ? null : plantNamed(options.plant, plantsForProcesses)
  const broken = plant === null ? null : await copyForProcesses(root, plant)
  const dataFolder = mkdtempSync(join(tmpdir(), 'pbft-panel-demo-'))
  const host = hostFor(foldersOf(dataFolder), { replica: broken?.replica ?? entries.replica })
  const cleanUp = async (): Promise<void> => {
    await host.close()
    rmSync(dataFolder, { recursive: true, force: true })
    await broken?.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(exitCodes.no)))
  try {
    reportScenario(await runOn(host, scenario, options), options.json ?? false)
  } finally {
    await cleanUp()
  }
}

export const addDemoCommand = (program: Command): void => {
  program
    .command('demo')
    .description('a real cluster in a temporary folder, a scenario narrated, verdicts, clean-up; `scenario list` names them')
    .argument('[scenario]', 'a name of the library or a file', 'primary-isolation')
    .option('--replicas <n>', 'how many replicas', replicaCount, 4)
    .option('--withhold-faults', 'leave out what is done to replicas and links: the scenario must then not hold')
    .option('--plant <bug>', 'replicas of an engine with a planted bug, or `list`; needs the sources (development)')
    .option('--json', 'machine-readable report')
    .action(demo)
}
