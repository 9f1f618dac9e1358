/** An open cluster: its members, clients, faults, log and recording, joined; opened and closed as one. */
import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import type { ValidParams } from '../contract/api.ts'
import type { ActiveFault } from '../contract/faults.ts'
import type { PanelEvent } from '../contract/events.ts'
import { keyFileOfReplica } from '../contract/manifest.ts'
import type { CheckpointInfo, ClusterStatus, LoadStatus, LogComparison, ReplicaStatus, ViewInfo } from '../contract/model.ts'
import { faultSentence } from '../contract/fault-sentences.ts'
import { noRecovery, type RecoveryStatus } from '../contract/recovery.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import type { AlarmKey, StageKey } from '../contract/verdicts.ts'
import { faultsTolerated, quorumSize } from '../pbft/protocol/quorum.ts'
import { ClientLinks } from './client/links.ts'
import type { Completed } from './client/session.ts'
import { ClusterModel } from './cluster-model.ts'
import { compareLogs } from './compare-logs.ts'
import { EvidenceBook } from './evidence/book.ts'
import { EvidenceReader } from './evidence/reader.ts'
import { FaultBoard } from './fault-board.ts'
import { openFolder, type OpenedFolder } from './folder.ts'
import { History } from './history.ts'
import type { HostOptions } from './host-interface.ts'
import { Load, noLoad } from './load.ts'
import { LogReader } from './log-reader.ts'
import { Log } from './log.ts'
import { Member, startTimeoutMs } from './member.ts'
import { Messages } from './messages.ts'
import { Alarms } from './model/alarms.ts'
import { Samples } from './model/metrics.ts'
import { joinCheckpoints, joinViews } from './model/past.ts'
import { Recording } from './recording.ts'
import { RemoteRecordings } from './remote-recordings.ts'
import { Recovery } from './recovery.ts'
import { ReplicaActs } from './replica-acts.ts'
import type { Restored } from './recorder/protocol.ts'
import { Requests } from './requests.ts'
import type { MessageParameters } from './sentence.ts'
import { settlePorts } from './settle-ports.ts'
import { Unrecorded } from './unrecorded.ts'

const readMs = 100
const statusMs = 250
const recordMs = 1_000
/** How long opening waits for replicas that run elsewhere, ms. */
const remoteWaitMs = 3_000

export interface ClusterEvents {
  emit(event: PanelEvent): void
  onStage(key: StageKey, parameters: MessageParameters): void
  /** Processes are about to start: from now on `close` of this cluster ends the opening. */
  onOpening(cluster: Cluster): void
  /** Everything of it is written, and the recorder is still there. */
  onEnding(cluster: Cluster): Promise<void>
}

export class Cluster {
  readonly opened: OpenedFolder
  readonly log: Log
  readonly requests: Requests
  readonly messages: Messages
  readonly faults: FaultBoard
  readonly history: History
  readonly samples = new Samples()
  readonly alarms = new Alarms()
  readonly evidence: EvidenceBook
  readonly #options: HostOptions
  readonly #events: ClusterEvents
  readonly #members: readonly Member[]
  readonly #model: ClusterModel
  readonly recording: Recording
  /** When its processes were about to start, ms since the epoch, and the last seq that an earlier run left. */
  readonly began = Date.now()
  readonly journal: string
  #after = 0
  readonly #links: ClientLinks
  readonly #reader: LogReader
  readonly #evidenceReader: EvidenceReader
  readonly #remoteRecordings: RemoteRecordings
  #timers: NodeJS.Timeout[] = []
  #load: Load | null = null
  readonly #acts: ReplicaActs
  #recovery: Recovery | null = null
  #status: ClusterStatus | null = null
  #past: { readonly views: readonly ViewInfo[]; readonly checkpoints: readonly CheckpointInfo[] } = { views: [], checkpoints: [] }
  readonly #unrecorded: Unrecorded
  #secondBegan = Math.floor(Date.now() / 1_000) * 1_000
  #closed: Promise<void> | null = null

