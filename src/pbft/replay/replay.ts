/**
 * A recorded replica run again through the same core, input by input. It needs no private key: what the replica signed is in its recording.
 * While it goes it compares: each message that left, each signature, each refusal and the digest of each checkpoint has to be one that
 * this run makes too; the first that is not is a divergence.
 */
import type { Capabilities } from '../protocol/capabilities.ts'
import type { ProtocolConfig } from '../protocol/config.ts'
import type { Digest, ReplicaId } from '../protocol/ids.ts'
import type { Message, ReplicaMessage } from '../protocol/messages.ts'
import type { LogRecord, PartitionBytes } from '../protocol/records.ts'
import { assertThat } from '../protocol/assert.ts'
import { copyState } from '../protocol/copy.ts'
import { coreOf, restoreReplica } from '../protocol/replica.ts'
import type { Service } from '../protocol/service.ts'
import type { ReplicaState } from '../protocol/state.ts'
import type { Effect, Input, ReplicaCore, TimerName } from '../protocol/steps.ts'
import { createService, type CopyableService } from '../service/index.ts'
import { crc32, decodeRecord, encodeBatch, encodeMessage, type RecordedEntry, type Timed } from '../wire/index.ts'

/** The entries of one process of one replica, in order: a `start`, what it restored, then inputs and what they led to. */
export interface ReplaySource {
  readonly count: number
  /** null: lost, or not readable. */
  entry(index: number): Timed<RecordedEntry> | null
}

export interface Divergence {
  /** Index of the entry in the source. */
  readonly index: number
  readonly what: string
}

export interface ReplayProof {
  readonly inputs: number
  /** Messages that left and were made here too; those made here that never left (the process ended, or a fault held them). */
  readonly sendsEqual: number
  readonly sendsOnlyHere: number
  /** Left while a Byzantine behaviour chose what leaves: not compared. */
  readonly sendsUnchecked: number
  readonly signaturesEqual: number
  readonly rejectionsEqual: number
  readonly checkpointsEqual: number
  readonly divergences: readonly Divergence[]
}

export interface ReplayedStep {
  /** Index of its entry in the source. */
  readonly index: number
  readonly at: number
  readonly nowMs: number
  readonly input: Input
  readonly effects: readonly Effect[]
}

const divergencesMax = 20

export type ReplayProblem = 'no-start' | 'start-not-whole' | 'bad-start'

/** The index of the first input after the `start` at `start`, or why there is nothing to begin from. */
const readStart = (source: ReplaySource, start: number) => {
  const first = source.entry(start)
  if (first?.kind !== 'start') return { ok: false, problem: 'no-start' } as const
  if (!first.whole) return { ok: false, problem: 'start-not-whole' } as const
  const partitions: PartitionBytes[] = []
  const records: LogRecord[] = []
  let next = start + 1
  for (; next < source.count; next++) {
    const entry = source.entry(next)
    if (entry?.kind === 'partition') partitions.push({ index: entry.index, bytes: entry.bytes })
    else if (entry?.kind === 'record') {
      const record = decodeRecord(entry.bytes)
      if (!record.ok) return { ok: false, problem: 'bad-start' } as const
      records.push(record.value)
    } else if (entry?.kind !== 'segment') break
  }
  let config: ProtocolConfig
  try {
    config = JSON.parse(first.config) as ProtocolConfig
  } catch {
    return { ok: false, problem: 'bad-start' } as const
  }
  return { ok: true, config, persisted: { partitions, records }, next } as const
}

type Start = Extract<ReturnType<typeof readStart>, { ok: true }>

interface Made {
  readonly message: Message
  /** Empty: for a client. */
  readonly to: readonly ReplicaId[]
  count: number
}

export class Replay {
  readonly config: ProtocolConfig
  /** How many objects this copy has of its own, when it was made by `copy`: a measure of its size. */
  readonly objects: number
  readonly #source: ReplaySource
  readonly #digest: Capabilities['digest']
  readonly #service: CopyableService
  readonly #state: ReplicaState
  readonly #core: ReplicaCore
  /** The entry to go on with. */
  #next: number
  /** Where the core's next signature is looked for. */
  #signedAt: number
  #rejections: string[] = []
  #checkpoints: string[] = []
  /** Made here and not seen to leave yet, by what they are and where they go. */
  readonly #made = new Map<string, Made>()
  #isByzantine = false
  readonly #timers = new Map<TimerName, number>()
  readonly #proof = { inputs: 0, sendsEqual: 0, sendsUnchecked: 0, signaturesEqual: 0, rejectionsEqual: 0, checkpointsEqual: 0 }
  readonly #divergences: Divergence[] = []

