/** Which run a person means: a run's file, a run of the data folder by id or name, or a cluster's latest. */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { launchByNode } from '../../cluster/launch-node.ts'
import type { RunPlace } from '../../cluster/recorder/protocol.ts'
import type { RecorderQueries } from '../../cluster/recorder/protocol.ts'
import { findRun } from '../../cluster/recorder/runs.ts'
import { RunDesk, type RunWork } from '../../cluster/runs/desk.ts'
import { partsOf } from '../../cluster/runs/names.ts'
import { placeOf } from '../../cluster/runs/runs.ts'
import { RunShelf } from '../../cluster/runs/shelf.ts'
import { CommandError } from '../output.ts'
import { entries } from '../paths.ts'

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Work on whole runs, by a recorder process: this one loads no native module. Throws CommandError. */
export const work = async <W extends RunWork>(
  logsFolder: string,
  name: W,
  params: RecorderQueries[W]['params'],
): Promise<RecorderQueries[W]['result']> => {
  const done = await new RunDesk({ launch: launchByNode, entries, logsFolder }, () => null).ask(name, params)
  if (!done.ok) throw new CommandError(done.error)
  return done.value
}

/** Unpacks a run's file for as long as `use` takes. Throws CommandError `bad-run`. */
const withRunFile = async <T>(file: string, shelf: RunShelf, use: (place: RunPlace) => Promise<T> | T): Promise<T> => {
  const scratch = mkdtempSync(join(tmpdir(), 'pbft-panel-run-'))
  try {
    const folder = join(scratch, 'content')
    const head = await work(shelf.folder, 'importRun', { file, folder, limits: shelf.limits })
    const record = { format: 1, head, place: null, after: 0, upto: null } as const
    return await use({ record, ...partsOf(folder, head.manifest.replicas.length) })
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

/** The latest run that has this id (or begins so), this name, or is of the cluster with this name or folder. */
const recorded = (run: string, shelf: RunShelf, dataFolder: string): RunPlace => {
  const records = shelf.list().filter(({ head }) => head.info.trashedAt === null)
  const folder = findRun(run, dataFolder)
  const inCluster = folder.ok ? join(folder.value, 'journal.sqlite') : null
  const found =
    (/^[0-9a-f]{4,16}$/.test(run) ? records.find(({ head }) => head.info.id.startsWith(run)) : undefined) ??
    records.find(({ head }) => head.info.name === run) ??
    records.find(({ place }) => place !== null && place.journal === inCluster)
  if (found !== undefined) return placeOf(shelf, found)
  throw new CommandError({
    code: 'not-found',
    message: `There is no run ${run}: give a run's file, its id or name (see run list), or a cluster.`,
  })
}

/** Finds a run, and cleans up after `use`. Throws CommandError `not-found`, `bad-run`. */
export const withRun = <T>(run: string, dataFolder: string, use: (place: RunPlace) => Promise<T> | T): Promise<T> => {
  const shelf = new RunShelf(dataFolder)
  const file = resolve(run)
  if (isFile(file) && !file.endsWith('.json')) return withRunFile(file, shelf, use)
  return Promise.resolve(recorded(run, shelf, dataFolder)).then(use)
}
