/** One replica as the host deals with it: its process when it is local, its control link, its last report. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { dataInUse, type ControlMessage, type ReplicaReport } from '../contract/control.ts'
import type { TransportFaults } from '../contract/faults.ts'
import { recordingFolder } from '../contract/manifest.ts'
import type { ReplicaStatus } from '../contract/model.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { ControlLink, type ControlAnswer, type ControlRequest } from './control-link.ts'
import { grantGenesis, type OpenedFolder } from './folder.ts'
import type { Launch } from './launch.ts'
import { ClockOffset } from './model/clock.ts'
import { Rate } from './model/metrics.ts'
import { replicaStateOf } from './model/replica-state.ts'
import { ReplicaProcess, type ProcessExit } from './replica-process.ts'

/** How long a replica may take from its start to its first report, ms. */
export const startTimeoutMs = 20_000

export interface MemberOptions {
  readonly opened: OpenedFolder
  readonly id: number
  readonly launch: Launch
  readonly entry: string
  readonly logsFolder: string
  /** How long a replica that was never heard of counts as starting, ms. */
  readonly startGraceMs: number
  /** Anything that may show changed. */
  onChange(): void
  onUp(): void
  onDown(detail: string): void
  onRefused(detail: string): void
  onReport(report: ReplicaReport): void
  onObserved(message: Extract<ControlMessage, { type: 'observed' }>): void
  onExit(exit: ProcessExit, expected: boolean): void
}

export class Member {
  readonly id: number
  readonly clock = new ClockOffset()
  /** Set by whoever compares digests and injects faults. */
  diverged = false
  isolated = false
  faulty = false
  /** Set while it is recovered on purpose. */
  recovering = false
  readonly #options: MemberOptions
  #process: ReplicaProcess | null
  #control: ControlLink | null = null
  #report: ReplicaReport | null = null
  #reportedAt: number | null = null
  #heardAt: number | null = null
  #startedAt = 0
  #malformed = 0
  readonly #requests = new Rate()
  readonly #batches = new Rate()
  #waiters: (() => void)[] = []

  constructor(options: MemberOptions) {
    this.#options = options
    this.id = options.id
    this.#process = options.opened.localReplicas.has(options.id) ? this.#makeProcess() : null
  }

  /** Started and ended by this host. */
  get local(): boolean {
    return this.#process !== null
  }

  get pid(): number | null {
    return this.#process?.pid ?? null
  }

  get running(): boolean {
    return this.#process?.running ?? false
  }

  /** Told to end by this host. */
  get ending(): boolean {
    return this.#process?.ending ?? false
  }

  /** Its process ended since another one has its data. */
  get dataInUse(): boolean {
    return this.#process?.lastExit?.message?.includes(dataInUse) ?? false
  }

  get paused(): boolean {
    return this.#process?.paused ?? false
  }

  get up(): boolean {
    return this.#control?.up ?? false
  }

  get report(): ReplicaReport | null {
    return this.#report
  }

