/**
 * The host's model of an open cluster: what replicas reported and observed, merged; the status that screens show. It neither
 * starts nor sends anything.
 */
import type { ReplicaReport, ControlMessage } from '../contract/control.ts'
import type { ClusterStatus, Monitor, ReplicaStatus } from '../contract/model.ts'
import type { AlarmKey } from '../contract/verdicts.ts'
import { asView } from '../pbft/protocol/ids.ts'
import { faultsTolerated, primaryOf, quorumSize, weakSize } from '../pbft/protocol/quorum.ts'
import type { FaultBoard } from './fault-board.ts'
import type { OpenedFolder } from './folder.ts'
import type { Member } from './member.ts'
import { Checkpoints } from './model/checkpoints.ts'
import { Ledger } from './model/ledger.ts'
import { Rate } from './model/metrics.ts'
import { readObserved, type ObservedProtocolEvent } from './model/observed.ts'
import { Views } from './model/views.ts'
import { Monitors } from './monitors.ts'
import type { MessageParameters } from './sentence.ts'
import { progressOf, toleratesMoreOf, verdictOf, viewOf, type FoundVerdict, type VerdictReplica } from './verdict.ts'

const patienceMinMs = 3_000
/** A replica that has not executed what another had this long ago is behind: reports are up to 250 ms old. */
const behindAfterMs = 1_500

export interface ClusterModelOptions {
  readonly opened: OpenedFolder
  readonly members: readonly Member[]
  readonly faults: FaultBoard
  onAlarm(key: AlarmKey, parameters: MessageParameters): void
  onViews(): void
  onCheckpoints(): void
  /** All replicas came back with nothing, as they may (durability none): another log begins. */
  onForgotten(): void
}

export class ClusterModel {
  readonly ledger: Ledger
  readonly views: Views
  readonly checkpoints = new Checkpoints()
  readonly monitors = new Monitors()
  readonly #options: ClusterModelOptions
  readonly #n: number
  readonly #patienceMs: number
  readonly #rate = new Rate()
  readonly #rejections = new Map<string, number>()
  #verdict: FoundVerdict | null = null
  #lastExecuted = 0
  #lastProgressAt: number | null = null
  #waitingSince: number | null = null
  #changingSince: number | null = null
  /** When a quorum was missing last: what waited by then could not be executed. */
  #withoutQuorumAt = 0
  /** The last seq at which a replica's state was another than the others'. */
  readonly #divergedAt = new Map<number, number>()
  /** By replica: the checkpoint whose state it fetched last. What others say of it up to there is of before. */
  readonly #repairedThrough = new Map<number, number>()
  readonly #transferring = new Set<number>()
  readonly #onProbation = new Set<number>()
  /** By replica: the start at which its state was damaged. */
  readonly #damaged = new Map<number, { readonly startedAt: number; readonly repaired: boolean }>()
  /** How far the furthest had executed, at each status of the last moments. */
  #progress: { readonly at: number; readonly executed: number }[] = []