  private constructor(opened: OpenedFolder, options: HostOptions, events: ClusterEvents, recording: Recording, journal: string) {
    this.journal = journal
    this.opened = opened
    this.#options = options
    this.#events = events
    this.recording = recording
    this.history = new History(recording)
    this.#acts = new ReplicaActs(recording)
    this.#unrecorded = new Unrecorded(recording)
    this.evidence = new EvidenceBook(opened.directory)
    this.#evidenceReader = new EvidenceReader({
      book: this.evidence,
      onAlarm: (key, parameters) => this.#alarm(key, parameters),
      onEvidence: (evidence) => this.recording.write({ kind: 'evidence', evidence }),
    })
    this.#members = opened.manifest.replicas.map(({ id }) => this.#makeMember(id))
    this.#remoteRecordings = new RemoteRecordings({
      // Where the key of a replica lies, there lies what it writes, whoever has started it.
      members: this.#members.filter(({ id }) => !existsSync(join(opened.folder, keyFileOfReplica(id)))),
      recording,
      folder: `${journal}-recordings`,
      onAlarm: (key, parameters) => this.#alarm(key, parameters),
    })
    this.faults = new FaultBoard({
      members: this.#members,
      onChange: (what, fault) => this.#onFault(what, fault),
      onPaused: (pids) => recording.guard(pids),
    })
    this.#model = new ClusterModel({
      opened,
      members: this.#members,
      faults: this.faults,
      onAlarm: (key, parameters) => this.#alarm(key, parameters),
      onViews: () => {
        this.#unrecorded.noteViews()
        events.emit({ type: 'views' })
      },
      onCheckpoints: () => {
        this.#unrecorded.noteCheckpoints()
        events.emit({ type: 'checkpoints' })
      },
      onForgotten: () => this.#onForgotten(),
    })
    const { ledger, monitors } = this.#model
    const n = this.#members.length
    this.log = new Log({ n, ledger, monitors, recording })
    this.#reader = new LogReader({
      members: this.#members,
      log: this.log,
      durability: opened.manifest.durability,
      lastExecuted: () => ledger.lastExecuted,
      onForgotten: () => this.#onForgotten(),
      onLost: (remembered, recorded) => monitors.lost(remembered, recorded),
      onGrown: () => this.#emitLog(this.log.last),
    })
    this.messages = new Messages({
      recording,
      clusterId: opened.manifest.clusterId,
      n,
      run: () => ({ replicas: this.recordings() }),
      onMore: (last) => events.emit({ type: 'messages', last }),
    })
    this.#links = new ClientLinks({ directory: opened.directory, manifest: opened.manifest, principal: opened.operator })
    this.requests = new Requests({
      links: this.#links,
      n,
      rowsOf: (seq) => ledger.rows(seq),
      onChange: (request, settled) => {
        events.emit({ type: 'request', request })
        if (settled) recording.write({ kind: 'request', request, at: Date.now() })
      },
      onAcknowledged: (client, completed) => this.#onAcknowledged(client, completed),
    })
  }

  /**
   * Opens the cluster of a manifest: starts its local replicas unless they run already, connects to the others. Errors: `bad-manifest`,
   * `unauthorized` (no operator's key), `cluster-in-use`, `cancelled`, `start-failed` (less than a quorum of a local cluster started).
   * Nothing that was started is left after an error.
   */
  static async open(manifestFile: string, options: HostOptions, events: ClusterEvents): Promise<Result<Cluster>> {
    events.onStage('stage.reading', { file: manifestFile })
    const read = openFolder(manifestFile)
    if (!read.ok) return read
    const opened = read.value
    const local = opened.localReplicas.size > 0
    const { clusterId } = opened.manifest
    const file = local ? join(opened.folder, 'journal.sqlite') : join(options.dataFolder, 'journals', `${clusterId}.sqlite`)
    events.onStage('stage.recorder', {})
    let cluster: Cluster | null = null
    const started = await Recording.start({
      launch: options.launch,
      entry: options.entries.recorder,
      logsFolder: options.logsFolder,
      file,
      onLost: (how) => cluster?.onRecorderLost(how),
      onReopened: ({ last }) => cluster?.onRecorderReopened(last),
    })
    if (!started.ok) return started
    const { recording, restored } = started.value
    events.onStage('stage.ports', {})
    const own = dirname(opened.folder) === resolve(options.dataFolder, 'clusters')
    const settled = await settlePorts(opened, own)
    cluster = new Cluster(settled.opened, options, events, recording, file)
    cluster.#restore(restored)
    if (settled.moved !== null) cluster.#alarm('alarm.ports.reassigned', { ports: settled.moved.join(', ') })
    events.onOpening(cluster)
    const up = await cluster.#start()
    if (up.ok && cluster.#closed === null) return ok(cluster)
    await cluster.close()
    return up.ok ? fail('cancelled', 'the cluster was closed while it was being opened') : up
  }

  status(): ClusterStatus {
    this.#status = this.#model.status(Date.now())
    return this.#status
  }

  /** The last seq of the log before this run. */
  get after(): number {
    return this.#after
  }

  /** Where each replica's recording is, and how far its clock is ahead of this one, ms. */
  recordings(): { readonly folder: string; readonly offsetMs: number }[] {
    return this.#members.map((member) => ({
      folder: this.#remoteRecordings.folderOf(member.id) ?? member.recordingFolder,
      offsetMs: member.clock.ms,
    }))
  }

  get #closing(): boolean {
    return this.#closed !== null
  }

  replica(id: number): ReplicaStatus | null {
    return this.status().replicas[id] ?? null
  }

  async compareLogs(after: number, limit: number): Promise<Result<LogComparison>> {
    return ok(await compareLogs(this.#members, after, limit))
  }

  views(): ViewInfo[] {
    return joinViews(this.#past.views, this.#model.views.list())
  }

  checkpoints(limit: number): CheckpointInfo[] {
    return joinCheckpoints(this.#past.checkpoints, this.#model.checkpoints.list(limit)).slice(-limit)
  }

  /** Does one of `replicaActions` and returns the replica's new state. */
  async controlReplica(id: number, action: ValidParams<'controlReplica'>['action']): Promise<Result<ReplicaStatus>> {
    const member = this.#members[id]
    if (member === undefined) return fail('not-found', `there is no r${id}: the cluster has ${this.#members.length} replicas`)
    const done = await this.#acts.perform(member, action)
    this.#tickStatus()
    if (done.ok) return ok(this.replica(id) as ReplicaStatus)
    if (done.error.code === 'start-failed') this.#alarm('alarm.replica.startFailed', { replica: id, message: done.error.message })
    return done
  }

  /**
   * Deletes what all replicas have and starts them with nothing: the only way on when more disks are lost than may be. Errors:
   * `bad-request` when `confirm` is not the cluster's name, `not-local` when some replica does not run here.
   */
  async beginAnew(confirm: string): Promise<Result<ClusterStatus>> {
    const { name } = this.opened.manifest
    if (confirm !== name) return fail('bad-request', `beginAnew deletes everything; to do it, confirm has to be ${name}`)
    const remote = this.#members.find((member) => !member.local)
    if (remote !== undefined) return fail('not-local', `r${remote.id} does not run under this panel, so the cluster cannot begin anew here`)
    this.#load?.stop()
    for (const erased of await Promise.all(this.#members.map((member) => member.erase()))) if (!erased.ok) return erased
    for (const member of this.#members) member.grantGenesis()
    this.#model.forget()
    const started = await Promise.all(this.#members.map((member) => member.start()))
    this.#tickStatus()
    return started.find((result) => !result.ok) ?? ok(this.status())
  }

  /** Error `busy` while a load runs already. */
  startLoad(params: ValidParams<'startLoad'>): Result<LoadStatus> {
    if (this.#load?.running === true) return fail('busy', 'a load runs already: stop it first')
    this.#load = new Load({
      links: this.#links,
      n: this.#members.length,
      params,
      onStatus: (load) => this.#events.emit({ type: 'load', load }),
      onAcknowledged: (client, completed) => this.#onAcknowledged(client, completed),
    })
    return ok(this.#load.status())
  }

  stopLoad(): LoadStatus {
    this.#load?.stop()
    return this.load()
  }

  load(): LoadStatus {
    return this.#load?.status() ?? noLoad
  }

  /** Errors: `busy` while one runs, `not-local` when some replica does not run here, `bad-request` where no replica may be away. */
  startRecovery(params: ValidParams<'startRecovery'>): Result<RecoveryStatus> {
    const n = this.#members.length
    if (this.#recovery?.busy === true) return fail('busy', 'proactive recovery runs already: stop it first')
    const remote = this.#members.find((member) => !member.local)
    if (remote !== undefined) return fail('not-local', `r${remote.id} does not run under this panel, so it cannot be restarted here`)
    if (faultsTolerated(n) === 0) return fail('bad-request', `with n = ${n} no replica may be away, so none can be recovered while it runs`)
    this.#recovery = new Recovery({
      params,
      members: this.#members,
      replicas: () => this.status().replicas,
      faults: () => this.faults.list().length,
      onStatus: (recovery) => {
        this.#events.emit({ type: 'recovery', recovery })
        if (!this.#closing) this.#tickStatus()
      },
      onFailed: (replica, message) => this.#alarm('alarm.recovery.failed', { replica, message }),
    })
    return ok(this.recovery())
  }

  stopRecovery(): RecoveryStatus {
    this.#recovery?.stop()
    return this.recovery()
  }

  recovery(): RecoveryStatus {
    return this.#recovery?.status() ?? noRecovery
  }

  onRecorderLost(how: string): void {
    this.#alarm('alarm.recorder.failed', { message: how })
  }

  /** The journal is open again and holds the log up to `last`; it took the faults in force for those of a run that had ended. */
  onRecorderReopened(last: number): void {
    this.log.rewrite(last)
    for (const fault of this.faults.list()) this.recording.write({ kind: 'band', band: { fault, until: null } })
  }

  /** Stops everything that was started; resolves when no process of it is left. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    if (this.#status !== null) this.history.write(this.status())
    await this.#recovery?.close()
    this.#load?.stop()
    this.requests.close()
    this.#links.close()
    const remote = this.#members.some((member) => !member.local)
    if (remote) await this.faults.healAll()
    this.faults.close()
    await this.#reader.finish(Date.now())
    await this.#remoteRecordings.finish()
    await this.#stopReplicas()
    for (const member of this.#members) member.disconnect()
    this.#record()
    await this.#events.onEnding(this)
    this.#events.onStage('stage.stoppingRecorder', {})
    await this.recording.close()
  }

  async #stopReplicas(): Promise<void> {
    const running = this.#members.filter((member) => member.running)
    let left = running.length
    this.#events.onStage('stage.stopping', { left, total: running.length })
    await Promise.all(
      running.map(async (member) => {
        await member.stop()
        left -= 1
        this.#events.onStage('stage.stopping', { left, total: running.length })
      }),
    )
  }

  #restore(restored: Restored): void {
    this.log.restore(restored.first, restored.last)
    this.#after = restored.last
    this.#past = { views: restored.views, checkpoints: restored.checkpoints }
    this.requests.restore(restored.requests)
    this.alarms.restore(restored.alarms)
    this.evidence.restore(restored.evidence)
    this.samples.restore(restored.samples)
    if (restored.damaged !== null) this.#alarm('alarm.recorder.damaged', { file: restored.damaged })
  }

  /** Starts local replicas, connects to the others, begins to watch. */
  async #start(): Promise<Result<null>> {
    const local = this.#members.filter((member) => member.local)
    for (const member of this.#members) if (!member.local) member.connect()
    this.#timers = [
      setInterval(() => this.#tickLog(), readMs),
      setInterval(() => this.#tickStatus(), statusMs),
      setInterval(() => this.#tickSecond(), recordMs),
    ]
    // Nothing was kept of an earlier run, and all of it ended with the one who opened it.
    if (this.opened.manifest.durability === 'none' && local.length === this.#members.length)
      for (const member of local) member.grantGenesis()
    let count = 0
    if (local.length > 0) this.#events.onStage('stage.starting', { count, total: local.length })
    const results = await Promise.all(
      local.map(async (member) => {
        const result = await member.start()
        count += 1
        this.#events.onStage('stage.starting', { count, total: local.length })
        // Somebody else runs it, though it does not answer (it may be paused).
        if (!result.ok && member.dataInUse) member.becomeRemote()
        else if (!result.ok) this.#alarm('alarm.replica.startFailed', { replica: member.id, message: result.error.message })
        return result
      }),
    )
    const remote = this.#members.filter((member) => !member.local)
    const failure = results.find((result, i) => !result.ok && local[i]?.local === true)
    const running = results.filter((result) => result.ok).length
    if (failure !== undefined && running + remote.length < quorumSize(this.#members.length)) return failure
    await this.#awaitRemote(remote)
    this.#tickStatus()
    return ok(null)
  }

  async #awaitRemote(remote: readonly Member[]): Promise<void> {
    if (remote.length === 0) return
    let count = 0
    this.#events.onStage('stage.connecting', { count, total: remote.length })
    await Promise.all(
      remote.map(async (member) => {
        if (!(await member.reported(remoteWaitMs))) return
        count += 1
        this.#events.onStage('stage.connecting', { count, total: remote.length })
      }),
    )
  }

  #makeMember(id: number): Member {
    const member: Member = new Member({
      opened: this.opened,
      id,
      launch: this.#options.launch,
      entry: this.#options.entries.replica,
      logsFolder: this.#options.logsFolder,
      startGraceMs: this.opened.localReplicas.has(id) ? startTimeoutMs : remoteWaitMs,
      onChange: () => {
        if (this.#status !== null && !this.#closing) this.#tickStatus()
      },
      onUp: () => {
        void member.call({ call: 'observe' })
        void this.faults.memberUp(id)
      },
      onDown: () => {
        if (!this.#closing && !member.ending && (!member.local || member.running)) this.#alarm('alarm.replica.unreachable', { replica: id })
      },
      onRefused: (message) => this.#alarm('alarm.replica.refused', { replica: id, message }),
      onReport: (report) => {
        this.#model.onReport(member, report, Date.now())
        this.#evidenceReader.onReport(member, report)
        if (report.recording.lastAt > 0) this.messages.recorded(report.recording.lastAt - member.clock.ms)
      },
      onObserved: (message) => this.#model.onObserved(member, message, Date.now()),
      onExit: (exit, expected) => {
        this.faults.memberExited(id)
        if (expected || this.#closing || member.dataInUse) return
        const how = exit.signal ?? `code ${exit.code ?? '?'}`
        this.#alarm('alarm.replica.exited', { replica: id, how, message: exit.message ?? '' })
      },
    })
    return member
  }

  #onAcknowledged(client: string, completed: Completed): void {
    this.samples.latency(completed.latencyMs)
    const { seq, timestamp, result } = completed
    this.#model.monitors.acknowledged(seq, { client, timestamp, result: Buffer.from(result).toString('base64') })
  }

  /** The cluster began anew, as it may (durability none): what was seen and recorded is another history. */
  #onForgotten(): void {
    this.log.forget()
    this.#after = 0
    this.#past = { views: [], checkpoints: [] }
    this.#unrecorded.forgetSeqs()
    this.#alarm('alarm.log.begunAnew', {})
    this.#emitLog(1)
    this.#events.emit({ type: 'views' })
    this.#events.emit({ type: 'checkpoints' })
  }

  #onFault(what: 'injected' | 'healed' | 'expired', fault: ActiveFault): void {
    const said = faultSentence(fault.fault)
    this.recording.write({ kind: 'fault', fault: { id: fault.id, what, ...said, at: Date.now() } })
    this.recording.write({ kind: 'band', band: { fault, until: what === 'injected' ? null : Date.now() } })
    this.#alarm(`alarm.fault.${what}`, { ...said.parameters, because: said.key })
    if (!this.#closing) this.#tickStatus()
  }

  #alarm(key: AlarmKey, parameters: MessageParameters): void {
    const alarm = this.alarms.raise(key, parameters, Date.now())
    if (alarm === null) return
    this.#events.emit({ type: 'alarm', alarm })
    this.recording.write({ kind: 'alarm', alarm })
  }

  #tickLog(): void {
    const dirty = this.#model.ledger.takeDirty()
    this.#unrecorded.noteSeqs(dirty)
    const [changedFrom] = dirty
    if (changedFrom !== undefined) this.#emitLog(changedFrom)
    void this.#reader.tick(Date.now())
    this.requests.tick(Date.now())
  }

  #emitLog(changedFrom: number): void {
    const { first, last } = this.log
    this.#events.emit({ type: 'log', first, last, changedFrom })
  }

  #tickStatus(): void {
    const before = this.#status
    const status = this.status()
    for (const replica of status.replicas) this.#watchState(replica, before?.replicas[replica.id] ?? null)
    for (const monitor of status.monitors) {
      if (monitor.state !== 'violated' || monitor.name === 'progress') continue
      if (before?.monitors.find(({ name }) => name === monitor.name)?.state === 'violated') continue
      this.#alarm('alarm.monitor.violated', { ...monitor.parameters, monitor: monitor.name, because: monitor.key })
    }
    this.history.take(status)
    this.#remoteRecordings.tick()
    this.#events.emit({ type: 'status', status })
    this.messages.tick()
  }

  #watchState(now: ReplicaStatus, before: ReplicaStatus | null): void {
    if (before === null || before.state === now.state) return
    if (now.state === 'stale') this.#alarm('alarm.replica.stale', { replica: now.id })
    const wasAway = before.state === 'stale' || before.state === 'unreachable'
    if (now.state === 'live' && wasAway) this.#alarm('alarm.replica.back', { replica: now.id })
  }

  #tickSecond(): void {
    const second = Math.floor(Date.now() / 1_000) * 1_000
    if (second > this.#secondBegan) {
      const sample = this.samples.close(
        this.#secondBegan,
        this.#model.requestsExecuted,
        this.#status?.view ?? null,
        this.faults.list().length,
      )
      this.#secondBegan = second
      this.#events.emit({ type: 'sample', sample })
      this.recording.write({ kind: 'sample', sample })
    }
    this.#record()
  }

  #record(): void {
    const { ledger } = this.#model
    this.#unrecorded.write({ ledger, views: () => this.views(), checkpoints: (limit) => this.checkpoints(limit) })
  }
}
