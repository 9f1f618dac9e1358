/**
 * A recorded run gone on with in the simulator: the replicas as they stood at one moment, what was on its way between them, new clients, and
 * faults that did not happen. What follows is deterministic; clocks and network are the simulator's.
 */
import { asReplicaId } from '../protocol/ids.ts'
import type { ClientMessage } from '../protocol/messages.ts'
import { faultsTolerated } from '../protocol/quorum.ts'
import { checkAgreement, checkCheckpoints, checkVotes, type Violation } from './checkers/index.ts'
import { ClientNode } from './client-node.ts'
import { calmMix } from './fault-mix.ts'
import { createKeys, type RecordedKeys } from './keys.ts'
import { SimNetwork } from './network.ts'
import { createRandom } from './random.ts'
import { Recording } from './recording.ts'
import { epochMs, ReplicaNode, type StandingReplica } from './replica-node.ts'
import { Schedule } from './schedule.ts'
import { Trace } from './trace.ts'

export interface RecordedMoment {
  /** By id; null: it was not running. */
  readonly replicas: readonly (StandingReplica | null)[]
  /** ms since the epoch. */
  readonly nowMs: number
  /** Sent before the moment and not taken before it. */
  readonly underWay: readonly { readonly from: number; readonly to: number; readonly bytes: Uint8Array }[]
  readonly keys: RecordedKeys
}

/** What might have happened at that moment, for good. */
export type WhatIf =
  | { readonly kind: 'crash'; readonly replica: number }
  | { readonly kind: 'isolate'; readonly replica: number }
  /** Both ways. */
  | { readonly kind: 'cut'; readonly a: number; readonly b: number }

export interface ContinueOptions {
  readonly seed: number
  readonly whatIf: readonly WhatIf[]
  /** How long clients go on asking, simulated ms. */
  readonly durationMs: number
  readonly onTrace?: (line: string) => void
}

export interface ContinuedReplica {
  readonly replica: number
  readonly view: number
  readonly active: boolean
  readonly lastExecuted: number
}

export interface Continued {
  readonly before: readonly ContinuedReplica[]
  readonly after: readonly ContinuedReplica[]
  /** Requests of new clients: asked, and answered. */
  readonly asked: number
  readonly answered: number
  /** From the moment to the first answer, and the longest time without one, simulated ms; null: none came. */
  readonly firstAnswerMs: number | null
  readonly longestGapMs: number | null
  /** Each view that a quorum's highest was, and when, simulated ms after the moment. */
  readonly views: readonly { readonly view: number; readonly atMs: number }[]
  /** More faults than are tolerated: nothing is promised but safety. */
  readonly isBeyondF: boolean
  readonly violations: readonly Violation[]
}

const clientsCount = 3
const thinkMs = 10
/** What was asked last may still be answered within this, simulated ms. */
const patienceMs = 60_000
const lookEveryMs = 10
const stepsMax = 2_000_000

/** Replicas that a fault takes away, as quorums count: of a cut link one of its two ends. */
const takenAway = (moment: RecordedMoment, whatIf: readonly WhatIf[]): number => {
  const gone = new Set(moment.replicas.flatMap((replica, id) => (replica === null ? [id] : [])))
  for (const fault of whatIf) {
    if (fault.kind !== 'cut') gone.add(fault.replica)
    else if (!gone.has(fault.a) && !gone.has(fault.b)) gone.add(fault.a)
  }
  return gone.size
}

class Continuation {
  readonly #moment: RecordedMoment
  readonly #options: ContinueOptions
  readonly #schedule = new Schedule()
  readonly #recording = new Recording()
  readonly #network: SimNetwork
  readonly #replicas: readonly ReplicaNode[]
  readonly #clients: readonly ClientNode[]
  readonly #views: { view: number; atMs: number }[] = []
  /** Of the simulated clock. */
  readonly #beganAt: number
  #steps = 0
  #before: readonly ContinuedReplica[] = []

