/** One run: a cluster with clients under faults, then healing, then the checkers' verdict. */
import { noLinkFault, type BehaviourName } from '../faults/index.ts'
import { asReplicaId, type ReplicaId } from '../protocol/ids.ts'
import type { ClientMessage } from '../protocol/messages.ts'
import type { ProtocolConfig } from '../protocol/config.ts'
import { faultsTolerated } from '../protocol/quorum.ts'
import { isTogether, type Violation } from './checkers/index.ts'
import { ClientNode } from './client-node.ts'
import { HostileNode } from './hostile-client.ts'
import { calmMix, drawFaultMix, type FaultMix } from './fault-mix.ts'
import { createKeys } from './keys.ts'
import { Nemesis } from './nemesis.ts'
import { SimNetwork } from './network.ts'
import type { Plant } from './plant.ts'
import { createRandom, type Random } from './random.ts'
import { Recording } from './recording.ts'
import { ReplicaNode } from './replica-node.ts'
import { Schedule } from './schedule.ts'
import { Trace } from './trace.ts'
import { judge } from './verdict.ts'

export interface SeedOptions {
  readonly seed: number
  /** n; 1 or at least 4. */
  readonly replicas: number
  /** Steps of cores under faults; healing and convergence come on top. */
  readonly steps: number
  /** Overrides parts of the mixture drawn from the seed; `'calm'` is no faults. */
  readonly faults?: Partial<FaultMix> | 'calm'
  readonly plant?: Plant
  /** Overrides parts of the configuration and of the shape drawn from the seed. */
  readonly config?: Partial<Omit<ProtocolConfig, 'n' | 'id'>>
  readonly authentication?: 'signature' | 'mac'
  /** Called with every line of the trace. */
  readonly trace?: (line: string) => void
}

export interface SeedResult {
  readonly seed: number
  readonly steps: number
  /** Simulated, ms. */
  readonly timeMs: number
  /** Batches in the agreed order, and requests answered: a run in which nothing happens proves nothing. */
  readonly batches: number
  readonly answered: number
  /** The highest view that any replica was in. */
  readonly views: number
  /** Equal for equal runs. */
  readonly traceDigest: string
  readonly violations: readonly Violation[]
}

/** After healing, everything that is under way has to be finished within this much simulated time. */
const livenessBoundMs = 20_000
/** The faults end after this much simulated time even if little has happened, ms. */
const faultsMaxMs = 60_000
/** How long after everything else has settled a replica that left its view alone is waited for, ms. */
const aloneMs = 3_000
/** Steps after healing beyond which it is a storm, not progress. */
const healingStepsMax = 200_000

/** Runs one seed to its verdict. Same options, same result, to the byte of the trace. */
export function runSeed(options: SeedOptions): SeedResult {
  return new Simulation(options).run()
}

class Simulation {
  readonly #options: SeedOptions
  readonly #random: Random
  readonly #schedule = new Schedule()
  readonly #recording = new Recording()
  readonly #trace: Trace
  readonly #mix: FaultMix
  readonly #network: SimNetwork
  readonly #replicas: ReplicaNode[]
  readonly #clients: ClientNode[]
  readonly #hostile: HostileNode | null
  readonly #nemesis: Nemesis
  /** Replicas that are down for good from healing on: at most f, and the others have to do without them. */
  readonly #absent = new Set<number>()
  readonly #traitors: ReadonlyMap<number, BehaviourName>
  #steps = 0
  #highestView = 0

