/** `pbft-panel run list | export | report | compare`: runs and their files. */
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { recordedProcesses } from '../../cluster/recorder/replays.ts'
import { fileNameOf } from '../../cluster/runs/transfers.ts'
import { RunShelf } from '../../cluster/runs/shelf.ts'
import type { RunInfo } from '../../contract/runs.ts'
import { locales, type Locale } from '../../contract/screens.ts'
import { hostFor } from '../host.ts'
import { CommandError, exitCodes, print, printJson, UsageError } from '../output.ts'
import { foldersOf } from '../paths.ts'
import { withRun, work } from './run-place.ts'

export interface RunOptions {
  readonly data?: string
  readonly json?: boolean
}

interface OutOptions extends RunOptions {
  readonly out?: string
}

export const dataFolderOf = ({ data }: RunOptions): string => foldersOf(data === undefined ? undefined : resolve(data)).dataFolder

const logsFolderOf = ({ data }: RunOptions): string => foldersOf(data === undefined ? undefined : resolve(data)).logsFolder

const timeOf = (ms: number): string => new Date(ms).toISOString()

/** As the HTTP API has it. */
const presented = (info: RunInfo): object => ({
  ...info,
  began: timeOf(info.began),
  ended: info.ended === null ? null : timeOf(info.ended),
  durationMs: info.ended === null ? null : info.ended - info.began,
})

const list = (options: RunOptions & { readonly trash?: boolean }): void => {
  const shelf = new RunShelf(dataFolderOf(options))
  const runs = shelf
    .list()
    .map(({ head }) => head.info)
    .filter(({ trashedAt }) => (trashedAt !== null) === (options.trash ?? false))
  if (options.json) return printJson({ runs: runs.map(presented) })
  if (runs.length === 0) return print('No recorded runs.')
  for (const { id, name, verdict, began, ended, figures } of runs) {
    const seconds = ended === null ? 'its end is not recorded' : `${((ended - began) / 1_000).toFixed(1)} s`
    print(`${id}  ${name}  ${verdict}`)
    print(`    ${timeOf(began)}, ${seconds}; ${figures.requests} requests, ${figures.faults} faults, ${figures.violations} violations`)
  }
}

/** One run, and what can be replayed of it. */
const show = async (run: string, options: RunOptions): Promise<void> => {
  const { info, processes } = await withRun(run, dataFolderOf(options), ({ record, replicas }) => ({
    info: record.head.info,
    processes: recordedProcesses({ replicas: replicas.map((folder, id) => ({ folder, offsetMs: record.head.offsets[id] ?? 0 })) }),
  }))
  if (options.json) return printJson({ run: presented(info), processes })
  print(`${info.id}  ${info.name}  ${info.verdict}`)
  for (const { at, text } of info.annotations) print(`  ${timeOf(at)}  ${text}`)
  for (const { replica, process, from, to, replayable, lost } of processes) {
    const notes = [replayable ? '' : 'its start is gone: cannot be replayed', lost === 0 ? '' : `${lost} entries lost`]
    print(
      `  r${replica}, process ${process}  ${timeOf(from)} to ${timeOf(to)}  ${notes.filter((note) => note !== '').join(', ')}`.trimEnd(),
    )
  }
}

/** Where something is to be written; throws a UsageError when something is there already, or no folder for it. */
export const newFile = (name: string): string => {
  const file = resolve(name)
  if (existsSync(file)) throw new UsageError(`${file} is there already: give another name.`)
  if (!existsSync(dirname(file))) throw new UsageError(`There is no folder ${dirname(file)}.`)
  return file
}

/** The language that `--lang` names; throws a UsageError when there is none. */
export const localeNamed = (name: string): Locale => {
  const locale = locales.find((one): one is Locale => one === name)
  if (locale === undefined) throw new UsageError(`--lang is one of ${locales.join(', ')}.`)
  return locale
}

const exportRun = async (run: string, options: OutOptions): Promise<void> => {
  const written = await withRun(run, dataFolderOf(options), async (place) => {
    const file = newFile(options.out ?? fileNameOf(place.record.head.info, 'pbftrun'))
    return { file, ...(await work(logsFolderOf(options), 'exportRun', { place, file })) }
  })
  if (options.json) printJson(written)
  else print(`${written.file}  ${written.bytes} bytes`)
}

const report = async (run: string, options: OutOptions & { readonly lang: string }): Promise<void> => {
  const locale = localeNamed(options.lang)
  const written = await withRun(run, dataFolderOf(options), async (place) => {
    const { info } = place.record.head
    const file = newFile(options.out ?? fileNameOf(info, 'html'))
    const logs = logsFolderOf(options)
    const figures = await work(logs, 'runFigures', { place })
    const made = { figures, ...(await work(logs, 'reportRun', { place, file, locale })) }
    return { file, verdict: info.verdict, ...made }
  })
  if (options.json) printJson(written)
  else print(`${written.file}  ${written.bytes} bytes`)
}

/** Exit code 1 when they differ. */
const compare = async (first: string, second: string, options: RunOptions): Promise<void> => {
  const data = dataFolderOf(options)
  const found = await withRun(first, data, (one) =>
    withRun(second, data, (other) => work(logsFolderOf(options), 'compareRuns', { first: one, second: other })),
  )
  if (options.json) printJson(found)
  else if (found.divergence === null) print(`${found.compared} entries, no difference.`)
  else {
    const { seq, what } = found.divergence
    print(`${found.compared} entries are equal; they differ at seq ${seq}: ${what}.`)
    for (const entry of [found.divergence.first, found.divergence.second])
      print(entry === null ? '  nothing' : `  view ${entry.view}  ${entry.digest}  ${entry.requests.join(' ')}`)
  }
  process.exitCode = found.divergence === null ? exitCodes.success : exitCodes.no
}

/** Opens a run's file into the data folder, as the panel does. */
const importRun = async (file: string, options: RunOptions): Promise<void> => {
  const host = hostFor(foldersOf(options.data === undefined ? undefined : resolve(options.data)))
  try {
    const opened = await host.importFile(resolve(file))
    if (!opened.ok) throw new CommandError(opened.error)
    if (options.json) printJson(presented(opened.value))
    else print(`${opened.value.id}  ${opened.value.name}`)
  } finally {
    await host.close()
  }
}

export const addRunFileCommands = (command: Command): void => {
  const run = (name: string, words: string): Command =>
    command.command(name).description(words).option('--data <dir>', 'the data folder').option('--json', 'machine-readable answer')
  const which = "RUN is a run's file, the id or name of a run, or a cluster's folder or name (its latest run)"
  run('list', 'the recorded runs with their verdicts, the latest first').option('--trash', 'those in the trash instead').action(list)
  run('show <run>', `one run, and which processes of its replicas can be replayed; ${which}`).action(show)
  run('export <run>', `writes all of a run into one file; ${which}`).option('--out <file>', 'the new file').action(exportRun)
  run('open <file>', "checks a run's file and puts it among the panel's runs; exit code 2 when it is refused").action(importRun)
  run('report <run>', `writes a report that opens offline, one HTML file; ${which}`)
    .option('--out <file>', 'the new file')
    .option('--lang <language>', locales.join(' or '), 'en')
    .action(report)
  run('compare <first> <second>', `two runs side by side, up to the first difference; exit code 1 when they differ; ${which}`).action(
    compare,
  )
}
