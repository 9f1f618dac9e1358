/** One run: a cluster with clients under faults, then healing, then the checkers' verdict. */
import { noLinkFault } from '../faults/index.ts'
import { asReplicaId, type ReplicaId } from '../protocol/ids.ts'
import type { ClientMessage } from '../protocol/messages.ts'
import type { ProtocolConfig } from '../protocol/config.ts'
import { faultsTolerated } from '../protocol/quorum.ts'
import type { ReplyBounds } from '../protocol/reply-cache.ts'
import { messageTypeOf } from '../wire/index.ts'
import { isTogether, type FinalState, type Violation } from './checkers/index.ts'
import { ClientNode } from './client-node.ts'
import { HostileNode } from './hostile-client.ts'
import { calmMix, drawFaultMix, isCalmBut, type FaultMix } from './fault-mix.ts'
import { createKeys } from './keys.ts'
import { Nemesis, type VoteKind } from './nemesis.ts'
import { SimNetwork } from './network.ts'
import { createRandom, type Random } from './random.ts'
import { Recording } from './recording.ts'
import { ReplicaNode } from './replica-node.ts'
import { Schedule } from './schedule.ts'
import { Trace } from './trace.ts'
import { drawTraitors, type Traitors } from './traitors.ts'
import { drawTwinPlan, type TwinPlan } from './twins.ts'
import { TwinRounds } from './twin-rounds.ts'
import { judge } from './verdict.ts'
import { Without } from './without.ts'

export interface SeedOptions {
  readonly seed: number
  /** n; 1 or at least 4. */
  readonly replicas: number
  /** Steps of cores under faults; healing and convergence come on top. */
  readonly steps: number
  /** Overrides parts of the mixture drawn from the seed; `'calm'` is no faults. */
  readonly faults?: Partial<FaultMix> | 'calm'
  /** Overrides parts of the configuration and of the shape drawn from the seed. */
  readonly config?: Partial<Omit<ProtocolConfig, 'n' | 'id'>>
  readonly authentication?: 'signature' | 'mac'
  /** What the twins do when there are any, instead of what the seed draws; then there are some. */
  readonly twins?: TwinPlan
  /** Parts of the run to leave out, to find the least that still shows something: see `without.ts`. */
  readonly without?: readonly string[]
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
  /** How many clients the seed has, also those left out, and how often the nemesis acted. */
  readonly clients: number
  readonly actions: number
  /** Equal for equal runs. */
  readonly traceDigest: string
  readonly violations: readonly Violation[]
}

