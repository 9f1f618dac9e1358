/** The runs of a host: the one that goes on, those before it and those from files. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { ValidParams } from '../../contract/api.ts'
import type { ClusterStatus, MonitorName } from '../../contract/model.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import { annotationsMax, type Annotation, type RunComparison, type RunInfo, type RunList, type RunVerdict } from '../../contract/runs.ts'
import type { ScenarioRun } from '../../contract/scenarios.ts'
import type { Manifest } from '../../contract/manifest.ts'
import { partsOf } from './names.ts'
import type { RunPlace } from '../recorder/protocol.ts'
import type { RunDesk } from './desk.ts'
import { noFigures } from './figures.ts'
import type { RunRecord } from './schemas.ts'
import type { RunShelf } from './shelf.ts'

/** What a run is made of while it goes on. */
export interface LiveRun {
  readonly manifest: Manifest
  readonly journal: string
  /** Folders of the replicas' recordings, and how far their clocks are ahead, ms. */
  recordings(): readonly { readonly folder: string; readonly offsetMs: number }[]
  /** The last seq of the log before it began. */
  readonly after: number
  readonly last: number
  status(): ClusterStatus
}

export interface RunsOptions {
  readonly shelf: RunShelf
  readonly desk: RunDesk
  readonly version: string
  onChange(): void
}

export const newId = (): string => randomBytes(8).toString('hex')

/** A record that cannot be written is told to whoever runs the host; what was recorded is not lost with it. */
const told = (error: unknown): void => void process.stderr.write(`a run's record cannot be written: ${String(error)}\n`)

export class Runs {
  readonly #options: RunsOptions
  #live: { readonly id: string; readonly run: LiveRun } | null = null
  /** The run that is looked at. */
  #opened: string | null = null
  /** The scenario that goes on: its last state, and the log's end when it began. */
  #scenario: { readonly id: string; readonly after: number } | null = null
  readonly #refused = new Map<string, number>()

  constructor(options: RunsOptions) {
    this.#options = options
  }

