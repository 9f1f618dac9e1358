/** The cluster host: every call of the contract, validated and carried out; one cluster open at a time. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { methods, paramsSchemas, type Method, type ResultOf, type ValidParams } from '../contract/api.ts'
import type { ClusterStatus, ClusterSummary, HostState, ReplicaStatus } from '../contract/model.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import type { RunInfo } from '../contract/runs.ts'
import type { ScenarioRun } from '../contract/scenarios.ts'
import { stageSentences, type StageKey } from '../contract/verdicts.ts'
import { loadManifest } from '../link/index.ts'
import { Cluster } from './cluster.ts'
import { writeDiagnostics } from './diagnostics.ts'
import { createClusterFolder, manifestName, openFolder } from './folder.ts'
import { evidenceDetail } from './evidence/detail.ts'
import { exportEvidence } from './evidence/file.ts'
import type { Host, HostOptions } from './host-interface.ts'
import { EventStream } from './model/event-stream.ts'
import { PastRun } from './past-run.ts'
import { RunDesk } from './runs/desk.ts'
import { Runs } from './runs/runs.ts'
import { RunShelf } from './runs/shelf.ts'
import { Transfers } from './runs/transfers.ts'
import { ScenarioBoard } from './scenario/board.ts'
import { fillSentence, type MessageParameters } from './sentence.ts'
import { storageError } from './storage-error.ts'

/** Makes a host with nothing open. Nothing is started before a cluster is opened. */
export const createHost = (options: HostOptions): Host => new ClusterHost(options)

type RunMethod =
  | ('runs' | 'renameRun' | 'annotations' | 'annotate' | 'removeAnnotation' | 'trashRun' | 'restoreRun' | 'emptyTrash' | 'openRun')
  | ('openSampleRun' | 'exportRun' | 'exportPart' | 'beginImport' | 'importPart' | 'endImport' | 'cancelImport' | 'compareRuns')
  | 'setRecording'
type Handlers = { readonly [M in Method]: (params: ValidParams<M>) => Promise<Result<ResultOf<M>>> | Result<ResultOf<M>> }

const closedState: HostState = { phase: 'closed', cluster: null, stage: null, error: null, run: null }

class ClusterHost implements Host {
  readonly #options: HostOptions
  readonly #stream = new EventStream()
  readonly #handlers: Handlers
  readonly #scenarios: ScenarioBoard
  readonly #shelf: RunShelf
  readonly #runs: Runs
  readonly #transfers: Transfers
  #state: HostState = closedState
  #cluster: Cluster | null = null
  /** The cluster that is being closed, and its last status with live replicas. */
  #ending: { readonly cluster: Cluster; readonly status: ClusterStatus } | null = null
  /** A recorded run that is looked at; then no cluster is open. */
  #past: PastRun | null = null
  /** The cluster that is being opened, while that can be cancelled by closing it. */
  #opening: Cluster | null = null
  /** The opening or closing that is under way. */
  #transition: Promise<unknown> = Promise.resolve()

