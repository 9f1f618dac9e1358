/** Recorded replicas as they lie in the folders of clusters and runs, replayed to where one wants to look. */
import { existsSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { recordingFolder } from '../../contract/manifest.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { loadManifest, sha256 } from '../../link/index.ts'
import { Replay, stateView, type Plain, type ReplayProof, type ReplayProblem } from '../../pbft/replay/index.ts'
import { BlockSource, processesOf } from './replay-source.ts'
import { Segments } from './segments.ts'

const manifestName = 'cluster.json'

const folderOf = (cluster: string, id: number): string => join(cluster, 'data', `replica-${id}`, recordingFolder)

/** A cluster's folder from what a person gives: the folder, its cluster.json, or its name in the data folder. Error `not-found`. */
export const findRun = (run: string, dataFolder: string): Result<string> => {
  for (const path of [resolve(run), join(dataFolder, 'clusters', basename(run))]) {
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
    const folder = isFolder ? path : dirname(path)
    if (existsSync(join(folder, manifestName)) && (isFolder || basename(path) === manifestName)) return ok(folder)
  }
  return fail('not-found', `there is no run ${run}: give a cluster's folder, its cluster.json or its name`)
}

export interface ReplayWanted {
  readonly replica: number
  /** Which of its processes, counted from 1; null: the last one. */
  readonly process: number | null
  /** Until this is executed, or this view is entered; null: to the end. */
  readonly seq: number | null
  readonly view: number | null
}

export interface ReplayAnswer {
  readonly run: string
  readonly replica: number
  readonly process: number
  readonly processes: number
  /** Of the last input taken, ms since the epoch by the replica's clock; null: none was. */
  readonly at: number | null
  readonly reached: boolean
  /** The whole recording of that process was read, without a hole. */
  readonly complete: boolean
  readonly view: number
  readonly lastExecuted: number
  readonly lowWatermark: number
  readonly stateDigest: string
  readonly proof: ReplayProof
  readonly holds: boolean
  readonly state: { readonly [name: string]: Plain }
}

const problems: Readonly<Record<ReplayProblem, string>> = {
  'no-start': 'the start of that process is not recorded any more',
  'start-not-whole': 'what that process found on its disk was too large to be recorded',
  'bad-start': 'the start of that process cannot be read',
}

/** Errors: `not-found` (nothing is recorded of that replica or process), `bad-request` (it cannot be replayed), those of the manifest. */
export const replayRun = (folder: string, wanted: ReplayWanted): Result<ReplayAnswer> => {
  const run = loadManifest(join(folder, manifestName))
  if (!run.ok) return run
  const { name, replicas } = run.value
  return replayRecording(
    name,
    replicas.map(({ id }) => folderOf(folder, id)),
    wanted,
  )
}

/** The same of a run whose recordings lie in these folders, by replica. Errors: those of `replayRun`, but for the manifest's. */
export const replayRecording = (run: string, folders: readonly string[], wanted: ReplayWanted): Result<ReplayAnswer> => {
  const folder = folders[wanted.replica]
  if (folder === undefined) return fail('not-found', `${run} has no r${wanted.replica}`)
  const segments = new Segments(folder)
  segments.refresh()
  const processes = processesOf(segments)
  const number = wanted.process ?? processes.length
  const process = processes[number - 1]
  if (process === undefined)
    return fail('not-found', `of r${wanted.replica} ${processes.length} processes are recorded, no number ${number}`)
  const source = new BlockSource(segments, process)
  const opened = Replay.open(source, process.start ?? 0, sha256)
  if (!opened.ok) return fail('bad-request', `r${wanted.replica}, process ${number}: ${problems[opened.problem]}`)
  const { replay } = opened
  const isThere = (): boolean =>
    (wanted.seq !== null && replay.state.lastExecuted >= wanted.seq) || (wanted.view !== null && replay.state.view >= wanted.view)
  let at: number | null = null
  while (!isThere()) {
    const step = replay.step()
    if (step === null) break
    at = step.at
  }
  const { view, lastExecuted, checkpoints } = replay.state
  const { proof } = replay
  return ok({
    run,
    replica: wanted.replica,
    process: number,
    processes: processes.length,
    at,
    reached: (wanted.seq === null && wanted.view === null) || isThere(),
    complete: replay.next === source.count,
    view,
    lastExecuted,
    lowWatermark: checkpoints.stable.seq,
    stateDigest: replay.stateDigest(),
    proof,
    holds: proof.divergences.length === 0,
    state: stateView(replay),
  })
}