  private constructor(source: ReplaySource, digest: Capabilities['digest'], from: Start | Replay) {
    this.#source = source
    this.#digest = digest
    this.#next = from.next
    this.config = from.config
    const capabilities: Capabilities = { digest, encodeBatch, sign: () => this.#sign() }
    if (from instanceof Replay) {
      this.#service = from.#service.copy()
      this.#signedAt = from.#signedAt
      const copy = copyState(from.#state, capabilities, this.#service)
      this.#state = copy.state
      this.objects = copy.objects + from.#made.size
      this.#core = coreOf(this.#state)
      this.#isByzantine = from.#isByzantine
      for (const [key, made] of from.#made) this.#made.set(key, { ...made })
      for (const [timer, dueMs] of from.#timers) this.#timers.set(timer, dueMs)
      Object.assign(this.#proof, from.#proof)
      this.#divergences.push(...from.#divergences)
      return
    }
    this.objects = 0
    this.#service = createService()
    this.#signedAt = from.next
    this.#state = restoreReplica(from.config, capabilities, this.#service, from.persisted)
    this.#core = coreOf(this.#state)
    this.#compare(null)
  }

  /** What it has made for its peers and what has not left yet: it waits for the disk. */
  get unsent(): { readonly message: ReplicaMessage; readonly to: readonly ReplicaId[] }[] {
    const waiting = [...this.#made.values()].filter(({ to }) => to.length > 0)
    return waiting.map(({ message, to }) => ({ message: message as ReplicaMessage, to }))
  }

  /** A core in the state in which this one is, that goes on with other inputs and signs by `capabilities`. Only after the first input. */
  coreFrom(capabilities: Capabilities): { readonly core: ReplicaCore; readonly service: Service } {
    assertThat(this.#proof.inputs > 0, 'a replay is gone on from after its first input')
    const service = this.#service.copy()
    return { core: coreOf(copyState(this.#state, capabilities, service).state), service }
  }

  /** Another replay that stands where this one does, and goes its own way. Only of one that has taken an input. */
  copy(): Replay {
    assertThat(this.#proof.inputs > 0, 'a replay is copied after its first input')
    return new Replay(this.#source, this.#digest, this)
  }

  /** Begins at the `start` entry with that index. `digest`: SHA-256. */
  static open(
    source: ReplaySource,
    start: number,
    digest: Capabilities['digest'],
  ): { readonly ok: true; readonly replay: Replay } | { readonly ok: false; readonly problem: ReplayProblem } {
    const read = readStart(source, start)
    return read.ok ? { ok: true, replay: new Replay(source, digest, read) } : read
  }

  /** The core's state as it is now; not to be changed. */
  get state(): ReplicaState {
    return this.#state
  }

  /** Index of the entry after the last step and all that it led to. */
  get next(): number {
    return this.#next
  }

  /** Timers that run, and when they are due by the replica's clock, ms. */
  get timers(): ReadonlyMap<TimerName, number> {
    return this.#timers
  }

  get proof(): ReplayProof {
    let onlyHere = 0
    for (const { count } of this.#made.values()) onlyHere += count
    return { ...this.#proof, sendsOnlyHere: onlyHere, divergences: this.#divergences }
  }

  stateDigest(): Digest {
    return this.#core.stateDigest()
  }

  /** Takes the next input; null at the end of the recording, or where something of it is lost. */
  step(): ReplayedStep | null {
    const entry = this.#next < this.#source.count ? this.#source.entry(this.#next) : null
    if (entry === null || entry.kind !== 'input') return null
    const index = this.#next
    this.#next += 1
    this.#signedAt = this.#next
    if (entry.input.type === 'timer') this.#timers.delete(entry.input.timer)
    const effects = this.#core.step(entry.input, entry.nowMs)
    this.#proof.inputs += 1
    for (const effect of effects) this.#note(effect, entry.nowMs)
    this.#compare(entry.input)
    return { index, at: entry.at, nowMs: entry.nowMs, input: entry.input, effects }
  }

  /** The next signature of the recording; a run that signs more than it did is another one. */
  #sign(): Uint8Array {
    for (let index = this.#signedAt; index < this.#source.count; index++) {
      const entry = this.#source.entry(index)
      if (entry === null || entry.kind === 'input') break
      if (entry.kind !== 'signed') continue
      this.#signedAt = index + 1
      this.#proof.signaturesEqual += 1
      return entry.signature
    }
    this.#diverge(this.#next, 'this run signs something that the recorded one did not')
    return new Uint8Array(64)
  }

  #note(effect: Effect, nowMs: number): void {
    switch (effect.type) {
      case 'send':
        this.#make(effect.message, effect.to)
        break
      case 'set-timer':
        this.#timers.set(effect.timer, nowMs + effect.delayMs)
        break
      case 'cancel-timer':
        this.#timers.delete(effect.timer)
        break
      case 'event':
        if (effect.event.type === 'rejected') this.#rejections.push(effect.event.reason)
        else if (effect.event.type === 'checkpoint') this.#checkpoints.push(`${effect.event.seq} ${effect.event.digest}`)
        break
      case 'persist':
        break
      default:
        // Whatever else leaves, leaves for a client.
        this.#make(messageOf(effect), [])
    }
  }

  #make(message: Message, to: readonly ReplicaId[]): void {
    if (this.#isByzantine) return
    const bytes = encodeMessage(message)
    const key = keyOf(crc32(bytes), bytes.length, to)
    const known = this.#made.get(key)
    if (known === undefined) this.#made.set(key, { message, to, count: 1 })
    else known.count += 1
  }

  /** Reads on to the next input, comparing what the recorded run did with what this one does. */
  #compare(input: Input | null): void {
    for (; this.#next < this.#source.count; this.#next++) {
      const entry = this.#source.entry(this.#next)
      if (entry === null || entry.kind === 'input') break
      switch (entry.kind) {
        case 'signed':
          if (this.#next >= this.#signedAt) this.#diverge(this.#next, 'the recorded run signed something that this one does not')
          break
        case 'rejected':
          if (this.#rejections.shift() === entry.reason) this.#proof.rejectionsEqual += 1
          else this.#diverge(this.#next, `the recorded run refused ${input?.type ?? 'something'}: ${entry.reason}; this one does not`)
          break
        case 'checkpoint':
          if (this.#checkpoints.shift() === `${entry.seq} ${entry.digest}`) this.#proof.checkpointsEqual += 1
          else this.#diverge(this.#next, `the recorded run took checkpoint ${entry.seq} with digest ${entry.digest}; this one did not`)
          break
        case 'sent':
          this.#compareSent(entry)
          break
        case 'faults':
          this.#onFaults(entry.faults)
          break
        default:
          break
      }
    }
    if (this.#rejections.length > 0) this.#diverge(this.#next - 1, `only this run refused its input: ${this.#rejections.join(', ')}`)
    if (this.#checkpoints.length > 0) this.#diverge(this.#next - 1, `only this run took a checkpoint: ${this.#checkpoints.join(', ')}`)
    this.#rejections = []
    this.#checkpoints = []
  }

  #compareSent(entry: Extract<RecordedEntry, { kind: 'sent' }>): void {
    if (this.#isByzantine) {
      this.#proof.sendsUnchecked += 1
      return
    }
    const key = keyOf(
      entry.sum,
      entry.size,
      entry.to.map(({ replica }) => replica),
    )
    const made = this.#made.get(key)
    if (made === undefined) {
      this.#diverge(this.#next, `the recorded run sent a ${entry.head.type} that this one did not make`)
      return
    }
    if (made.count === 1) this.#made.delete(key)
    else made.count -= 1
    this.#proof.sendsEqual += 1
  }

  /** What a Byzantine behaviour lets out is not what the core made. */
  #onFaults(faults: string): void {
    let behaviour: unknown
    try {
      behaviour = (JSON.parse(faults) as { byzantine?: unknown }).byzantine
    } catch {
      behaviour = null
    }
    this.#isByzantine = behaviour !== null && behaviour !== undefined
    this.#made.clear()
  }

  #diverge(index: number, what: string): void {
    if (this.#divergences.length < divergencesMax) this.#divergences.push({ index, what })
  }
}

const keyOf = (sum: number, size: number, to: readonly number[]): string => `${sum} ${size} ${to.join(',')}`

type ForClient = Exclude<Effect, { type: 'send' | 'set-timer' | 'cancel-timer' | 'event' | 'persist' }>
const messageOf = (effect: ForClient): Message => (effect.type === 'reply' ? effect.reply : effect.message)