  constructor(moment: RecordedMoment, options: ContinueOptions) {
    this.#moment = moment
    this.#options = options
    const n = moment.replicas.length
    const random = createRandom(options.seed, 'continuation')
    const trace = new Trace(options.onTrace ?? null)
    this.#beganAt = Math.max(0, moment.nowMs - epochMs)
    this.#network = new SimNetwork(this.#schedule, random.fork('network'), n + clientsCount, (from, to, bytes) =>
      this.#deliver(from, to, bytes),
    )
    const shared = {
      schedule: this.#schedule,
      keys: createKeys(options.seed, n, moment.keys),
      recording: this.#recording,
      trace,
      mix: calmMix,
    }
    const config = moment.replicas.find((replica) => replica !== null)?.config
    if (config === undefined) throw new RangeError('no replica was running at that moment')
    this.#replicas = moment.replicas.map((_, id) => {
      const world = {
        ...shared,
        traitors: new Map(),
        send: (to: number, bytes: Uint8Array) => this.#network.send(id, to, bytes),
        sendToClient: ({ client }: ClientMessage, bytes: Uint8Array) => this.#sendToClient(id, client, bytes),
        countStep: () => void this.#steps++,
        hasToldAll: () => false,
      }
      return new ReplicaNode(world, { ...config, id: asReplicaId(id) }, random.fork(`replica ${id}`))
    })
    const send = (endpoint: number, to: number, bytes: Uint8Array): void => this.#network.send(endpoint, to, bytes)
    const clientWorld = { ...shared, n, authentication: 'signature' as const, thinkMs, send }
    this.#clients = Array.from({ length: clientsCount }, (_, k) => new ClientNode(clientWorld, n + k, random.fork(`client ${k}`)))
    for (let a = 0; a < n + clientsCount; a++) for (let b = 0; b < n + clientsCount; b++) this.#network.setRule(a, b, calmMix.link)
  }

  run(): Continued {
    this.#schedule.at(this.#beganAt, () => this.#begin())
    this.#schedule.runNext()
    this.#schedule.after(this.#options.durationMs, () => this.#clients.forEach((client) => client.stop(0)))
    const isOver = (): boolean => this.#sinceMs > this.#options.durationMs && this.#clients.every(({ waitingFor }) => waitingFor === null)
    let nextLook = 0
    while (!this.#schedule.isEmpty && this.#steps < stepsMax && this.#sinceMs < this.#options.durationMs + patienceMs && !isOver()) {
      this.#schedule.runNext()
      if (this.#sinceMs < nextLook) continue
      nextLook = this.#sinceMs + lookEveryMs
      this.#noteView()
    }
    for (const client of this.#clients) client.finish()
    return this.#outcome()
  }

  get #sinceMs(): number {
    return this.#schedule.now - this.#beganAt
  }

  #begin(): void {
    for (const [id, standing] of this.#moment.replicas.entries()) if (standing !== null) this.#replicas[id]!.resume(standing)
    this.#before = this.#standing()
    for (const fault of this.#options.whatIf) this.#apply(fault)
    for (const { from, to, bytes } of this.#moment.underWay) this.#network.send(from, to, bytes)
    for (const client of this.#clients) client.start()
    this.#noteView()
  }

  #apply(fault: WhatIf): void {
    const cut = (a: number, b: number): void => {
      this.#network.cut(a, b)
      this.#network.cut(b, a)
    }
    if (fault.kind === 'cut') return cut(fault.a, fault.b)
    if (fault.kind === 'crash') {
      const replica = this.#replicas[fault.replica]!
      if (replica.isUp) replica.crash()
      return
    }
    for (let other = 0; other < this.#network.count; other++) if (other !== fault.replica) cut(fault.replica, other)
  }

  #deliver(from: number, to: number, bytes: Uint8Array): void {
    const n = this.#replicas.length
    const receiver = this.#replicas[to]
    if (receiver !== undefined) receiver.receive(from < n ? asReplicaId(from) : 'client', bytes)
    else this.#clients[to - n]?.receive(asReplicaId(from), bytes)
  }

  /** Clients of the recorded run are not there any more. */
  #sendToClient(from: number, client: string, bytes: Uint8Array): void {
    const node = this.#clients.find(({ name }) => name === client)
    if (node !== undefined) this.#network.send(from, node.endpoint, bytes)
  }

  #standing(): ContinuedReplica[] {
    return this.#replicas.flatMap(({ id, core }) => {
      if (core === null) return []
      const { view, active, lastExecuted } = core.snapshot()
      return [{ replica: id, view, active, lastExecuted }]
    })
  }

  /** The highest view that f+1 replicas have entered: at least one of them was not cut off. */
  #noteView(): void {
    const views = this.#standing()
      .flatMap(({ view, active }) => (active ? [view] : []))
      .sort((a, b) => b - a)
    const view = views[faultsTolerated(this.#replicas.length)]
    if (view !== undefined && view > (this.#views.at(-1)?.view ?? -1)) this.#views.push({ view, atMs: Math.round(this.#sinceMs) })
  }

  #outcome(): Continued {
    const { calls, log, votes, violations } = this.#recording
    const answers = calls.flatMap(({ answer }) => (answer === null ? [] : [answer.at - this.#beganAt])).sort((a, b) => a - b)
    const gaps = answers.map((at, i) => at - (answers[i - 1] ?? 0))
    return {
      before: this.#before,
      after: this.#standing(),
      asked: calls.length,
      answered: answers.length,
      firstAnswerMs: answers[0] === undefined ? null : Math.round(answers[0]),
      longestGapMs: gaps.length === 0 ? null : Math.round(Math.max(...gaps)),
      views: this.#views,
      isBeyondF: takenAway(this.#moment, this.#options.whatIf) > faultsTolerated(this.#replicas.length),
      violations: [
        // Whose pace it is began before the moment, so it cannot be judged from here.
        ...violations.filter(({ checker }) => checker !== 'pace'),
        ...checkAgreement(log),
        ...checkVotes(votes),
        ...checkCheckpoints(votes),
      ],
    }
  }
}

/** Goes on from `moment`. Throws a RangeError when no replica was running, or a fault names one that there is not. */
export const continueRun = (moment: RecordedMoment, options: ContinueOptions): Continued => {
  const n = moment.replicas.length
  for (const fault of options.whatIf) {
    const named = fault.kind === 'cut' ? [fault.a, fault.b] : [fault.replica]
    for (const id of named) if (id < 0 || id >= n) throw new RangeError(`there is no r${id} among ${n} replicas`)
  }
  return new Continuation(moment, options).run()
}
