/** One simulated replica process: a core, its disk, its timers, and the rule of steps.ts about what may leave when. */
import type { Outbox } from '../faults/index.ts'
import type { Capabilities } from '../protocol/capabilities.ts'
import type { ProtocolConfig } from '../protocol/config.ts'
import { asClientId, type ReplicaId } from '../protocol/ids.ts'
import { primaryOf } from '../protocol/quorum.ts'
import type { AuthenticationWanted, ClientMessage, Message, PrePrepare, ReplicaMessage, Reply } from '../protocol/messages.ts'
import type { LogRecord } from '../protocol/records.ts'
import { createReplica } from '../protocol/replica.ts'
import type { Effect, Input, ProtocolEvent, ReplicaCore, TimerName } from '../protocol/steps.ts'
import type { Service } from '../protocol/service.ts'
import { createService, encodeOperation } from '../service/index.ts'
import { decodeMessage, encodeBatch, encodeMessage, signedBytes } from '../wire/index.ts'
import { Decision } from './decision.ts'
import { SimDisk, type DiskCopy } from './disk.ts'
import type { FaultMix } from './fault-mix.ts'
import { createDigest, simClusterId, type SimKeys } from './keys.ts'
import { outdatedService } from './outdated.ts'
import { Pace } from './pace.ts'
import type { Random } from './random.ts'
import type { Recording } from './recording.ts'
import type { Schedule } from './schedule.ts'
import type { Trace } from './trace.ts'
import { createTraitorOutbox, type Traitors } from './traitors.ts'

/** What a replica needs of the world around it. */
export interface ReplicaWorld {
  readonly schedule: Schedule
  readonly keys: SimKeys
  readonly recording: Recording
  readonly trace: Trace
  readonly mix: FaultMix
  readonly traitors: Traitors
  send(to: number, bytes: Uint8Array): void
  sendToClient(message: ClientMessage, bytes: Uint8Array): void
  countStep(): void
  /** Whether the last view-change of a replica tells all that it knows: it is correct, its disk was never spoilt, and it has come no further since. */
  hasToldAll(replica: number): boolean
}

interface Waiting {
  /** How many records have to be durable before it leaves. */
  readonly position: number
  readonly leave: () => void
}

/** The wall clock at the start of every simulation, ms since the epoch. */
export const epochMs = 1_700_000_000_000

/** What an honest replica never gives another reason to say. */
const accusations = new Set<string>([
  'wrong-sender',
  'digest-mismatch',
  'conflicting-pre-prepare',
  'invalid-view-change',
  'invalid-new-view',
  'invalid-checkpoint',
  'invalid-partition',
  'forged-request',
])

/** What only a signature of the accused binds to it; in honest hands the rest can come of what a traitor said. */
const ownFaults = new Set<string>(['wrong-sender', 'invalid-new-view', 'invalid-partition'])

/** A replica of a recorded run at one moment. */
export interface StandingReplica {
  readonly config: ProtocolConfig
  /** A core that goes on from there and signs by `capabilities`. */
  resume(capabilities: Capabilities): { readonly core: ReplicaCore; readonly service: Service }
  /** Timers that ran, and when they are due by its clock, ms. */
  readonly timers: ReadonlyMap<TimerName, number>
  /** What it had made and what had not left yet. */
  readonly unsent: readonly { readonly message: ReplicaMessage; readonly to: readonly ReplicaId[] }[]
}

