/** `pbft-panel demo`: a real cluster in a temporary folder, a scenario narrated, verdicts, clean-up. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { Host } from '../../cluster/host-interface.ts'
import { RunShelf } from '../../cluster/runs/shelf.ts'
import { startScenario } from '../../cluster/scenario/run.ts'
import type { Scenario, ScenarioRun } from '../../contract/scenarios.ts'
import { locales } from '../../contract/screens.ts'
import { plantsForProcesses } from '../../pbft/sim/index.ts'
import { hostFor } from '../host.ts'
import { replicaCount } from '../numbers.ts'
import { CommandError, exitCodes, note, print, UsageError } from '../output.ts'
import { entries, foldersOf, root } from '../paths.ts'
import { copyForProcesses } from '../simulation/mutated-copy.ts'
import { listPlants, plantNamed } from './plants.ts'
import { findScenario } from './scenario.ts'
import { localeNamed, newFile } from './run-files.ts'
import { withRun, work } from './run-place.ts'
import { kept, narrator, reportScenario, type TakenAlong } from './scenario-report.ts'

interface DemoOptions {
  readonly replicas: number
  readonly withholdFaults?: boolean
  readonly plant?: string
  readonly export?: string
  readonly report?: string
  readonly lang: string
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

/** What of the run was asked for, written to where it stays; the host has ended, and everything is on disk. */
const takeAlong = async (folders: ReturnType<typeof foldersOf>, options: DemoOptions): Promise<Record<string, TakenAlong>> => {
  if (options.export === undefined && options.report === undefined) return {}
  const recorded = new RunShelf(folders.dataFolder).list().find(({ head }) => head.info.kind === 'scenario')
  if (recorded === undefined) throw new Error('the scenario left no run')
  const files: Record<string, TakenAlong> = {}
  await withRun(recorded.head.info.id, folders.dataFolder, async (place) => {
    const { logsFolder } = folders
    if (options.export !== undefined) {
      const file = newFile(options.export)
      files['export'] = { file, ...(await work(logsFolder, 'exportRun', { place, file })) }
    }
    if (options.report !== undefined) {
      const file = newFile(options.report)
      files['report'] = { file, ...(await work(logsFolder, 'reportRun', { place, file, locale: localeNamed(options.lang) })) }
    }
  })
  return files
}

const demo = async (name: string, options: DemoOptions): Promise<void> => {
  if (options.plant === 'list') return listPlants(plantsForProcesses, options.json)
  const scenario = findScenario(name)
  for (const file of [options.export, options.report]) if (file !== undefined) newFile(file)
  localeNamed(options.lang)
  if (options.replicas < scenario.replicasMin) throw new UsageError(`${scenario.name} needs at least ${scenario.replicasMin} replicas.`)
  const plant = options.plant === undefined ? null : plantNamed(options.plant, plantsForProcesses)
  const broken = plant === null ? null : await copyForProcesses(root, plant)
  const dataFolder = mkdtempSync(join(tmpdir(), 'pbft-panel-demo-'))
  const folders = foldersOf(dataFolder)
  const host = hostFor(folders, { replica: broken?.replica ?? entries.replica })
  const cleanUp = async (): Promise<void> => {
    await host.close()
    rmSync(dataFolder, { recursive: true, force: true })
    await broken?.remove()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(exitCodes.no)))
  try {
    const run = await runOn(host, scenario, options)
    await host.close()
    reportScenario(run, options.json ?? false, await takeAlong(folders, options))
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
    .option('--export <file>', 'all of the run as one new file, to be opened by a panel')
    .option('--report <file>', 'a report of the run that opens offline, one new HTML file')
    .option('--lang <language>', `of the report: ${locales.join(' or ')}`, 'en')
    .option('--json', 'machine-readable report')
    .action(demo)
}