  constructor(options: HostOptions) {
    this.#options = options
    this.#scenarios = new ScenarioBoard({
      host: this,
      folders: options,
      onChange: (run) => {
        this.#stream.emit({ type: 'scenario', run })
        void this.#runs.takeScenario(run)
      },
    })
    this.#shelf = new RunShelf(options.dataFolder)
    const desk = new RunDesk(options, () => (this.#cluster ?? this.#ending?.cluster ?? this.#past)?.recording ?? null)
    this.#runs = new Runs({
      shelf: this.#shelf,
      desk,
      version: options.version,
      onChange: () => this.#stream.emit({ type: 'runs' }),
    })
    this.#transfers = new Transfers({ shelf: this.#shelf, desk, runs: this.#runs })
    this.#handlers = this.#makeHandlers()
  }

  async call<M extends Method>(method: M, params: unknown): Promise<Result<ResultOf<M>>> {
    if (!methods.includes(method))
      return fail('bad-request', `there is no call '${String(method).slice(0, 64)}'`, [{ path: 'method', message: 'unknown' }])
    const parsed = v.safeParse(paramsSchemas[method], params ?? {})
    if (!parsed.success) {
      const details = parsed.issues.slice(0, 20).map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message }))
      const [first] = details
      return fail('bad-request', `${method}: ${first?.path === '' ? '' : `${first?.path}: `}${first?.message}`, details)
    }
    try {
      return await this.#handlers[method](parsed.output as ValidParams<M>)
    } catch (error) {
      const storage = storageError(error)
      if (storage !== null) return storage
      process.stderr.write(
        `${new Date().toISOString()} ${method}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      )
      return fail('internal', `${method} failed for a reason that is a defect of this program; the log has it`)
    }
  }

  subscribe(...args: Parameters<Host['subscribe']>): () => void {
    return this.#stream.subscribe(...args)
  }

  importFile(file: string): Promise<Result<RunInfo>> {
    return this.#transfers.import(file)
  }

  takeScenario(run: ScenarioRun): Promise<void> {
    return this.#runs.takeScenario(run)
  }

  async close(): Promise<void> {
    await this.#opening?.close()
    await this.#exclusively(() => this.#closeCluster())
    await this.#shelf.settled()
    this.#stream.close()
  }

  #makeHandlers(): Handlers {
    return {
      about: () => ok(this.#about()),
      diagnostics: () => writeDiagnostics({ about: this.#about(), cluster: this.#cluster, now: Date.now() }),
      host: () => ok(this.#state),
      clusters: () => ok(this.#clusters()),
      createCluster: (params) => this.#createCluster(params),
      openCluster: (params) => this.#exclusively(() => this.#openCluster(params)),
      closeCluster: async () => {
        await this.#opening?.close()
        return this.#exclusively(() => this.#closeCluster())
      },
      status: () => this.#look((cluster) => ok(cluster.status())),
      replica: ({ id }) => this.#look((cluster) => found(cluster.replica(id), id)),
      log: ({ after, limit, filter, asOf }) => this.#look((cluster) => cluster.log.page(after, limit, filter ?? {}, asOf ?? null)),
      compareLogs: ({ after, limit }) => this.#look((cluster) => cluster.compareLogs(after, limit)),
      logEntry: ({ seq, asOf }) => this.#look((cluster) => cluster.log.entry(seq, asOf ?? null)),
      views: () => this.#look((cluster) => ok(cluster.views())),
      checkpoints: ({ limit }) => this.#look((cluster) => ok(cluster.checkpoints(limit))),
      samples: ({ since }) => this.#look((cluster) => ok(cluster.samples.since(since))),
      timeline: (params) => this.#look((cluster) => cluster.history.timeline(params)),
      moment: ({ at }) => this.#look((cluster) => cluster.history.moment(at)),
      alarms: () => this.#look((cluster) => ok(cluster.alarms.list())),
      evidence: () => this.#look((cluster) => ok(cluster.evidence.list())),
      evidenceDetail: ({ id }) => this.#look((cluster) => evidenceDetail(cluster.evidence, id, cluster.opened.manifest)),
      exportEvidence: ({ id }) => this.#look((cluster) => exportEvidence(cluster.evidence, id, cluster.opened.manifest)),
      faults: () => this.#look((cluster) => ok(cluster.faults.list())),
      injectFault: ({ fault }) => this.#with((cluster) => cluster.faults.inject(fault)),
      healFault: ({ id }) => this.#with((cluster) => cluster.faults.heal(id)),
      healAll: () =>
        this.#with(async (cluster) => {
          await cluster.faults.healAll()
          return ok(null)
        }),
      beginAnew: ({ confirm }) => this.#with((cluster) => cluster.beginAnew(confirm)),
      controlReplica: ({ id, action }) => this.#with((cluster) => cluster.controlReplica(id, action)),
      submit: (params) => this.#with((cluster) => cluster.requests.submit(params)),
      cancelRequest: ({ id }) => this.#with((cluster) => cluster.requests.cancel(id)),
      requests: ({ limit }) => this.#look((cluster) => ok(cluster.requests.list(limit))),
      startLoad: (params) => this.#with((cluster) => cluster.startLoad(params)),
      startRecovery: (params) => this.#with((cluster) => cluster.startRecovery(params)),
      stopRecovery: () => this.#with((cluster) => ok(cluster.stopRecovery())),
      recovery: () => this.#with((cluster) => ok(cluster.recovery())),
      stopLoad: () => this.#with((cluster) => ok(cluster.stopLoad())),
      load: () => this.#look((cluster) => ok(cluster.load())),
      messages: (params) => this.#look((cluster) => cluster.messages.page(params)),
      messagesOverview: (params) => this.#look((cluster) => cluster.messages.overview(params)),
      message: ({ id }) => this.#look((cluster) => cluster.messages.message(id)),
      recordedProcesses: () => this.#look((cluster) => cluster.messages.processes()),
      openReplay: (params) => this.#look((cluster) => cluster.messages.openReplay(params)),
      replay: (params) => this.#look((cluster) => cluster.messages.replay(params)),
      closeReplay: (params) => this.#look((cluster) => cluster.messages.closeReplay(params)),
      scenarios: () => ok(this.#scenarios.list()),
      startScenario: (params) => this.#with((cluster) => this.#scenarios.start(params, cluster.status().n)),
      advanceScenario: () => this.#with(() => this.#scenarios.advance()),
      stopScenario: () => this.#with(() => this.#scenarios.stop()),
      scenario: () => ok(this.#past?.scenario ?? this.#scenarios.run),
      ...this.#makeRunHandlers(),
    }
  }

  #makeRunHandlers(): Pick<Handlers, RunMethod> {
    return {
      runs: async () => ok(await this.#runs.list()),
      renameRun: ({ id, name }) => this.#runs.rename(id, name),
      annotations: () => this.#runs.annotations(),
      annotate: (params) => this.#runs.annotate(params),
      removeAnnotation: (params) => this.#runs.removeAnnotation(params),
      trashRun: ({ id }) => this.#runs.trash(id, Date.now()),
      restoreRun: ({ id }) => this.#runs.restore(id),
      emptyTrash: async () => ok(await this.#runs.emptyTrash()),
      openRun: ({ id }) => this.#exclusively(() => this.#openRun(id)),
      openSampleRun: () => this.#transfers.import(this.#options.sampleRun),
      exportRun: (params) => this.#transfers.export(params),
      exportPart: (params) => this.#transfers.part(params),
      beginImport: (params) => this.#transfers.begin(params),
      importPart: (params) => this.#transfers.take(params),
      endImport: (params) => this.#transfers.end(params),
      cancelImport: (params) => this.#transfers.cancel(params),
      compareRuns: ({ first, second }) => this.#runs.compare(first, second),
      setRecording: async ({ settings }) => {
        await this.#runs.set(settings)
        return ok(await this.#runs.list())
      },
    }
  }

  /** What can be looked at of a cluster and of a recorded run. */
  #look<T>(look: (shown: Cluster | PastRun) => Promise<Result<T>> | Result<T>): Promise<Result<T>> | Result<T> {
    return this.#past === null ? this.#with(look) : look(this.#past)
  }

  #with<T>(run: (cluster: Cluster) => Promise<Result<T>> | Result<T>): Promise<Result<T>> | Result<T> {
    if (this.#past !== null) return fail('unsupported', 'This is a recorded run: it can be looked at, and nothing can be done to it.')
    return this.#cluster === null ? fail('no-cluster', 'No cluster is open: create or open one first.') : run(this.#cluster)
  }

  /** Opening and closing go one after another. */
  #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const next = this.#transition.then(run, run)
    this.#transition = next.catch(() => undefined)
    return next
  }

  async #createCluster(params: ValidParams<'createCluster'>): Promise<Result<ClusterSummary>> {
    const folder = this.#folderOf(params.name)
    const made = await createClusterFolder(folder, params)
    if (!made.ok) return made
    const { name, replicas, created } = made.value
    return ok({ name, folder, replicas: replicas.length, created, open: false })
  }

  async #openCluster(params: ValidParams<'openCluster'>): Promise<Result<ClusterStatus>> {
    const { name, file } = params
    if ((name === undefined) === (file === undefined)) {
      return fail('bad-request', 'openCluster: give either a name or a file', [{ path: 'name', message: 'either name or file' }])
    }
    const manifestFile = file ?? join(this.#folderOf(name ?? ''), manifestName)
    if (name !== undefined && !existsSync(manifestFile))
      return fail('not-found', `There is no cluster ${name} in ${this.#options.dataFolder}.`)
    // What cannot be opened leaves alone what is open.
    const usable = openFolder(manifestFile)
    if (!usable.ok && this.#cluster !== null) return usable
    await this.#closeCluster()
    this.#setState({ phase: 'opening', cluster: name ?? manifestFile, stage: null, error: null, run: null })
    const opened = await this.#tryOpen(manifestFile)
    if (!opened.ok) {
      this.#setState({ ...closedState, error: { code: opened.error.code, message: opened.error.message } })
      return opened
    }
    this.#cluster = opened.value
    this.#beginRun(opened.value)
    this.#setState({ phase: 'open', cluster: opened.value.opened.manifest.name, stage: null, error: null, run: null })
    // Whoever shows another cluster has to ask for everything again.
    this.#stream.emit({ type: 'reset' })
    return ok(opened.value.status())
  }

  async #tryOpen(manifestFile: string): Promise<Result<Cluster>> {
    try {
      return await Cluster.open(manifestFile, this.#options, {
        emit: (event) => this.#stream.emit(event),
        onStage: (key, parameters) => this.#setStage(key, parameters),
        onOpening: (cluster) => {
          this.#opening = cluster
        },
        onEnding: async (cluster) => {
          if (this.#ending?.cluster === cluster) await this.#runs.end(this.#ending.status)
        },
      })
    } catch (error) {
      this.#setState({ ...closedState, error: { code: 'internal', message: 'the cluster could not be opened' } })
      throw error
    } finally {
      this.#opening = null
    }
  }

  async #closeCluster(): Promise<Result<null>> {
    await this.#closeRun()
    const cluster = this.#cluster
    if (cluster === null) return ok(null)
    this.#ending = { cluster, status: cluster.status() }
    this.#cluster = null
    this.#setState({ ...this.#state, phase: 'closing' })
    // Its requests end with the cluster.
    const scenarioEnded = this.#scenarios.close()
    await cluster.close()
    await scenarioEnded
    this.#ending = null
    this.#setState(closedState)
    return ok(null)
  }

  #beginRun(cluster: Cluster): void {
    const { opened, journal } = cluster
    const run = {
      manifest: opened.manifest,
      journal,
      after: cluster.after,
      recordings: () => cluster.recordings(),
      get last() {
        return cluster.log.last
      },
      status: () => cluster.status(),
    }
    this.#runs.begin(run, cluster.began)
  }

  /** Shows a recorded run. One of this panel is looked at in a copy, made by way of its file, so that it has exactly what the file would have. */
  async #openRun(id: string): Promise<Result<ClusterStatus>> {
    const copied = await this.#transfers.copyForLooking(id)
    if (!copied.ok) return copied
    await this.#closeCluster()
    this.#setState({ phase: 'opening', cluster: copied.value.record.head.info.name, stage: null, error: null, run: null })
    const opened = await PastRun.open(copied.value, this.#shelf.folderOf(id), this.#options)
    if (!opened.ok) {
      this.#setState({ ...closedState, error: { code: opened.error.code, message: opened.error.message } })
      return opened
    }
    this.#past = opened.value
    this.#runs.setOpened(id)
    this.#setState({ phase: 'open', cluster: opened.value.info.name, stage: null, error: null, run: id })
    this.#stream.emit({ type: 'reset' })
    return ok(opened.value.status())
  }

  async #closeRun(): Promise<void> {
    const past = this.#past
    if (past === null) return
    this.#past = null
    this.#runs.setOpened(null)
    this.#setState({ ...this.#state, phase: 'closing' })
    await past.close()
    this.#setState(closedState)
  }

  #setStage(key: StageKey, parameters: MessageParameters): void {
    this.#setState({ ...this.#state, stage: { key, parameters, sentence: fillSentence(stageSentences[key], parameters) } })
  }

  #setState(state: HostState): void {
    this.#state = state
    this.#stream.emit({ type: 'host', host: state })
  }

  #about(): ResultOf<'about'> {
    const { version, shell, dataFolder, logsFolder, locale } = this.#options
    const versions: Record<string, string> = { node: process.versions.node, v8: process.versions.v8 }
    const { electron, chrome } = process.versions as { readonly electron?: string; readonly chrome?: string }
    if (electron !== undefined) versions.electron = electron
    if (chrome !== undefined) versions.chrome = chrome
    return { version, shell, versions, dataFolder, logsFolder, locale }
  }

  /** Clusters in the data folder; a broken manifest is left out, opening it says what is wrong. */
  #clusters(): ClusterSummary[] {
    const folder = join(this.#options.dataFolder, 'clusters')
    if (!existsSync(folder)) return []
    const open = this.#cluster?.opened.folder
    return readdirSync(folder)
      .sort()
      .flatMap((name) => {
        const manifest = loadManifest(join(folder, name, manifestName))
        if (!manifest.ok) return []
        const { replicas, created } = manifest.value
        return [{ name, folder: join(folder, name), replicas: replicas.length, created, open: open === join(folder, name) }]
      })
  }

  #folderOf(name: string): string {
    return join(this.#options.dataFolder, 'clusters', name)
  }
}

const found = (replica: ReplicaStatus | null, id: number): Result<ReplicaStatus> =>
  replica === null ? fail('not-found', `there is no r${id}`) : ok(replica)
