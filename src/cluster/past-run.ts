/** A recorded run as the screens look at it: the same calls as of an open cluster, answered from what was recorded. Nothing can be done to it. */
import type { ActiveFault } from '../contract/faults.ts'
import type { CheckpointInfo, ClusterStatus, LoadStatus, LogComparison, ReplicaStatus, RequestInfo, ViewInfo } from '../contract/model.ts'
import type { Manifest } from '../contract/manifest.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import type { RunInfo } from '../contract/runs.ts'
import type { ScenarioRun } from '../contract/scenarios.ts'
import { verdictSentences } from '../contract/verdicts.ts'
import { directoryOf } from '../link/index.ts'
import { quorumSize } from '../pbft/protocol/quorum.ts'
import { EvidenceBook } from './evidence/book.ts'
import { History } from './history.ts'
import type { HostOptions } from './host-interface.ts'
import { noLoad } from './load.ts'
import { Log } from './log.ts'
import { Messages } from './messages.ts'
import { Alarms } from './model/alarms.ts'
import { Ledger } from './model/ledger.ts'
import { Samples } from './model/metrics.ts'
import { Monitors } from './monitors.ts'
import { Recording } from './recording.ts'
import type { Restored, RunPlace } from './recorder/protocol.ts'
import { fillSentence } from './sentence.ts'

export class PastRun {
  readonly recording: Recording
  readonly log: Log
  readonly messages: Messages
  readonly history: History
  readonly samples = new Samples()
  readonly alarms = new Alarms()
  readonly evidence: EvidenceBook
  readonly faults = { list: (): ActiveFault[] => [] }
  readonly requests: { list(limit: number): RequestInfo[] }
  readonly opened: { readonly manifest: Manifest; readonly folder: string }
  readonly #place: RunPlace
  readonly #restored: Restored

  private constructor(place: RunPlace, folder: string, recording: Recording, restored: Restored) {
    const { manifest, offsets } = place.record.head
    const n = manifest.replicas.length
    this.#place = place
    this.#restored = restored
    this.recording = recording
    this.history = new History(recording)
    this.opened = { manifest, folder }
    this.log = new Log({ n, ledger: new Ledger(n), monitors: new Monitors(), recording })
    this.log.restore(restored.first, restored.last)
    this.messages = new Messages({
      recording,
      clusterId: manifest.clusterId,
      n,
      run: () => ({ replicas: place.replicas.map((replica, id) => ({ folder: replica, offsetMs: offsets[id] ?? 0 })) }),
      onMore: () => undefined,
    })
    this.samples.restore(restored.samples)
    this.alarms.restore(restored.alarms)
    this.requests = { list: (limit) => restored.requests.slice(-limit) }
    this.evidence = new EvidenceBook(directoryOf(manifest))
    // A file says what it likes: what is shown as evidence is judged again.
    for (const { at, seenBy, ...pair } of restored.evidence) for (const by of seenBy) this.evidence.add(by, { ...pair, at }, at)
  }

  /** Starts a recorder on the run's journal. `place` is of a run that was unpacked into a folder. Errors: those of `Recording.start`. */
  static async open(place: RunPlace, folder: string, options: HostOptions): Promise<Result<PastRun>> {
    const { launch, entries, logsFolder } = options
    const started = await Recording.start({
      launch,
      logsFolder,
      entry: entries.recorder,
      file: place.journal,
      whole: true,
      onLost: () => undefined,
      onReopened: () => undefined,
    })
    return started.ok ? ok(new PastRun(place, folder, started.value.recording, started.value.restored)) : started
  }

  get scenario(): ScenarioRun | null {
    return this.#place.record.head.scenario
  }

  get info(): RunInfo {
    return this.#place.record.head.info
  }

  status(): ClusterStatus {
    const { manifest } = this.opened
    const { info } = this
    const n = manifest.replicas.length
    const at = info.ended ?? info.began
    const view = this.#restored.samples.at(-1)?.view ?? null
    const parameters = { n, count: info.figures.requests, seconds: ((at - info.began) / 1_000).toFixed(1) }
    return {
      name: info.name,
      clusterId: manifest.clusterId,
      folder: this.opened.folder,
      durability: manifest.durability,
      authentication: manifest.authentication,
      parameters: manifest.parameters,
      verdict: {
        state: 'stopped',
        key: 'verdict.recorded',
        parameters,
        sentence: fillSentence(verdictSentences['verdict.recorded'], parameters),
        since: info.began,
        basis: { replicas: [], seq: null, view: null },
      },
      n,
      f: Math.floor((n - 1) / 3),
      quorum: quorumSize(n),
      view,
      primary: view === null ? null : view % n,
      toleratesMore: 0,
      lastExecuted: this.#restored.last,
      lastCommittedAt: null,
      requestsPerSecond: 0,
      replicas: manifest.replicas.map((_, id) => this.#replica(id)),
      faults: [],
      monitors: info.monitors.map((monitor) => ({ ...monitor, since: at })),
      at,
    }
  }

  replica(id: number): ReplicaStatus | null {
    return this.opened.manifest.replicas[id] === undefined ? null : this.#replica(id)
  }

  views(): readonly ViewInfo[] {
    return this.#restored.views
  }

  checkpoints(limit: number): readonly CheckpointInfo[] {
    return this.#restored.checkpoints.slice(-limit)
  }

  load(): LoadStatus {
    return noLoad
  }

  compareLogs(): Promise<Result<LogComparison>> {
    return Promise.resolve(fail('unsupported', 'In a recorded run there is nobody to ask: the log is what was recorded.'))
  }

  /** Resolves when no process of it is left. */
  close(): Promise<void> {
    return this.recording.close()
  }

  #replica(id: number): ReplicaStatus {
    const member = this.opened.manifest.replicas[id]
    const checkpoint = this.#restored.checkpoints.findLast(({ digests }) => digests[id] !== undefined)
    return {
      ...{
        id,
        state: 'stopped',
        local: false,
        pid: null,
        host: member?.host ?? '',
        port: member?.port ?? 0,
        publicKey: member?.publicKey ?? '',
      },
      ...{ heardAt: null, allowsFaults: false, view: null, active: false, isPrimary: false, lastExecuted: null },
      ...{ lowWatermark: null, highWatermark: null, stateDigest: checkpoint?.digests[id] ?? null, stateDigestSeq: checkpoint?.seq ?? null },
      ...{
        pending: 0,
        inFlight: 0,
        viewTimeoutMs: null,
        viewTimerLeftMs: null,
        probation: null,
        transfer: null,
        peersHeard: [],
        clients: 0,
      },
      ...{ requestsPerSecond: 0, batchSizeMean: 0, cpu: 0, memoryBytes: 0, diskBytes: 0, clockOffsetMs: 0, eventsDropped: 0 },
      ...{ rejections: {}, exit: null },
    }
  }
}