export class ReplicaNode {
  readonly id: ReplicaId
  core: ReplicaCore | null = null
  readonly #world: ReplicaWorld
  readonly #config: ProtocolConfig
  readonly #random: Random
  readonly #disk: SimDisk
  readonly #hours: Random
  readonly #checking: Random
  readonly #digest = createDigest()
  /** Of a Byzantine replica: what leaves instead of what its core sends. */
  #outbox: Outbox | null = null
  #service: Service | null = null
  #pace: Pace
  #decision: Decision | null = null
  /** Where it was when its state changed by itself; null: it never did. */
  #flippedAt: number | null = null
  /** Grows at every crash: what was scheduled for an earlier life does not happen in a later one. */
  #life = 0
  #waiting: Waiting[] = []
  #isFlushing = false
  #isDrainDue = false
  #diesAtProposal = false
  readonly #timers = new Map<TimerName, number>()
  #timerToken = 0
  #clockOffsetMs: number
  readonly #clockDrift: number
  #durableSeq = 0
  #copy: DiskCopy | null = null
  #spoilt: 'wiped' | 'old' | null = null
  #wasSpoilt = false
  /** How far it was when it last left a view. */
  #leftViewAt = 0
  /** Records that a crash may still undo. */
  #undurable: { position: number; record: LogRecord }[] = []

  constructor(world: ReplicaWorld, config: ProtocolConfig, random: Random) {
    this.id = config.id
    this.#world = world
    this.#config = config
    this.#random = random
    this.#disk = new SimDisk(random.fork('disk'))
    this.#hours = random.fork('hours')
    this.#checking = random.fork('checking')
    this.#pace = new Pace(config)
    this.#clockOffsetMs = random.between(-1, 1) * world.mix.clockOffsetMs
    this.#clockDrift = random.between(-1, 1) * world.mix.clockDrift
  }

  get isUp(): boolean {
    return this.core !== null
  }

  /** Of one that is not, nothing is judged but what the others make of it. */
  get isCorrect(): boolean {
    return !this.#world.traitors.has(this.id)
  }