/** After healing, everything that is under way has to be finished within this much simulated time. */
const livenessBoundMs = 20_000
/** The faults end after this much simulated time even if little has happened, ms. */
const faultsMaxMs = 60_000
/** How long nothing may happen once everything is settled, ms: longer than any time-out of a view. */
const restMs = 2_500
/** Time-outs of a view after which at the latest a replica that left it alone is followed; its peers' patience doubles each time. */
const aloneTimeouts = 300
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
  readonly #traitors: Traitors
  /** The second instance of a replica, when there are twins; its endpoint comes after those of the clients. */
  readonly #twin: { readonly node: ReplicaNode; readonly endpoint: number; readonly rounds: TwinRounds } | null
  /** Votes of a kind that get to one replica only, which is named. */
  readonly #votesTo = new Map<VoteKind, number>()
  #steps = 0
  #highestView = 0
  #clientsDrawn = 0
  readonly #bounds: ReplyBounds
  readonly #viewTimeoutMs: number
  readonly #signatureHoldMs: number
  readonly #pendingRequestsMax: number

  constructor(options: SeedOptions) {
    const { seed, replicas: n } = options
    this.#options = options
    this.#random = createRandom(seed, `${n}`)
    this.#trace = new Trace(options.trace ?? null)
    const drawn = drawFaultMix(this.#random.fork('mix'))
    const given = options.faults === 'calm' ? calmMix : { ...drawn, ...options.faults }
    const without = new Without(options.without ?? [])
    this.#mix = without.mix(given)
    this.#traitors = this.#drawTraitors()
    const shape = this.#random.fork('shape')
    const clients = shape.whole(1, 6)
    this.#clientsDrawn = clients
    const twinned = [...this.#traitors].find(([, name]) => name === 'twins')?.[0] ?? null
    // One for the hostile client, whether there is one or not.
    const endpoints = n + clients + 1 + (twinned === null ? 0 : 1)
    this.#network = new SimNetwork(this.#schedule, this.#random.fork('network'), endpoints, (from, to, bytes, corrupt) =>
      this.#deliver(from, to, bytes, corrupt),
    )
    this.#setLinks(endpoints, this.#mix.link)
    const shared = { schedule: this.#schedule, keys: createKeys(seed, n), recording: this.#recording, trace: this.#trace, mix: this.#mix }
    const deferring = this.#random.fork('deferring')
    const deferProofFrom = deferring.chance(0.7) ? deferring.pick([1, 2]) : Infinity
    const tentativeExecution = this.#random.fork('tentative').chance(0.5)
    const config = { ...drawConfig(shape, n), deferProofFrom, tentativeExecution, ...options.config }
    this.#bounds = config
    this.#viewTimeoutMs = config.viewTimeoutMs
    this.#signatureHoldMs = config.signatureHoldMs
    this.#pendingRequestsMax = config.pendingRequestsMax
    const createNode = (id: number, endpoint: number, label: string): ReplicaNode => {
      const world = {
        ...shared,
        traitors: this.#traitors,
        send: (to: number, bytes: Uint8Array) => this.#sendToReplica(endpoint, to, bytes),
        sendToClient: ({ client }: ClientMessage, bytes: Uint8Array) => this.#sendToClient(endpoint, client, bytes),
        countStep: () => void this.#steps++,
        hasToldAll: (replica: number) => this.#replicas[replica]!.hasToldAll,
      }
      return new ReplicaNode(world, { ...config, id: asReplicaId(id) }, this.#random.fork(label))
    }
    this.#replicas = Array.from({ length: n }, (_, index) => createNode(index, index, `replica ${index}`))
    const drawnAuthentication = shape.pick(['signature', 'mac'] as const)
    const clientWorld = {
      ...shared,
      n,
      authentication: options.authentication ?? drawnAuthentication,
      thinkMs: shape.pick([1, 10, 50]),
      send: (endpoint: number, to: ReplicaId, bytes: Uint8Array) => this.#sendToReplica(endpoint, to, bytes),
    }
    this.#clients = Array.from({ length: clients }, (_, i) => new ClientNode(clientWorld, n + i, this.#random.fork(`client ${i}`))).filter(
      (_, i) => without.hasClient(i),
    )
    const { hostile } = this.#mix
    this.#hostile =
      hostile === null ? null : new HostileNode(clientWorld, n + clients, this.#random.fork('hostile'), hostile, () => this.#primary())
    this.#twin = twinned === null ? null : this.#createTwin(twinned, createNode(twinned, endpoints - 1, 'twin'), endpoints - 1)
    this.#nemesis = this.#createNemesis(endpoints, without)
    this.#trace.line(0, `seed ${seed} n ${n} clients ${clients} config ${JSON.stringify(config)} mix ${JSON.stringify(this.#mix)}`)
  }

  run(): SeedResult {
    for (const replica of this.#replicas) replica.start(true)
    for (const client of this.#clients) client.start()
    this.#hostile?.start()
    this.#twin?.node.start(true)
    this.#twin?.rounds.start()
    this.#nemesis.start()
    this.#scheduleFlips()
    const isFaulty = (): boolean => (this.#steps < this.#options.steps || !this.#isPlanOver) && this.#schedule.now < faultsMaxMs
    while (isFaulty() && this.#isWorthwhile()) this.#schedule.runNext()
    this.#heal()
    this.#converge()
    const waiting = this.#clients.flatMap((client) => client.waitingFor ?? [])
    for (const { id, core, isCorrect } of this.#replicas)
      if (isCorrect && core !== null && core.snapshot().probation !== null) waiting.push(`the end of probation of r${id}`)
    waiting.push(...this.#unfinished())
    for (const { id, core, isCorrect } of this.#replicas)
      if (isCorrect && core?.snapshot().active === false) waiting.push(`replica ${id}, which left its view alone,`)
    for (const client of this.#clients) client.finish()
    for (const replica of this.#replicas) replica.finish()
    const states = this.#replicas.flatMap((replica) => {
      if (replica.core === null || !replica.isCorrect) return []
      const { view, active, lastExecuted } = replica.core.snapshot()
      return [{ replica: replica.id, view, active, lastExecuted, stateDigest: replica.core.stateDigest() }]
    })
    this.#checkRepairs(states)
    this.#checkHostile()
    const violations = judge(this.#recording, {
      states,
      replicas: this.#replicas.length,
      absent: this.#outOfReckoning,
      traitors: this.#traitors.size,
      waiting,
      boundMs: livenessBoundMs,
      bounds: this.#bounds,
    })
    const executed = new Set(this.#recording.log.flatMap((event) => (event.kind === 'executed' ? [event.seq] : [])))
    return {
      seed: this.#options.seed,
      steps: this.#steps,
      timeMs: this.#schedule.now,
      batches: executed.size,
      answered: this.#recording.calls.filter((call) => call.answer !== null).length,
      views: this.#highestView,
      clients: this.#clientsDrawn,
      actions: this.#nemesis.actions,
      traceDigest: this.#trace.digest,
      violations,
    }
  }

  /** A state that changed by itself is the others' again once it went through a stable checkpoint. */
  #checkRepairs(states: readonly FinalState[]): void {
    for (const { core, id, isRepairDue } of this.#replicas) {
      if (core === null || !isRepairDue) continue
      const { lastExecuted } = core.snapshot()
      const other = states.find((state) => state.lastExecuted === lastExecuted)
      if (other === undefined || other.stateDigest === core.stateDigest()) continue
      this.#recording.violation('divergence', `replica ${id} was not repaired: its state after seq ${lastExecuted} is its own`)
    }
  }

  /**
   * Requests that only some can verify cost f views for as long as their client is held to signatures, and no more. Where the queue is
   * shorter than there are clients, honest ones alone are turned away until they lose patience.
   */
  #checkHostile(): void {
    if (!isCalmBut(this.#mix) || this.#pendingRequestsMax <= this.#clientsDrawn) return
    const views = Math.max(...this.#replicas.map(({ core }) => core?.snapshot().view ?? 0))
    const most = faultsTolerated(this.#replicas.length) * (1 + Math.floor(this.#schedule.now / this.#signatureHoldMs))
    if (views > most) this.#recording.violation('pace', `a hostile client alone had the replicas leave ${views} views, not ${most} at most`)
  }

  /** A violation found while running ends the run: what comes after it is its consequence. */
  #isWorthwhile(): boolean {
    return !this.#schedule.isEmpty && this.#recording.violations.length === 0
  }

  /** A plan that was given runs to its end. */
  get #isPlanOver(): boolean {
    return this.#options.twins === undefined || this.#twin === null || this.#twin.rounds.isOver
  }

  /** Replicas that nothing is expected of any more. */
  get #outOfReckoning(): number {
    return new Set([...this.#absent, ...this.#traitors.keys()]).size
  }

  get #spoilt(): number {
    return this.#replicas.filter((replica) => replica.isSpoilt).length
  }

  #heal(): void {
    this.#trace.line(this.#schedule.now, 'heal')
    this.#nemesis.stop()
    this.#hostile?.stop()
    this.#twin?.rounds.stop()
    this.#setLinks(this.#network.count, { ...noLinkFault, delayMs: 0.5 })
    const healing = this.#random.fork('healing')
    const f = faultsTolerated(this.#replicas.length)
    const absent = healing.chance(0.4) ? healing.whole(0, Math.max(0, f - this.#traitors.size - this.#spoilt)) : 0
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
    let alone = false
    while (this.#isWorthwhile() && this.#schedule.now < (alone ? until + aloneTimeouts * this.#viewTimeoutMs : until)) {
      if (this.#steps > stepsMax)
        return this.#recording.violation('liveness', `a storm: ${healingStepsMax} steps after healing without an end`)
      this.#schedule.runNext()
      if (this.#schedule.now < nextLook) continue
      nextLook = this.#schedule.now + 20
      const settled = this.#settled()
      if (settled === 'all') return this.#rest()
      alone = settled === 'enough'
    }
  }

  /** Where all are correct and nothing is asked for, nobody leaves the view any more. */
  #rest(): void {
    if (this.#traitors.size > 0) return
    const views = this.#replicas.map(({ core }) => core?.snapshot().view)
    const until = this.#schedule.now + restMs
    while (this.#isWorthwhile() && this.#schedule.now < until) this.#schedule.runNext()
    for (const { id, core } of this.#replicas) {
      const view = core?.snapshot().view
      if (view !== views[id]) this.#recording.violation('liveness', `replica ${id} left view ${views[id]} although nothing was asked for`)
    }
  }

  /** What is still under way at replicas that take part. */
  #unfinished(): string[] {
    return this.#replicas.flatMap(({ id, core, isCorrect }) => {
      if (core === null || !isCorrect) return []
      const { active, pending, suspended, inFlight } = core.snapshot()
      const count = pending + suspended + inFlight
      return active && count > 0 ? [`replica ${id} (${pending} requests, ${suspended} unproven, ${inFlight} in flight)`] : []
    })
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
    if (snapshots.some((snapshot) => snapshot.probation !== null) || this.#unfinished().length > 0) return 'no'
    return snapshots.every((snapshot) => snapshot.active) ? 'all' : 'enough'
  }

  #drawTraitors(): Traitors {
    const { twins } = this.#options
    const n = this.#options.replicas
    return twins === undefined ? drawTraitors(this.#random.fork('traitors'), this.#mix.traitors, n) : new Map([[twins.replica, 'twins']])
  }

  #createTwin(id: number, node: ReplicaNode, endpoint: number): { node: ReplicaNode; endpoint: number; rounds: TwinRounds } {
    const n = this.#replicas.length
    const plan = this.#options.twins ?? drawTwinPlan(this.#random.fork('twins'), id, n)
    const world = {
      schedule: this.#schedule,
      trace: this.#trace,
      endpoints: Array.from({ length: n + 1 }, (_, i) => (i < n ? i : endpoint)),
      clients: this.#clients.map((client) => client.endpoint),
      cut: (from: number, to: number) => this.#network.cut(from, to),
      heal: (from: number, to: number) => this.#healLink(from, to),
    }
    return { node, endpoint, rounds: new TwinRounds(world, plan) }
  }

  /** Traitors by accident: their state changes once, some time into the run. */
  #scheduleFlips(): void {
    const random = this.#random.fork('flips')
    for (const [id, name] of this.#traitors) {
      if (name === 'flip') this.#schedule.after(random.between(100, 2_000), () => this.#replicas[id]!.flip())
    }
  }

  #createNemesis(endpoints: number, without: Without): Nemesis {
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
      stop: (id: number) => this.#replicas[id]!.stop(),
      maySpoilDisk: (id: number) => this.#maySpoilDisk(id),
      wipe: (id: number) => this.#replicas[id]!.wipe(),
      copyDisk: (id: number) => this.#replicas[id]!.copyDisk(),
      putBack: (id: number) => this.#replicas[id]!.putBack(),
      cut: (from: number, to: number) => this.#network.cut(from, to),
      heal: (from: number, to: number) => this.#healLink(from, to),
      slow: (from: number, to: number, delayMs: number) =>
        this.#network.setRule(from, to, { ...this.#mix.link, delayMs: this.#mix.link.delayMs + delayMs }),
      loseVotes: (kind: VoteKind, except: number | null) =>
        void (except === null ? this.#votesTo.delete(kind) : this.#votesTo.set(kind, except)),
      jumpClock: (id: number) => this.#replicas[id]!.jumpClock(),
      changeView: (id: number) => this.#replicas[id]!.changeView(),
      leavesOut: (action: number) => without.leavesOutAction(action),
    }
    return new Nemesis(world, this.#random.fork('nemesis'))
  }

  /** A lost disk is a fault until the replica is over it; beyond f of them nothing would follow. */
  #maySpoilDisk(id: number): boolean {
    const f = faultsTolerated(this.#replicas.length)
    return this.#traitors.size + this.#spoilt < f && !this.#traitors.has(id) && !this.#replicas[id]!.isSpoilt
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
    if (this.#network.heal(from, to) && this.#replicaAt(from) !== null && this.#replicaAt(to) !== null) this.#connect(from, to)
  }

  /** Both ends notice, not at the same time, that their link works (again). */
  #connect(a: number, b: number): void {
    for (const [self, peer] of [
      [a, b],
      [b, a],
    ] as const) {
      this.#schedule.after(this.#random.between(0.1, 20), () => {
        const other = this.#replicaAt(peer)
        const isLinked = other?.isUp === true && !this.#network.isCut(a, b) && !this.#network.isCut(b, a)
        if (isLinked) this.#replicaAt(self)?.connected(other.id)
      })
    }
  }

  #sendToClient(endpoint: number, client: string, bytes: Uint8Array): void {
    if (client === this.#hostile?.name) return
    const node = this.#clients.find((candidate) => candidate.name === client)
    if (node !== undefined) this.#network.send(endpoint, node.endpoint, bytes)
    else if (!client.startsWith('sim/')) this.#recording.violation('validity', `a replica answers ${client}, whom nobody knows`)
  }

  /** Of twins the network knows two; each gets what is sent to the one replica that they are. */
  #sendToReplica(endpoint: number, to: number, bytes: Uint8Array): void {
    this.#network.send(endpoint, to, bytes)
    if (this.#twin?.node.id === to) this.#network.send(endpoint, this.#twin.endpoint, bytes)
  }

  /** A spoilt frame is what a link's MAC notices: it is dropped. */
  #deliver(from: number, to: number, bytes: Uint8Array, corrupt: boolean): void {
    if (corrupt || this.#isVoteLost(to, bytes)) return
    const sender = this.#replicaAt(from)
    const receiver = this.#replicaAt(to)
    if (receiver !== null) receiver.receive(sender?.id ?? 'client', bytes)
    else if (sender !== null) this.#clients.find((client) => client.endpoint === to)?.receive(sender.id, bytes)
  }

  /** Commits get to traitors all the same: they may know what the others are not to know yet. */
  #isVoteLost(to: number, bytes: Uint8Array): boolean {
    if (this.#votesTo.size === 0) return false
    const type = messageTypeOf(bytes[0] ?? 0)
    if (type !== 'prepare' && type !== 'commit') return false
    const only = this.#votesTo.get(type)
    return only !== undefined && only !== to && (type === 'prepare' || !this.#traitors.has(to))
  }

  #replicaAt(endpoint: number): ReplicaNode | null {
    return endpoint === this.#twin?.endpoint ? this.#twin.node : (this.#replicas[endpoint] ?? null)
  }

  #setLinks(endpoints: number, rule: FaultMix['link']): void {
    for (const [a, b] of pairsOf(endpoints)) {
      this.#network.setRule(a, b, rule)
      this.#network.setRule(b, a, rule)
    }
  }
}

function pairsOf(count: number): (readonly [number, number])[] {
  const pairs: (readonly [number, number])[] = []
  for (let a = 0; a < count; a++) for (let b = a + 1; b < count; b++) pairs.push([a, b])
  return pairs
}

/** Small windows and short time-outs, so that a run passes many checkpoints and view changes. */
function drawConfig(random: Random, n: number): Omit<ProtocolConfig, 'id' | 'tentativeExecution'> {
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
    sessionsPerPrincipalMax: 4_096,
    replyBytesPerPrincipalMax: 8_388_608,
  }
}