  /** Begins to dial; goes on by itself until `disconnect`. */
  connect(): void {
    this.#startedAt = Date.now()
    this.#control ??= new ControlLink({
      directory: this.#options.opened.directory,
      operator: this.#options.opened.operator,
      member: this.#manifestMember(),
      onUp: () => {
        this.#options.onUp()
        this.#changed()
      },
      onDown: (detail) => {
        this.#options.onDown(detail)
        this.#changed()
      },
      onFailed: (detail, refused) => {
        if (refused) this.#options.onRefused(detail)
      },
      onReport: (message) => {
        if (message.type === 'status') this.#onReport(message.report)
        else this.#options.onObserved(message)
      },
      onMalformed: () => {
        this.#malformed += 1
      },
    })
  }

  /** Leaves it to whoever runs it, and connects to it. Only while no process of it runs here. */
  becomeRemote(): void {
    if (this.running) throw new Error(`r${this.id} runs here`)
    this.#process = null
    this.connect()
    this.#changed()
  }

  disconnect(): void {
    this.#control?.close()
    this.#control = null
  }

  call(request: ControlRequest): Promise<Result<ControlAnswer>> {
    return this.#control?.call(request) ?? Promise.resolve(fail('replica-unavailable', `there is no control link to r${this.id}`))
  }

  setFaults(faults: TransportFaults): Promise<Result<ControlAnswer>> {
    return this.call({ call: 'faults', faults })
  }

  /** Starts the process and waits for its first report. Errors: `not-local`, `start-failed` with its last log line. */
  async start(): Promise<Result<null>> {
    if (this.#process === null) return this.#notLocal('started')
    if (this.#process.running) return ok(null)
    this.#startedAt = Date.now()
    this.#report = null
    this.#reportedAt = null
    const made = await this.#process.start()
    if (!made.ok) return made
    this.connect()
    this.#changed()
    await this.#until(() => this.#reportedAt !== null || !this.running, startTimeoutMs)
    if (this.#reportedAt !== null && this.running) return ok(null)
    if (this.running)
      return fail('start-failed', `r${this.id} runs but did not report within ${startTimeoutMs / 1_000} s`, { replica: this.id })
    const exit = this.#process.lastExit
    const how = exit?.signal ?? `code ${exit?.code ?? '?'}`
    const last = exit?.message ?? ''
    return fail('start-failed', `r${this.id} ended at its start (${how}): ${last === '' ? 'it wrote no log' : last}`, {
      replica: this.id,
      code: exit?.code ?? null,
      lastLine: last,
    })
  }

  async stop(): Promise<Result<null>> {
    if (this.#process === null) return this.#notLocal('stopped')
    await this.#process.stop(() => this.call({ call: 'stop' }))
    return ok(null)
  }

  async kill(): Promise<Result<null>> {
    if (this.#process === null) return this.#notLocal('killed')
    await this.#process.kill()
    return ok(null)
  }

  /** Where it records its runs. */
  get recordingFolder(): string {
    return join(dataFolderOf(this.#options.opened, this.id), recordingFolder)
  }

  /** Stops it, deletes everything that it has on disk, and starts it again. */
  async wipe(): Promise<Result<null>> {
    const erased = await this.erase()
    return erased.ok ? this.start() : erased
  }

  /** Stops it and deletes everything that it has on disk. */
  async erase(): Promise<Result<null>> {
    const stopped = await this.stop()
    if (!stopped.ok) return stopped
    await wipeData(dataFolderOf(this.#options.opened, this.id))
    return ok(null)
  }

  /** Lets it begin with nothing at its next start. */
  grantGenesis(): void {
    grantGenesis(this.#options.opened.folder, this.id)
  }

  pause(): Result<null> {
    if (this.#process === null) return this.#notLocal('paused')
    if (!this.#process.running) return fail('replica-unavailable', `r${this.id} does not run, so it cannot be paused: start it first`)
    this.#process.pause()
    this.#changed()
    return ok(null)
  }

  resume(): void {
    this.#process?.resume()
    this.#changed()
  }

  /** Resolves when the first report has come, or after `timeoutMs`. */
  async reported(timeoutMs: number): Promise<boolean> {
    await this.#until(() => this.#reportedAt !== null, timeoutMs)
    return this.#reportedAt !== null
  }

  /** `expected`: the seq that a replica in step has executed by now. Who is primary is not this one's to say. */
  status(nowMs: number, expected: number): Omit<ReplicaStatus, 'isPrimary'> {
    const report = this.#report
    const member = this.#manifestMember()
    const facts = {
      local: this.local,
      recovering: this.recovering,
      running: this.running,
      paused: this.paused,
      // Another panel may have done it.
      isolated: this.isolated || (report?.faults.clientsCut ?? false),
      faulty: this.faulty || (report !== null && report.faults.byzantine !== null),
      diverged: this.diverged,
      linkUp: this.up,
      reportedAt: this.#reportedAt,
      transferring: report?.transferring ?? false,
      onProbation: report !== null && report.probation !== null,
      behind: report !== null && report.lastExecuted < expected,
      starting: nowMs - this.#startedAt < this.#options.startGraceMs,
    }
    const batches = this.#batches.growth
    return {
      id: this.id,
      state: replicaStateOf(facts, nowMs),
      local: this.local,
      pid: this.local ? this.pid : (report?.pid ?? null),
      host: member.host,
      port: member.port,
      publicKey: member.publicKey,
      heardAt: this.#heardAt,
      allowsFaults: report?.allowsFaults ?? false,
      view: report?.view ?? null,
      active: report?.active ?? false,
      lastExecuted: report?.lastExecuted ?? null,
      lowWatermark: report?.lowWatermark ?? null,
      highWatermark: report?.highWatermark ?? null,
      stateDigest: report?.stateDigest ?? null,
      stateDigestSeq: report?.stateDigestSeq ?? null,
      pending: report?.pending ?? 0,
      inFlight: report?.inFlight ?? 0,
      viewTimeoutMs: report?.viewTimeoutMs ?? null,
      viewTimerLeftMs: report?.viewTimerLeftMs ?? null,
      probation: report?.probation ?? null,
      transfer: report?.transfer ?? null,
      peersHeard: report?.peersHeard ?? [],
      clients: report?.clients ?? 0,
      requestsPerSecond: this.#requests.perSecond(nowMs),
      batchSizeMean: batches === 0 ? 0 : this.#requests.growth / batches,
      cpu: report?.cpu ?? 0,
      memoryBytes: report?.memoryBytes ?? 0,
      diskBytes: report?.diskBytes ?? 0,
      clockOffsetMs: this.clock.ms,
      eventsDropped: report?.eventsDropped ?? 0,
      rejections: this.#malformed === 0 ? (report?.rejections ?? {}) : { ...report?.rejections, 'control-malformed': this.#malformed },
      exit: this.#process?.lastExit ?? null,
    }
  }

  /** Linked to a quorum, active in its view, its state whole and as of `executed` or later. */
  isServing(executed: number, quorum: number): boolean {
    const report = this.#report
    if (report === null || !this.running || !this.up || !report.active) return false
    const isWhole = !report.transferring && report.probation === null && report.damage?.repaired !== false
    return isWhole && report.lastExecuted >= executed && report.peersHeard.length >= quorum - 1
  }

  #onReport(report: ReplicaReport): void {
    const nowMs = Date.now()
    this.clock.observe(report.at, nowMs)
    this.#report = report
    this.#reportedAt = nowMs
    this.#heardAt = nowMs
    this.#requests.observe(report.requestsExecuted, nowMs)
    this.#batches.observe(report.batchesExecuted, nowMs)
    this.#options.onReport(report)
    this.#wake()
  }

  #changed(): void {
    this.#options.onChange()
    this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiters.splice(0)) wake()
  }

  /** Waits until `condition` holds, looked at whenever something happened here; at most `timeoutMs`. */
  async #until(condition: () => boolean, timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while (!condition() && Date.now() < deadline) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, deadline - Date.now())
        this.#waiters.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  #notLocal(what: string): Result<never> {
    return fail('not-local', `r${this.id} does not run under this panel, so it cannot be ${what} here`, { replica: this.id })
  }

  #manifestMember(): OpenedFolder['manifest']['replicas'][number] {
    const member = this.#options.opened.manifest.replicas[this.id]
    if (member === undefined) throw new Error(`no replica ${this.id} in the manifest`)
    return member
  }

  #makeProcess(): ReplicaProcess {
    const { opened, launch, entry, logsFolder } = this.#options
    return new ReplicaProcess({
      launch,
      entry,
      args: ['--cluster', opened.file, '--id', String(this.id), '--data', dataFolderOf(opened, this.id), '--allow-faults'],
      logFile: join(logsFolder, `replica-${this.id}.log`),
      onExit: (exit, expected) => {
        this.#options.onExit(exit, expected)
        this.#changed()
      },
    })
  }
}

/** Where a local replica keeps its log and state. */
const dataFolderOf = (opened: OpenedFolder, id: number): string => join(opened.folder, 'data', `replica-${id}`)

/** Everything but what the replica recorded: those who look at the run want to see what came before. */
const wipeData = async (folder: string): Promise<void> => {
  const names = await readdir(folder).catch(() => [])
  await Promise.all(
    names.filter((name) => name !== recordingFolder).map((name) => rm(join(folder, name), { recursive: true, force: true })),
  )
}