  constructor(options: ClusterModelOptions) {
    this.#options = options
    this.#n = options.members.length
    this.ledger = new Ledger(this.#n)
    this.#patienceMs = Math.max(patienceMinMs, 4 * options.opened.manifest.parameters.viewTimeoutMs)
    this.views = new Views(this.#n, options.opened.manifest.parameters.viewTimeoutMs)
  }

  get verdict(): FoundVerdict | null {
    return this.#verdict
  }

  get lastExecuted(): number {
    return this.#lastExecuted
  }

  /** Requests executed, by the replica that executed most (since its start). */
  get requestsExecuted(): number {
    return Math.max(0, ...this.#options.members.map((member) => member.report?.requestsExecuted ?? 0))
  }

  onReport(member: Member, report: ReplicaReport, nowMs: number): void {
    if (report.lastExecuted === 0 && report.probation === null && this.#lastExecuted > 0 && this.#nobodyRemembers(member)) this.forget()
    if (report.lastExecuted > this.#lastExecuted) {
      this.#lastExecuted = report.lastExecuted
      this.#lastProgressAt = nowMs
    }
    this.ledger.passed(member.id, report.lastExecuted)
    if (report.stateDigestSeq > 0) this.monitors.stateDigest(member.id, report.stateDigestSeq, report.stateDigest)
    if (report.active && this.views.reported(member.id, report.view, nowMs)) this.#options.onViews()
    this.#watchProbation(member.id, report.probation !== null)
    this.#watchDamage(member.id, report)
    this.#watchRejections(member.id, report.rejections)
    this.#rate.observe(this.requestsExecuted, nowMs)
  }

  onObserved(member: Member, message: Extract<ControlMessage, { type: 'observed' }>, nowMs: number): void {
    const offsetMs = member.clock.ms
    for (const slot of message.slots) {
      this.ledger.observe(member.id, slot, offsetMs)
      if (slot.committedAt !== null || slot.executedAt !== null) this.monitors.committed(member.id, slot.seq, slot.digest)
      if (slot.executedAt === null) continue
      this.views.executed(slot.view, slot.executedAt - offsetMs)
      if (slot.seq > this.#lastExecuted) {
        this.#lastExecuted = slot.seq
        this.#lastProgressAt = nowMs
      }
    }
    for (const { at, event } of message.events) {
      const known = readObserved(event)
      if (known !== null) this.#onEvent(member, known, at - offsetMs)
    }
    if (message.dropped > 0) this.#options.onAlarm('alarm.replica.dropped', { replica: member.id, count: message.dropped })
  }

  /** The whole status at `nowMs`; moves the verdict on. */
  status(nowMs: number): ClusterStatus {
    const { opened, members, faults } = this.#options
    const expected = this.#expectedBy(nowMs)
    const known = members.map((member) => member.status(nowMs, expected))
    const view = viewOf(this.#n, known.map(verdictReplica))
    const primary = view === null ? null : primaryOf(asView(view), this.#n)
    const replicas = known.map((replica) => ({ ...replica, isPrimary: replica.id === primary }))
    this.#watchProgress(replicas, view, nowMs)
    const verdict = this.#judge(replicas, view, nowMs)
    const { manifest } = opened
    return {
      name: manifest.name,
      clusterId: manifest.clusterId,
      folder: opened.folder,
      durability: manifest.durability,
      authentication: manifest.authentication,
      parameters: manifest.parameters,
      verdict,
      n: this.#n,
      f: faultsTolerated(this.#n),
      quorum: quorumSize(this.#n),
      view,
      primary,
      toleratesMore: toleratesMoreOf(this.#n, replicas.map(verdictReplica)),
      lastExecuted: this.#lastExecuted,
      lastCommittedAt: this.#lastProgressAt,
      requestsPerSecond: this.#rate.perSecond(nowMs),
      replicas,
      faults: faults.list(),
      monitors: this.#monitorList(verdict, nowMs),
      at: nowMs,
    }
  }

  /** What was executed somewhere a while ago; everyone in step has it by now. */
  #expectedBy(nowMs: number): number {
    const recent = this.#progress.filter(({ at }) => nowMs - at < behindAfterMs)
    const old = this.#progress.filter(({ at }) => nowMs - at >= behindAfterMs).slice(-1)
    this.#progress = [...old, ...recent, { at: nowMs, executed: this.#lastExecuted }]
    return old[0]?.executed ?? 0
  }

  #judge(replicas: readonly ReplicaStatus[], view: number | null, nowMs: number): FoundVerdict {
    const { faults } = this.#options
    this.#verdict = verdictOf(
      {
        n: this.#n,
        nowMs,
        replicas: replicas.map(verdictReplica),
        linkFaults: faults.linkFaults,
        hears: (from, to) => faults.hears(from, to),
        view,
        lastProgressAt: this.#lastProgressAt,
        waitingSince: this.#waitingSince,
        changingSince: this.#changingSince,
        frontier: this.#waitingSince === null ? null : this.ledger.frontier(),
        disagreementSeq: this.monitors.disagreementSeq,
        patienceMs: this.#patienceMs,
        viewTimeoutMs: this.#options.opened.manifest.parameters.viewTimeoutMs,
      },
      this.#verdict,
    )
    return this.#verdict
  }

  #monitorList(verdict: FoundVerdict, nowMs: number): Monitor[] {
    const { key, parameters } = verdict
    if (progressOf(verdict, Infinity, this.#patienceMs) === 'unknown') this.#withoutQuorumAt = nowMs
    const waited = this.#waitingSince === null ? 0 : nowMs - Math.max(this.#waitingSince, this.#withoutQuorumAt)
    return this.monitors.list(nowMs, { state: progressOf(verdict, waited, this.#patienceMs), key, parameters })
  }

  /** Waiting: a weak certificate of replicas has requests and executes none. Changing: no quorum is active in one view. */
  #watchProgress(replicas: readonly ReplicaStatus[], view: number | null, nowMs: number): void {
    const live = replicas.filter((replica) => replica.state === 'live')
    const waiting = live.filter((replica) => replica.pending > 0).length >= weakSize(this.#n)
    this.#waitingSince = waiting ? Math.max(this.#waitingSince ?? nowMs, this.#lastProgressAt ?? 0) : null
    if (this.#waitingSince !== null) this.views.waiting(this.#waitingSince)
    const inView = live.filter((replica) => replica.active && replica.view === view).length
    const changing = live.length >= quorumSize(this.#n) && inView < quorumSize(this.#n)
    this.#changingSince = changing ? (this.#changingSince ?? nowMs) : null
  }

  /** Whether `member`, which has executed nothing, is not alone in that: every other one is gone, or has executed nothing either. */
  #nobodyRemembers(member: Member): boolean {
    const { opened, members } = this.#options
    if (opened.manifest.durability !== 'none' || member.isolated) return false
    return members.every((other) => {
      const there = other.local ? other.running : other.up
      return other === member || !there || (other.report?.lastExecuted ?? 0) === 0
    })
  }

  /** Another log begins. */
  forget(): void {
    this.#lastExecuted = 0
    this.#lastProgressAt = null
    this.#waitingSince = null
    this.#changingSince = null
    this.#progress = []
    this.#divergedAt.clear()
    this.#repairedThrough.clear()
    this.#transferring.clear()
    this.#onProbation.clear()
    for (const member of this.#options.members) member.diverged = false
    this.ledger.forget()
    this.views.forget()
    this.checkpoints.forget()
    this.#options.onForgotten()
  }

  #onEvent(member: Member, event: ObservedProtocolEvent, at: number): void {
    if (this.views.observe(member.id, event, at)) this.#options.onViews()
    if (this.checkpoints.observe(member.id, event, at)) this.#options.onCheckpoints()
    const { onAlarm } = this.#options
    switch (event.type) {
      case 'checkpoint':
        this.monitors.stateDigest(member.id, event.seq, event.digest)
        break
      case 'view-change-started':
        onAlarm('alarm.view.changing', { replica: member.id, view: event.view })
        break
      case 'view-entered':
        onAlarm('alarm.view.entered', { view: event.view, primary: event.primary })
        break
      case 'divergence':
        this.#onDivergence(member, event)
        break
      case 'stable':
        this.#onStable(event)
        break
      case 'disk-changed':
        onAlarm('alarm.disk.changed', { replica: event.replica })
        break
      case 'differed':
        this.#onDiffered(member, event)
        break
      case 'transfer':
        this.#onTransfer(member, event)
        break
      default:
        break
    }
  }

  /** The one whose digest is not a weak certificate's is the odd one out. */
  #onDivergence(member: Member, event: Extract<ObservedProtocolEvent, { type: 'divergence' }>): void {
    const counts = new Map<string, number>()
    // Its own may be among those that it heard of: each counts once.
    const others = event.digests.filter(({ replica }) => replica !== member.id || event.own === null)
    const all = event.own === null ? others : [...others, { replica: member.id, digest: event.own }]
    for (const { digest } of all) counts.set(digest, (counts.get(digest) ?? 0) + 1)
    const most = Math.max(...counts.values())
    for (const { replica, digest } of all) {
      if ((counts.get(digest) ?? 0) === most) continue
      const odd = this.#options.members[replica]
      // Of one that is made to lie it is known why, and it ends with the fault.
      if (odd !== undefined && !odd.faulty && event.seq > (this.#repairedThrough.get(replica) ?? -1)) {
        odd.diverged = true
        this.#divergedAt.set(replica, Math.max(event.seq, this.#divergedAt.get(replica) ?? 0))
      }
      this.#options.onAlarm('alarm.replica.diverged', { replica, seq: event.seq })
    }
  }

  /** Who signed a later state that a quorum has, has it. */
  #onStable({ seq, replicas }: Extract<ObservedProtocolEvent, { type: 'stable' }>): void {
    for (const replica of replicas) {
      const member = this.#options.members[replica]
      if (member?.diverged === true && seq > (this.#divergedAt.get(replica) ?? 0)) member.diverged = false
    }
  }

  #onTransfer(member: Member, event: Extract<ObservedProtocolEvent, { type: 'transfer' }>): void {
    const parameters = { replica: member.id, seq: event.seq }
    if (event.state === 'started' && !this.#transferring.has(member.id)) {
      this.#transferring.add(member.id)
      this.#options.onAlarm('alarm.transfer.started', parameters)
    } else if (event.state === 'completed' || event.state === 'abandoned') {
      this.#transferring.delete(member.id)
      if (event.state === 'completed') {
        member.diverged = false
        this.#repairedThrough.set(member.id, event.seq)
      }
      this.#options.onAlarm(`alarm.transfer.${event.state}`, parameters)
    }
  }

  #onDiffered(member: Member, event: Extract<ObservedProtocolEvent, { type: 'differed' }>): void {
    const { seq, partition, part, count, total } = event
    const keys = `${event.keys.join(', ')}${event.keysOf > event.keys.length ? ', …' : ''}`
    this.#options.onAlarm('alarm.state.differed', { replica: member.id, seq, partition, because: `part.${part}`, keys, count, total })
  }

  #watchProbation(replica: number, isOn: boolean): void {
    if (isOn === this.#onProbation.has(replica)) return
    if (isOn) this.#onProbation.add(replica)
    else this.#onProbation.delete(replica)
    this.#options.onAlarm(isOn ? 'alarm.disk.lost' : 'alarm.disk.regained', { replica })
  }

  /** Once per start of the replica, however late the first report comes. */
  #watchDamage(replica: number, { damage, startedAt }: ReplicaReport): void {
    if (damage === null) return
    const before = this.#damaged.get(replica)
    const isKnown = before?.startedAt === startedAt
    const parameters = { replica, seq: damage.seq }
    if (!isKnown) this.#options.onAlarm('alarm.disk.damaged', parameters)
    if (damage.repaired && !(isKnown && before.repaired)) this.#options.onAlarm('alarm.disk.repaired', parameters)
    this.#damaged.set(replica, { startedAt, repaired: damage.repaired })
  }

  #watchRejections(replica: number, rejections: Readonly<Record<string, number>>): void {
    for (const [reason, count] of Object.entries(rejections)) {
      const key = `${replica} ${reason}`
      const before = this.#rejections.get(key) ?? 0
      this.#rejections.set(key, count)
      if (count > before && alarming.has(reason)) this.#options.onAlarm('alarm.replica.rejects', { replica, reason, count })
    }
  }
}

/** Refusals that no correct peer causes; the others (late votes and the like) are counted only. */
const alarming = new Set([
  'wrong-cluster',
  'wrong-peer',
  'unknown-peer',
  'wrong-key',
  'bad-signature',
  'not-operator',
  'bad-mac',
  'bad-counter',
  'wrong-sender',
  'conflicting-pre-prepare',
  'invalid-view-change',
  'invalid-new-view',
  'invalid-checkpoint',
])

const verdictReplica = (replica: Omit<ReplicaStatus, 'isPrimary'>): VerdictReplica => ({
  id: replica.id,
  state: replica.state,
  view: replica.view,
  active: replica.active,
  pending: replica.pending,
  hears: replica.peersHeard,
  viewTimeoutMs: replica.viewTimeoutMs,
  transfer: replica.transfer,
  probation: replica.probation,
})