  /** Sets the clock forwards or backwards, within what clocks may be apart; now and then an hour back, which nothing may stand still for. */
  jumpClock(): void {
    this.#clockOffsetMs = this.#random.between(-3_000, 3_000)
    // Clocks so far apart are a fault of their own, and traitors have used up those that are tolerated.
    if (this.#hours.chance(0.3) && this.#world.traitors.size === 0) this.#clockOffsetMs -= 3_600_000
    this.#trace(`clock ${this.#clockOffsetMs.toFixed(0)}`)
  }

  #capabilities(): Capabilities {
    const sign = this.#world.keys.signerOf({ kind: 'replica', id: this.id })
    return { digest: this.#digest, encodeBatch, sign: (message) => sign(signedBytes(message, simClusterId)) }
  }

  /** Goes on where a recorded replica stood, its disk empty: it is not to be started again. */
  resume({ resume, timers, unsent }: StandingReplica): void {
    const { core, service } = resume(this.#capabilities())
    this.core = core
    this.#service = service
    for (const [timer, dueMs] of timers) this.#setTimer(timer, dueMs - this.#nowMs())
    for (const { message, to } of unsent) this.#send(to, message, false)
  }

  start(isFirst: boolean): void {
    const capabilities = this.#capabilities()
    try {
      this.#service = this.#createService()
      this.core = createReplica(this.#config, capabilities, this.#service, this.#disk.load())
      this.#outbox = this.#createOutbox(capabilities)
      this.#pace = new Pace(this.#config)
      this.#decision = new Decision(this.id, this.#config.n, (replica) => this.#world.hasToldAll(replica))
    } catch (error) {
      return this.#broken('could not start', error)
    }
    const { lastExecuted, view } = this.core.snapshot()
    this.#trace(`start view ${view} executed ${lastExecuted}`)
    if (!isFirst && this.isCorrect) {
      this.#world.recording.log.push({ kind: 'restarted', replica: this.id, seq: lastExecuted, durableSeq: this.#durableSeq })
    }
    this.#step({ type: 'start', disk: this.#disk.origin })
  }

  #createService(): Service {
    const isOutdated = this.#world.traitors.get(this.id) === 'outdated'
    return isOutdated ? outdatedService(createService(), this.#random.fork(`outdated ${this.#life}`)) : createService()
  }

  #createOutbox(capabilities: Capabilities): Outbox | null {
    const name = this.#world.traitors.get(this.id)
    return name === undefined ? null : createTraitorOutbox(name, this.#config, capabilities, this.#random.fork(`outbox ${this.#life}`))
  }

  /** Its state becomes another one, by no fault of the protocol. */
  flip(): void {
    if (this.core === null || this.#service === null) return
    this.#flippedAt = this.core.snapshot().lastExecuted
    this.#trace(`its state changes by itself after seq ${this.#flippedAt}`)
    // Where it is written often, or never again.
    const key = this.#random.fork('flip').pick(['a', 'flipped'])
    const operation = encodeOperation({ type: 'put', key, value: 'flipped' })
    this.#service.execute(operation, { client: asClientId('nobody'), timeMs: 0, resultBytesMax: Infinity })
  }

  /** Whether its state has to be that of the others again: it went through a stable checkpoint after it changed. */
  get isRepairDue(): boolean {
    return this.core !== null && this.#flippedAt !== null && this.core.snapshot().lowWatermark > this.#flippedAt
  }

  crash(): void {
    this.#trace('crash')
    this.core = null
    this.#life++
    this.#noteDurable(this.#disk.crash())
    this.#undurable = []
    this.#waiting = []
    this.#isFlushing = false
    this.#isDrainDue = false
    this.#timers.clear()
  }

  /** Its disk was spoilt and it is not known yet to have got over that; or it never noticed. */
  get isSpoilt(): boolean {
    return this.#spoilt !== null
  }

  /** A crash that takes the disk with it. */
  wipe(): void {
    if (this.isUp) this.crash()
    this.#disk.wipe()
    this.#spoil('wiped')
  }

  copyDisk(): void {
    this.#copy ??= this.#disk.copy()
  }

  get hasCopy(): boolean {
    return this.#copy !== null
  }

  /** A crash, and then the copy is all that is left. */
  putBack(): void {
    if (this.#copy === null) return
    if (this.isUp) this.crash()
    this.#disk.putBack(this.#copy)
    this.#copy = null
    this.#spoil('old')
  }

  /** What it learns after it left its view it has not told: a checkpoint that it signs then, others may start from, and it does not vouch for it. */
  get hasToldAll(): boolean {
    return this.isCorrect && !this.#wasSpoilt && this.core?.snapshot().lastExecuted === this.#leftViewAt
  }

  #spoil(how: 'wiped' | 'old'): void {
    this.#wasSpoilt = true
    this.#trace(`disk ${how}`)
    this.#spoilt = how
    this.#durableSeq = 0
  }

  /** An orderly end: everything reaches the disk, what waited for it leaves, and then there is no more. */
  stop(): void {
    if (!this.isUp) return
    this.#step({ type: 'stop' })
    if (!this.isUp) return
    this.#flushed(this.#disk.appended)
    this.crash()
  }

  connected(peer: ReplicaId): void {
    if (this.isUp) this.#step({ type: 'connected', peer })
  }

  /** From now on a proposal that leaves before it is durable is the last thing that it does. */
  crashAtProposal(): void {
    this.#diesAtProposal = true
  }

  /** Takes that back. */
  spare(): void {
    this.#diesAtProposal = false
  }

  changeView(): void {
    if (this.isUp) this.#step({ type: 'operator', command: { kind: 'change-view' } })
  }

  /** The run is over: everything reaches the disk. */
  finish(): void {
    this.#noteDurable(this.#disk.appended)
  }

  /** Bytes came over the link of replica or client `from`. */
  receive(from: ReplicaId | 'client', bytes: Uint8Array): void {
    if (!this.isUp) return
    const decoded = decodeMessage(bytes)
    const isFromTraitor = from !== 'client' && this.#world.traitors.has(from)
    if (!decoded.ok) {
      if (isFromTraitor) return this.#trace(`cannot read what ${from} sent: ${decoded.reason}`)
      return this.#world.recording.violation('codec', `replica ${this.id} cannot read what ${from} sent: ${decoded.reason}`)
    }
    const message = decoded.value
    const isDeferred = message.type === 'pre-prepare' && this.core?.defers(message) === true
    if (!this.#world.keys.isAuthentic(message, !isDeferred)) {
      if (isFromTraitor) return this.#trace(`refuses ${describeMessage(message)} from ${from}`)
      return this.#world.recording.violation('authenticity', `replica ${this.id} got a ${message.type} from ${from} with a bad signature`)
    }
    if (message.type === 'reply' || message.type === 'authentication-wanted') return
    const unverified = this.#unverified(message, isDeferred)
    if (from !== 'client') this.#step({ type: 'message', from, message, unverified })
    else if (message.type === 'request') this.#step({ type: 'request', request: message, isUnverified: unverified.length > 0 })
  }

  #unverified(message: Message, isDeferred: boolean): number[] {
    const bad = this.#world.keys.unverified(message, this.id)
    if (!isDeferred || message.type !== 'pre-prepare') return bad
    return message.batch.requests.flatMap(({ authentication }, index) =>
      authentication.kind === 'signature' || bad.includes(index) ? [index] : [],
    )
  }

  /** By other threads, so that it takes a while. */
  #checkSignatures(message: PrePrepare): void {
    const holds = this.#world.keys.isAuthentic(message)
    const { seq, digest } = message
    this.#later(this.#checking.between(0, 5), () => this.#step({ type: 'signatures-checked', seq, digest, holds }))
  }

  #nowMs(): number {
    return Math.floor(epochMs + this.#world.schedule.now * (1 + this.#clockDrift) + this.#clockOffsetMs)
  }

  #step(input: Input): void {
    const core = this.core
    if (core === null) return
    this.#world.countStep()
    this.#trace(describeInput(input))
    let effects: Effect[]
    try {
      effects = core.step(input, this.#nowMs())
    } catch (error) {
      return this.#broken(`threw on ${describeInput(input)}`, error)
    }
    for (const effect of effects) this.#run(effect)
    if (this.#diesAtProposal && effects.some(isUngatedProposal)) {
      this.#diesAtProposal = false
      return this.crash()
    }
    if (input.type !== 'drained') this.#drainSoon()
    this.#flushSoon()
  }

  #broken(what: string, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message).split('\n').slice(0, 4).join(' ') : String(error)
    if (this.isCorrect) this.#world.recording.violation('crash', `replica ${this.id} ${what}: ${reason}`)
    else this.#trace(`breaks: ${what}`)
    this.crash()
  }

  /** Now, or when what else is on its way at this moment has come. */
  #drainSoon(): void {
    if (this.#isDrainDue) return
    this.#isDrainDue = true
    this.#later(this.#random.chance(0.5) ? 0 : this.#random.between(0, 0.5), () => {
      this.#isDrainDue = false
      this.#step({ type: 'drained' })
    })
  }

  #run(effect: Effect): void {
    switch (effect.type) {
      case 'persist':
        return this.#persist(effect.record)
      case 'send':
        return this.#send(effect.to, effect.message, effect.gated)
      case 'reply':
        return this.#reply(effect.reply)
      case 'check-signatures':
        return this.#checkSignatures(effect.message)
      case 'want-signature':
        return this.#wantSignature(effect.message)
      case 'set-timer':
        return this.#setTimer(effect.timer, effect.delayMs)
      case 'cancel-timer':
        this.#timers.delete(effect.timer)
        return
      case 'event':
        return this.#event(effect.event)
    }
  }

  #persist(record: LogRecord): void {
    this.#disk.append(record)
    this.#undurable.push({ position: this.#disk.appended, record })
    // Where there is a quorum of others, what is executed stays so even if this replica forgets it; alone, only its disk decides.
    if (this.#config.n > 1 && this.isCorrect) this.#world.recording.persisted(this.id, record)
  }

  /** The first `position` records survive a crash from here on. */
  #noteDurable(position: number): void {
    while (this.#undurable.length > 0 && this.#undurable[0]!.position <= position) {
      const { record } = this.#undurable.shift()!
      if (record.kind === 'born' && record.lost === null) this.#spoilt = null
      if (record.kind === 'executed') this.#durableSeq = record.seq
      else if (record.kind === 'checkpoint') this.#durableSeq = record.message.seq
      if (this.#config.n === 1) this.#world.recording.persisted(this.id, record)
    }
  }

  #send(to: readonly ReplicaId[], message: ReplicaMessage, gated: boolean): void {
    // Now, not when it leaves: what waits for the disk says how things were when it was made.
    const problem = this.isCorrect ? (this.#decision?.problemOf(message) ?? null) : null
    if (problem !== null) this.#world.recording.violation('decision', `replica ${this.id} ${problem}`)
    const outbox = this.#outbox
    if (outbox !== null) {
      const betray = (): void => {
        for (const sending of outbox.send(message, to)) this.#later(sending.delayMs, () => this.#deliver(sending.to, sending.message))
      }
      return gated ? this.#whenDurable(betray) : betray()
    }
    const leave = (): void => {
      const isPrimary = message.type === 'pre-prepare' && primaryOf(message.view, this.#config.n) === this.id
      // An old copy that too few remember to notice is one of the f faults: what it says counts for nothing.
      if (this.isCorrect && this.#spoilt !== 'old') this.#world.recording.left(this.id, message, isPrimary, this.#config.logWindow)
      this.#deliver(to, message)
    }
    if (gated) this.#whenDurable(leave)
    else leave()
  }

  #deliver(to: readonly ReplicaId[], message: ReplicaMessage): void {
    this.#trace(`send ${describeMessage(message)} to ${to.join(',')}`)
    const bytes = encodeMessage(message)
    for (const peer of to) {
      if (peer === this.id) this.#world.recording.violation('driver', `replica ${this.id} sends a ${message.type} to itself`)
      this.#world.send(peer, bytes)
    }
  }

  #reply(reply: Reply): void {
    this.#whenDurable(() => {
      for (const said of this.#outbox?.reply(reply) ?? [reply]) {
        this.#trace(`reply ${said.client} ${said.timestamp} seq ${said.seq}`)
        this.#world.sendToClient(said, encodeMessage(said))
      }
    })
  }

  #wantSignature(message: AuthenticationWanted): void {
    for (const said of this.#outbox?.wantSignature(message) ?? [message]) {
      this.#trace(`wants a signature of ${said.client} ${said.timestamp}`)
      this.#world.sendToClient(said, encodeMessage(said))
    }
  }

  /** Runs `leave` once everything appended so far is durable; in order among those that wait. */
  #whenDurable(leave: () => void): void {
    const position = this.#disk.appended
    if (position <= this.#disk.durable) leave()
    else this.#waiting.push({ position, leave })
  }

  #flushSoon(): void {
    if (this.#isFlushing || this.#disk.appended === this.#disk.durable) return
    this.#isFlushing = true
    const { flushMinMs, flushMaxMs } = this.#world.mix
    // What nothing waits for is not flushed at once either.
    const idleMs = this.#waiting.length > 0 ? 0 : this.#random.between(0, 30)
    const position = this.#disk.appended
    this.#later(idleMs + this.#random.between(flushMinMs, flushMaxMs), () => this.#flushed(position))
  }

  #flushed(position: number): void {
    this.#disk.flush(position)
    this.#isFlushing = false
    this.#noteDurable(position)
    const ready = this.#waiting.findIndex((waiting) => waiting.position > position)
    const leaving = this.#waiting.splice(0, ready < 0 ? this.#waiting.length : ready)
    for (const waiting of leaving) waiting.leave()
    this.#flushSoon()
  }

  #setTimer(timer: TimerName, delayMs: number): void {
    const token = ++this.#timerToken
    this.#timers.set(timer, token)
    this.#later(delayMs, () => {
      if (this.#timers.get(timer) !== token) return
      this.#timers.delete(timer)
      this.#step({ type: 'timer', timer })
    })
  }

  #event(event: ProtocolEvent): void {
    const problem = this.isCorrect ? this.#pace.problemOf(event) : null
    if (problem !== null) this.#world.recording.violation('pace', `replica ${this.id} ${problem}`)
    this.#decision?.noteEvent(event)
    if (event.type === 'view-change-started') this.#leftViewAt = this.core?.snapshot().lastExecuted ?? 0
    if (event.type === 'phase' || event.type === 'request-received') return
    this.#trace(describeEvent(event))
    if (event.type === 'probation') this.#onProbation(event.state)
    const { recording, traitors } = this.#world
    if (!this.isCorrect) return
    if (event.type === 'divergence' && areApart(event, traitors))
      recording.violation('divergence', `replica ${this.id} sees ${JSON.stringify(event)}`)
    if (event.type === 'evidence' && !traitors.has(event.signer)) {
      recording.violation('evidence', `replica ${this.id} has two statements of honest ${event.signer}: ${describeEvent(event)}`)
    }
    const isAccusation = event.type === 'rejected' && accusations.has(event.reason)
    const isExcused = event.type === 'rejected' && traitors.size > 0 && (isTraitor(event.from, traitors) || !ownFaults.has(event.reason))
    if (isAccusation && !isExcused) {
      recording.violation('rejection', `replica ${this.id} rejects a ${event.message} of honest ${event.from}: ${event.reason}`)
    }
  }

  #onProbation(state: 'began' | 'waiting' | 'ended'): void {
    if (state !== 'began') return
    this.#spoilt = 'wiped'
    this.#world.recording.votes.push({ replica: this.id, type: 'new-disk', view: 0, seq: 0, digest: '' })
  }

  /** In this life only. */
  #later(delayMs: number, action: () => void): void {
    const life = this.#life
    this.#world.schedule.after(delayMs, () => {
      if (life === this.#life) action()
    })
  }

  #trace(text: string): void {
    this.#world.trace.line(this.#world.schedule.now, `r${this.id} ${text}`)
  }
}

