/** Which run a person means: a run's file, a run of the data folder by id or name, or a cluster's latest. */
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { RunPlace } from '../../cluster/recorder/protocol.ts'
import { runWork } from '../../cluster/recorder/run-desk.ts'
import { withRunSource, type RunSource } from '../../cluster/recorder/run-source.ts'
import { findRun } from '../../cluster/recorder/runs.ts'
import { RunFileError } from '../../cluster/run-file/format.ts'
import { partsOf } from '../../cluster/runs/names.ts'
import { placeOf } from '../../cluster/runs/runs.ts'
import { RunShelf } from '../../cluster/runs/shelf.ts'
import { CommandError } from '../output.ts'

const megabyte = 1_048_576
const contentFactor = 8

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

/** Unpacks a run's file for as long as `use` takes. Throws CommandError `bad-run`. */
const withRunFile = async <T>(file: string, shelf: RunShelf, use: (place: RunPlace) => Promise<T> | T): Promise<T> => {
  const scratch = mkdtempSync(join(tmpdir(), 'pbft-panel-run-'))
  const fileBytesMax = shelf.settings.fileMegabytesMax * megabyte
  try {
    const folder = join(scratch, 'content')
    const head = await runWork.importRun({ file, folder, limits: { fileBytesMax, contentBytesMax: fileBytesMax * contentFactor } })
    const record = { format: 1, head, place: null, after: 0, upto: null } as const
    return await use({ record, ...partsOf(folder, head.manifest.replicas.length) })
  } catch (error) {
    if (!(error instanceof RunFileError)) throw error
    throw new CommandError({ code: 'bad-run', message: `${file}: ${error.message}`, details: { problem: error.problem, at: error.at } })
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

/** The journal of a run. Throws CommandError `cluster-in-use` while a panel has it, `not-found` when it is gone. */
export const withSource = async <T>(place: RunPlace, use: (source: RunSource) => Promise<T> | T): Promise<T> => {
  if (!existsSync(place.journal))
    throw new CommandError({ code: 'not-found', message: `The journal of this run is gone: ${place.journal}` })
  try {
    return await withRunSource(place, use)
  } catch (error) {
    if (!String((error as { readonly code?: unknown }).code).startsWith('SQLITE_BUSY')) throw error
    throw new CommandError({
      code: 'cluster-in-use',
      message: 'A panel has the cluster of this run open: export it there, or close it first.',
    })
  }
}