  get #shelf(): RunShelf {
    return this.#options.shelf
  }

  /** A cluster was opened: its run begins. `began` in ms since the epoch. */
  begin(run: LiveRun, began: number): void {
    const id = newId()
    this.#live = { id, run }
    this.#save(this.#newRecord(id, run, { kind: 'cluster', name: run.manifest.name, began, after: run.after, scenario: null }))
    this.#trashOldest()
  }

  /** The cluster is being closed, and everything of it is written. Resolves when its record is on disk. */
  async end(status: ClusterStatus): Promise<void> {
    const live = this.#live
    if (live === null) return
    await this.#finish(live.id, status, null)
    this.#live = null
    await this.#shelf.settled()
  }

  /** A scenario on the open cluster has come this far. */
  async takeScenario(scenario: ScenarioRun): Promise<void> {
    const live = this.#live
    if (live === null) return
    if (this.#scenario === null) {
      const id = newId()
      this.#scenario = { id, after: live.run.last }
      const { title, startedAt } = scenario
      this.#save(this.#newRecord(id, live.run, { kind: 'scenario', name: title.en, began: startedAt, after: live.run.last, scenario }))
      return
    }
    if (scenario.endedAt === null) return
    const { id } = this.#scenario
    this.#scenario = null
    await this.#finish(id, live.run.status(), scenario)
  }

  async list(): Promise<RunList> {
    await this.#refreshLive()
    return {
      runs: this.#shelf.list().map((record) => this.#infoOf(record)),
      shown: this.shown,
      settings: this.#shelf.settings,
      refused: Object.fromEntries(this.#refused),
    }
  }

  /** The run that goes on or is looked at. */
  get shown(): string | null {
    return this.#opened ?? this.#live?.id ?? null
  }

  /** Another run is looked at; null: none. */
  setOpened(id: string | null): void {
    this.#opened = id
    this.#options.onChange()
  }

  /** A file was not opened. */
  refuse(problem: string): void {
    this.#refused.set(problem, (this.#refused.get(problem) ?? 0) + 1)
    this.#options.onChange()
  }

  /** Error `not-found`. */
  place(id: string): Result<RunPlace> {
    const record = this.#shelf.get(id)
    if (record === undefined) return fail('not-found', `there is no run ${id}`)
    return ok(placeOf(this.#shelf, { ...record, head: { ...record.head, info: this.#infoOf(record) } }))
  }

  /** A run that was unpacked from a file into its folder. */
  async add(record: RunRecord): Promise<RunInfo> {
    await this.#shelf.put(record)
    this.#options.onChange()
    return record.head.info
  }

  /** Error `not-found`. */
  rename(id: string, name: string): Promise<Result<RunInfo>> {
    return this.#change(id, (info) => ({ ...info, name }))
  }

  annotations(): Result<readonly Annotation[]> {
    const record = this.#recordOf(undefined)
    return record.ok ? ok(record.value.head.info.annotations) : record
  }

  /** Errors: `not-found`, `no-cluster` when no run is shown, `too-large` when it has as many as it may. */
  async annotate({ run, id, at, text }: ValidParams<'annotate'>): Promise<Result<Annotation>> {
    const record = this.#recordOf(run)
    if (!record.ok) return record
    const { annotations, id: runId } = record.value.head.info
    if (id !== undefined && !annotations.some((one) => one.id === id)) return fail('not-found', `there is no annotation ${id}`)
    if (id === undefined && annotations.length >= annotationsMax)
      return fail('too-large', `a run has at most ${annotationsMax} annotations: remove one first`)
    const annotation = { id: id ?? newId(), at, text }
    const others = annotations.filter((one) => one.id !== id)
    const changed = await this.#change(runId, (info) => ({
      ...info,
      annotations: [...others, annotation].sort((a, b) => a.at - b.at),
    }))
    return changed.ok ? ok(annotation) : changed
  }

  /** Errors: those of `annotate`. */
  async removeAnnotation({ run, id }: ValidParams<'removeAnnotation'>): Promise<Result<null>> {
    const record = this.#recordOf(run)
    if (!record.ok) return record
    const { annotations, id: runId } = record.value.head.info
    if (!annotations.some((one) => one.id === id)) return fail('not-found', `there is no annotation ${id}`)
    const changed = await this.#change(runId, (info) => ({ ...info, annotations: annotations.filter((one) => one.id !== id) }))
    return changed.ok ? ok(null) : changed
  }

  /** Errors: `not-found`, `busy` for the run that goes on or is looked at. */
  async trash(id: string, now: number): Promise<Result<RunInfo>> {
    if (id === this.#live?.id || id === this.#opened || id === this.#scenario?.id)
      return fail('busy', 'this run is shown now: close it first, then throw it away')
    return this.#change(id, (info) => ({ ...info, trashedAt: now }))
  }

  restore(id: string): Promise<Result<RunInfo>> {
    return this.#change(id, (info) => ({ ...info, trashedAt: null }))
  }

  /** How many went. */
  async emptyTrash(): Promise<number> {
    const trashed = this.#shelf.list().filter(({ head }) => head.info.trashedAt !== null)
    for (const { head } of trashed) await this.#shelf.remove(head.info.id)
    this.#options.onChange()
    return trashed.length
  }

  /** Errors: `not-found`, and what keeps the recorder from answering. */
  async compare(first: string, second: string): Promise<Result<RunComparison>> {
    const [one, other] = [this.place(first), this.place(second)]
    if (!one.ok) return one
    if (!other.ok) return other
    return this.#options.desk.ask('compareRuns', { first: one.value, second: other.value })
  }

  async set(settings: RunList['settings']): Promise<void> {
    await this.#shelf.putSettings(settings)
    this.#trashOldest()
    this.#options.onChange()
  }

  #recordOf(id: string | undefined): Result<RunRecord> {
    const wanted = id ?? this.shown
    if (wanted === null) return fail('no-cluster', 'No run is shown: open a cluster or a run first.')
    const record = this.#shelf.get(wanted)
    return record === undefined ? fail('not-found', `there is no run ${wanted}`) : ok(record)
  }

  async #change(id: string, change: (info: RunInfo) => RunInfo): Promise<Result<RunInfo>> {
    const record = this.#shelf.get(id)
    if (record === undefined) return fail('not-found', `there is no run ${id}`)
    const info = change(record.head.info)
    await this.#shelf.put({ ...record, head: { ...record.head, info } })
    this.#options.onChange()
    return ok(this.#infoOf({ ...record, head: { ...record.head, info } }))
  }

  /** What goes on only in memory of another host, or was broken off, has no verdict. */
  #infoOf({ head }: RunRecord): RunInfo {
    const { info } = head
    const goesOn = info.id === this.#live?.id || info.id === this.#scenario?.id
    return info.verdict === 'running' && !goesOn ? { ...info, verdict: 'broken-off' } : info
  }

  #newRecord(
    id: string,
    run: LiveRun,
    about: {
      readonly kind: RunInfo['kind']
      readonly name: string
      readonly began: number
      readonly after: number
      readonly scenario: ScenarioRun | null
    },
  ): RunRecord {
    const { manifest, journal } = run
    const { kind, name, began, after, scenario } = about
    const info: RunInfo = {
      ...{ id, name, kind, source: 'own', cluster: manifest.name, clusterId: manifest.clusterId, n: manifest.replicas.length },
      scenario: scenario === null ? null : { name: scenario.name, title: scenario.title, holds: null },
      ...{ began, ended: null, verdict: 'running', monitors: [], figures: noFigures, annotations: [] },
      ...{ version: this.#options.version, trashedAt: null },
    }
    const recordings = run.recordings()
    const head = { info, manifest, offsets: recordings.map(({ offsetMs }) => offsetMs), scenario }
    return { format: 1, head, place: { journal, replicas: recordings.map(({ folder }) => folder) }, after, upto: null }
  }

  async #finish(id: string, status: ClusterStatus, scenario: ScenarioRun | null): Promise<void> {
    const record = this.#shelf.get(id)
    const live = this.#live
    if (record === undefined || live === null) return
    const ended = scenario?.endedAt ?? Date.now()
    const offsets = live.run.recordings().map(({ offsetMs }) => offsetMs)
    const closed: RunRecord = {
      ...record,
      head: { ...record.head, offsets, scenario: scenario ?? record.head.scenario, info: { ...record.head.info, ended } },
      upto: live.run.last,
    }
    const figures = await this.#options.desk.ask('runFigures', { place: placeOf(this.#shelf, closed) })
    const monitors = status.monitors.map(({ since: _, ...monitor }) => ({ ...monitor, detail: monitor.detail.slice(0, 2_000) }))
    // Its name and annotations may have changed meanwhile.
    const now = this.#shelf.get(id) ?? closed
    const info: RunInfo = {
      ...now.head.info,
      ended,
      monitors,
      figures: figures.ok ? figures.value : now.head.info.figures,
      verdict: verdictOf(scenario, monitors, figures.ok ? figures.value.violations : 0),
      scenario: scenario === null ? now.head.info.scenario : { name: scenario.name, title: scenario.title, holds: scenario.holds },
    }
    this.#save({ ...closed, head: { ...closed.head, info } })
  }

  /** The figures of the run that goes on, as they are now. */
  async #refreshLive(): Promise<void> {
    const live = this.#live
    const record = live === null ? undefined : this.#shelf.get(live.id)
    if (live === null || record === undefined) return
    const figures = await this.#options.desk.ask('runFigures', { place: placeOf(this.#shelf, record) })
    const now = this.#shelf.get(live.id)
    if (figures.ok && now?.head.info.ended === null)
      await this.#shelf.put({ ...now, head: { ...now.head, info: { ...now.head.info, figures: figures.value } } }).catch(told)
  }

  /** Beyond the setting the oldest go to the trash; what somebody named or annotated, or opened from a file, stays. */
  #trashOldest(): void {
    const kept = this.#shelf.list().filter(({ head }) => head.info.trashedAt === null)
    const plain = kept.filter(
      ({ head: { info } }) =>
        info.source === 'own' && info.annotations.length === 0 && info.ended !== null && info.name === plainName(info),
    )
    const tooMany = Math.max(0, kept.length - this.#shelf.settings.runsMax)
    for (const record of tooMany === 0 ? [] : plain.slice(-tooMany))
      this.#save({ ...record, head: { ...record.head, info: { ...record.head.info, trashedAt: Date.now() } } })
  }

  #save(record: RunRecord): void {
    this.#shelf.put(record).catch(told)
    this.#options.onChange()
  }
}

/** The name that a run has as long as nobody gave it another. */
const plainName = ({ scenario, cluster }: RunInfo): string => scenario?.title.en ?? cluster

const verdictOf = (
  scenario: ScenarioRun | null,
  monitors: readonly { readonly name: MonitorName; readonly state: string }[],
  violations: number,
): RunVerdict => {
  if (scenario !== null) return scenario.holds === true ? 'held' : 'failed'
  const isViolated = monitors.some(({ name, state }) => name !== 'progress' && state === 'violated')
  return isViolated || violations > 0 ? 'violated' : 'held'
}

/** Where a run's parts lie: in its cluster, or beside its record. */
export const placeOf = (shelf: RunShelf, record: RunRecord): RunPlace => {
  if (record.place !== null) return { record, ...record.place }
  return { record, ...partsOf(join(shelf.folderOf(record.head.info.id), 'content'), record.head.manifest.replicas.length) }
}