const isTraitor = (from: number | string | null, traitors: Traitors): boolean => typeof from === 'number' && traitors.has(from)

/** Whether correct replicas are among those that differ. */
function areApart(event: Extract<ProtocolEvent, { type: 'divergence' }>, traitors: Traitors): boolean {
  const digests = event.digests.filter(({ replica }) => !traitors.has(replica)).map(({ digest }) => digest)
  return new Set(event.own === null ? digests : [...digests, event.own]).size > 1 || traitors.size === 0
}

const isUngatedProposal = (effect: Effect): boolean => effect.type === 'send' && effect.message.type === 'pre-prepare' && !effect.gated

function describeInput(input: Input): string {
  switch (input.type) {
    case 'message':
      return `from ${input.from}: ${describeMessage(input.message)}`
    case 'request':
      return describeMessage(input.request)
    case 'timer':
      return `timer ${input.timer}`
    case 'connected':
      return `connected ${input.peer}`
    default:
      return input.type
  }
}

function describeMessage(message: Message): string {
  switch (message.type) {
    case 'request':
      return `request ${message.client} ${message.timestamp}`
    case 'pre-prepare':
    case 'proposal':
    case 'prepare':
    case 'commit':
      return `${message.type} ${message.view}/${message.seq} ${message.digest.slice(0, 8)}`
    case 'checkpoint':
      return `checkpoint ${message.seq} ${message.digest.slice(0, 8)} of ${message.replica}`
    case 'view-change':
      return `view-change ${message.view} of ${message.replica}`
    case 'new-view':
      return `new-view ${message.view} start ${message.start.seq} chosen ${message.chosen.length}`
    case 'status':
      return `status view ${message.view}${message.active ? '' : '*'} stable ${message.stableSeq} executed ${message.lastExecuted}`
    case 'fetch':
    case 'meta-data':
      return `${message.type} ${message.seq} ${message.level}.${message.index}`
    case 'data':
      return `data ${message.seq} ${message.index}`
    default:
      return message.type
  }
}

function describeEvent(event: ProtocolEvent): string {
  return `event ${event.type} ${JSON.stringify(event)}`
}