  constructor(options: SeedOptions) {
    const { seed, replicas: n } = options
    this.#options = options
    this.#random = createRandom(seed, `${n}`)
    this.#trace = new Trace(options.trace ?? null)
    const drawn = drawFaultMix(this.#random.fork('mix'))
    this.#mix = options.faults === 'calm' ? calmMix : { ...drawn, ...options.faults }
    // A planted bug is to be found among honest replicas.
    this.#traitors = options.plant === undefined ? drawTraitors(this.#random.fork('traitors'), this.#mix, n) : new Map()
    const shape = this.#random.fork('shape')
    const clients = shape.whole(1, 6)
    // One for the hostile client, whether there is one or not.
    const endpoints = n + clients + 1
    this.#network = new SimNetwork(this.#schedule, this.#random.fork('network'), endpoints, (from, to, bytes, corrupt) =>
      this.#deliver(from, to, bytes, corrupt),
    )
    this.#setLinks(endpoints, this.#mix.link)
    const shared = { schedule: this.#schedule, keys: createKeys(seed, n), recording: this.#recording, trace: this.#trace, mix: this.#mix }
    const config = { ...drawConfig(shape, n), ...options.config }
    this.#replicas = Array.from({ length: n }, (_, index) => {
      const id = asReplicaId(index)
      const world = {
        ...shared,
        plant: options.plant ?? null,
        traitors: this.#traitors,
        send: (from: ReplicaId, to: number, bytes: Uint8Array) => this.#network.send(from, to, bytes),
        sendToClient: (from: ReplicaId, { client }: ClientMessage, bytes: Uint8Array) => this.#sendToClient(from, client, bytes),
        countStep: () => void this.#steps++,
      }
      return new ReplicaNode(world, { ...config, id }, this.#random.fork(`replica ${index}`))
    })
    const drawnAuthentication = shape.pick(['signature', 'mac'] as const)
    const clientWorld = {
      ...shared,
      n,
      authentication: options.authentication ?? drawnAuthentication,
      thinkMs: shape.pick([1, 10, 50]),
      send: (endpoint: number, to: ReplicaId, bytes: Uint8Array) => this.#network.send(endpoint, to, bytes),
    }
    this.#clients = Array.from({ length: clients }, (_, i) => new ClientNode(clientWorld, n + i, this.#random.fork(`client ${i}`)))
    const { hostile } = this.#mix
    this.#hostile =
      hostile === null || clientWorld.authentication === 'signature'
        ? null
        : new HostileNode(clientWorld, n + clients, this.#random.fork('hostile'), hostile, () => this.#primary())
    this.#nemesis = this.#createNemesis(endpoints)
    this.#trace.line(0, `seed ${seed} n ${n} clients ${clients} config ${JSON.stringify(config)} mix ${JSON.stringify(this.#mix)}`)
  }

  run(): SeedResult {
    for (const replica of this.#replicas) replica.start(true)
    for (const client of this.#clients) client.start()
    this.#hostile?.start()
    this.#nemesis.start()
    const isFaulty = (): boolean => this.#steps < this.#options.steps && this.#schedule.now < faultsMaxMs
    while (isFaulty() && this.#isWorthwhile()) this.#schedule.runNext()
    this.#heal()
    this.#converge()
    const waiting = this.#clients.flatMap((client) => client.waitingFor ?? [])
    for (const client of this.#clients) client.finish()
    for (const replica of this.#replicas) replica.finish()
    const states = this.#replicas.flatMap((replica) => {
      if (replica.core === null || !replica.isCorrect) return []
      const { view, active, lastExecuted } = replica.core.snapshot()
      return [{ replica: replica.id, view, active, lastExecuted, stateDigest: replica.core.stateDigest() }]
    })
    const violations = judge(this.#recording, {
      states,
      replicas: this.#replicas.length,
      absent: this.#outOfReckoning,
      waiting,
      boundMs: livenessBoundMs,
    })
    const executed = new Set(this.#recording.log.flatMap((event) => (event.kind === 'executed' ? [event.seq] : [])))
    return {
      seed: this.#options.seed,
      steps: this.#steps,
      timeMs: this.#schedule.now,
      batches: executed.size,
      answered: this.#recording.calls.filter((call) => call.answer !== null).length,
      views: this.#highestView,
      traceDigest: this.#trace.digest,
      violations,
    }
  }

  /** A violation found while running ends the run: what comes after it is its consequence. */
  #isWorthwhile(): boolean {
    return !this.#schedule.isEmpty && this.#recording.violations.length === 0
  }

  /** Replicas that nothing is expected of any more. */
  get #outOfReckoning(): number {
    return new Set([...this.#absent, ...this.#traitors.keys()]).size
  }

  #heal(): void {
    this.#trace.line(this.#schedule.now, 'heal')
    this.#nemesis.stop()
    this.#hostile?.stop()
    this.#setLinks(this.#replicas.length + this.#clients.length + 1, { ...noLinkFault, delayMs: 0.5 })
    const healing = this.#random.fork('healing')
    const f = faultsTolerated(this.#replicas.length)
    const absent = healing.chance(0.4) ? healing.whole(0, f - this.#traitors.size) : 0
    while (this.#absent.size < absent) this.#absent.add(healing.whole(0, this.#replicas.length - 1))
    for (const id of this.#absent) if (this.#replicas[id]!.isUp) this.#replicas[id]!.crash()
    // New requests show that the cluster lives; but they also hide what only they set right.
    const left = healing.pick([0, 1, 1, 3])
    for (const client of this.#clients) client.stop(left)
    for (const replica of this.#replicas) this.#restart(replica.id)
    for (const [a, b] of pairsOf(this.#replicas.length)) this.#connect(a, b)
  }

  #converge(): void {
    const until = this.#schedule.now + livenessBoundMs
    const stepsMax = this.#steps + healingStepsMax
    let nextLook = this.#schedule.now
    let togetherSince = Infinity
    while (this.#isWorthwhile() && this.#schedule.now < until) {
      if (this.#steps > stepsMax)
        return this.#recording.violation('liveness', `a storm: ${healingStepsMax} steps after healing without an end`)
      this.#schedule.runNext()
      if (this.#schedule.now < nextLook) continue
      nextLook = this.#schedule.now + 20
      const settled = this.#settled()
      if (settled === 'all') return
      togetherSince = settled === 'enough' ? Math.min(togetherSince, this.#schedule.now) : Infinity
      if (this.#schedule.now - togetherSince > aloneMs) return
    }
  }

  /** Whether nothing is under way any more, at all replicas or at all but those that left their view alone. */
  #settled(): 'all' | 'enough' | 'no' {
    if (this.#clients.some((client) => client.waitingFor !== null)) return 'no'
    const snapshots = this.#replicas.flatMap((replica) =>
      replica.core === null || !replica.isCorrect ? [] : { replica: replica.id, ...replica.core.snapshot() },
    )
    for (const { view } of snapshots) this.#highestView = Math.max(this.#highestView, view)
    const f = faultsTolerated(this.#replicas.length)
    if (snapshots.length < this.#replicas.length - this.#outOfReckoning || !isTogether(snapshots, f)) return 'no'
    if (snapshots.some((snapshot) => snapshot.active && snapshot.inFlight > 0)) return 'no'
    return snapshots.every((snapshot) => snapshot.active) ? 'all' : 'enough'
  }

  #createNemesis(endpoints: number): Nemesis {
    const world = {
      schedule: this.#schedule,
      trace: this.#trace,
      mix: this.#mix,
      n: this.#replicas.length,
      endpoints,
      primary: () => this.#primary(),
      crash: (id: number) => this.#replicas[id]!.isUp && this.#replicas[id]!.crash(),
      crashAtProposal: (id: number) => this.#replicas[id]!.crashAtProposal(),
      restart: (id: number) => this.#restart(id),
      cut: (from: number, to: number) => this.#network.cut(from, to),
      heal: (from: number, to: number) => this.#healLink(from, to),
      slow: (from: number, to: number, delayMs: number) =>
        this.#network.setRule(from, to, { ...this.#mix.link, delayMs: this.#mix.link.delayMs + delayMs }),
      jumpClock: (id: number) => this.#replicas[id]!.jumpClock(),
      changeView: (id: number) => this.#replicas[id]!.changeView(),
    }
    return new Nemesis(world, this.#random.fork('nemesis'))
  }

  /** Of the highest view that is active somewhere. */
  #primary(): number {
    let view = 0
    for (const { core } of this.#replicas) {
      const snapshot = core?.snapshot()
      if (snapshot?.active === true) view = Math.max(view, snapshot.view)
    }
    return view % this.#replicas.length
  }

  #restart(id: number): void {
    const replica = this.#replicas[id]!
    replica.spare()
    if (replica.isUp || this.#absent.has(id)) return
    replica.start(false)
    for (let other = 0; other < this.#replicas.length; other++) if (other !== id) this.#connect(id, other)
  }

  #healLink(from: number, to: number): void {
    if (this.#network.heal(from, to) && from < this.#replicas.length && to < this.#replicas.length) this.#connect(from, to)
  }

  /** Both ends notice, not at the same time, that their link works (again). */
  #connect(a: number, b: number): void {
    for (const [self, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#schedule.after(this.#random.between(0.1, 20), () => {
        const isLinked = this.#replicas[peer]!.isUp && !this.#network.isCut(a, b) && !this.#network.isCut(b, a)
        if (isLinked) this.#replicas[self]!.connected(asReplicaId(peer))
      })
    }
  }

  #sendToClient(from: ReplicaId, client: string, bytes: Uint8Array): void {
    if (client === this.#hostile?.name) return
    const node = this.#clients.find((candidate) => candidate.name === client)
    if (node === undefined) this.#recording.violation('validity', `replica ${from} answers ${client}, whom nobody knows`)
    else this.#network.send(from, node.endpoint, bytes)
  }

  /** A spoilt frame is what a link's MAC notices: it is dropped. */
  #deliver(from: number, to: number, bytes: Uint8Array, corrupt: boolean): void {
    if (corrupt) return
    const n = this.#replicas.length
    if (to >= n) this.#clients[to - n]!.receive(asReplicaId(from), bytes)
    else this.#replicas[to]!.receive(from < n ? asReplicaId(from) : 'client', bytes)
  }

  #setLinks(endpoints: number, rule: FaultMix['link']): void {
    for (const [a, b] of pairsOf(endpoints)) {
      this.#network.setRule(a, b, rule)
      this.#network.setRule(b, a, rule)
    }
  }
}

/** At most f replicas, each with one of the mixture's behaviours. */
function drawTraitors(random: Random, mix: FaultMix, n: number): Map<number, BehaviourName> {
  const traitors = new Map<number, BehaviourName>()
  for (const behaviour of mix.traitors.slice(0, faultsTolerated(n))) {
    let id = random.whole(0, n - 1)
    while (traitors.has(id)) id = (id + 1) % n
    traitors.set(id, behaviour)
  }
  return traitors
}

function pairsOf(count: number): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = []
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) pairs.push([a, b])
  return pairs
}

/** Small windows and short time-outs, so that a run passes many checkpoints and view changes. */
function drawConfig(random: Random, n: number): Omit<ProtocolConfig, 'id'> {
  const checkpointInterval = random.pick([2, 4, 8, 64])
  return {
    n,
    checkpointInterval,
    logWindow: checkpointInterval * random.pick([2, 3]),
    batchRequestsMax: random.pick([1, 2, 16]),
    batchBytesMax: random.pick([200, 100_000]),
    pipelineMax: random.pick([1, 2, 4]),
    pendingRequestsMax: random.pick([3, 1_000]),
    viewTimeoutMs: random.pick([100, 300]),
    viewTimeoutMaxMs: 2_000,
    statusIntervalMs: random.pick([20, 50]),
    clockSkewMaxMs: 10_000,
    fetchTimeoutMs: random.pick([30, 100]),
    signatureHoldMs: 2_000,
  }
}
