/** `pbft-panel scenario list` and `scenario run`: the library and own files, on a cluster that exists. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { libraryFile, listScenarios, readScenario } from '../../cluster/scenario/files.ts'
import { startScenario } from '../../cluster/scenario/run.ts'
import type { Scenario } from '../../contract/scenarios.ts'
import { hostFor } from '../host.ts'
import { CommandError, exitCodes, print, printJson, UsageError } from '../output.ts'
import { foldersOf, scenariosFolder } from '../paths.ts'
import { kept, narrator, reportScenario } from './scenario-report.ts'

/** A name of the library, or the path of a file. Throws UsageError when there is none of either; CommandError when it cannot be run. */
export const findScenario = (nameOrFile: string): Scenario => {
  const inLibrary = /^[a-z0-9-]+$/.test(nameOrFile) ? libraryFile(scenariosFolder, nameOrFile) : null
  const file = inLibrary !== null && existsSync(inLibrary) ? inLibrary : resolve(nameOrFile)
  if (!existsSync(file)) {
    const names = listScenarios(scenariosFolder, 'library').map(({ name }) => name)
    throw new UsageError(`There is no scenario "${nameOrFile}" and no such file; the library has ${names.join(', ')}.`)
  }
  const scenario = readScenario(file)
  if (!scenario.ok) throw new CommandError(scenario.error)
  return scenario.value
}

const list = (options: { readonly json?: boolean }): void => {
  const scenarios = listScenarios(scenariosFolder, 'library')
  if (options.json) return printJson({ scenarios })
  for (const { name, title, summary, problem } of scenarios) {
    print(`${name}\n  ${title.en}\n  ${problem ?? summary.en}`)
  }
}

interface RunOptions {
  readonly cluster: string
  readonly data?: string
  readonly json?: boolean
}

const run = async (nameOrFile: string, options: RunOptions): Promise<void> => {
  const scenario = findScenario(nameOrFile)
  const host = hostFor(foldersOf(options.data))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void host.close().then(() => process.exit(exitCodes.no)))
  try {
    const opened = await host.call('openCluster', { file: resolve(options.cluster) })
    if (!opened.ok) throw new CommandError(opened.error)
    if (opened.value.n < scenario.replicasMin)
      throw new UsageError(`${scenario.name} needs at least ${scenario.replicasMin} replicas; this cluster has ${opened.value.n}.`)
    const json = options.json ?? false
    reportScenario(await startScenario({ host, scenario, stepwise: false, onChange: kept(host, narrator(json)) }).finished, json)
  } finally {
    await host.close()
  }
}

export const addScenarioCommand = (program: Command): void => {
  const scenario = program.command('scenario').description('scenarios: narrated steps with expectations that are checked')
  scenario.command('list').description('the library').option('--json', 'machine-readable list').action(list)
  scenario
    .command('run')
    .description('runs one on a cluster; replicas whose keys lie beside the manifest and that do not run yet are started')
    .argument('<scenario>', 'a name of the library or a file')
    .requiredOption('--cluster <file>', "the cluster's cluster.json, an operator's key beside it")
    .option('--data <dir>', "the panel's data folder")
    .option('--json', 'machine-readable report')
    .action(run)
}
