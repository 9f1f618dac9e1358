/**
 * A small deterministic cluster for tests of the core: FIFO network, virtual clock, disks that keep what was persisted. The
 * driver's law is kept: a gated send or a reply leaves only when everything persisted before it is durable.
 */
import { createHash } from 'node:crypto'
import { createClient } from '../../src/pbft/protocol/client.ts'
import type { ClientCore, ClientEffect } from '../../src/pbft/protocol/client-steps.ts'
import { defaultProtocolConfig, type ProtocolConfig } from '../../src/pbft/protocol/config.ts'
import { asClientId, asDigest, asReplicaId, type Digest, type ReplicaId } from '../../src/pbft/protocol/ids.ts'
import type { AuthenticationWanted, ReplicaMessage, Reply, Request } from '../../src/pbft/protocol/messages.ts'
import type { LogRecord, Persisted } from '../../src/pbft/protocol/records.ts'
import { createReplica } from '../../src/pbft/protocol/replica.ts'
import type { Capabilities } from '../../src/pbft/protocol/capabilities.ts'
import type { DiskOrigin, Effect, Input, ProtocolEvent, ReplicaCore, TimerName } from '../../src/pbft/protocol/steps.ts'
import { encodeBatch } from '../../src/pbft/wire/index.ts'
import { isForged, macedFor, unprovenTo, unverifiedBy } from './test-macs.ts'
import { createCounterService, type CounterService } from './counter-service.ts'

export const sha256 = (bytes: Uint8Array): Digest => asDigest(createHash('sha256').update(bytes).digest('hex'))

/** The harness verifies no signatures, so any bytes do. */
export const testCapabilities: Capabilities = { digest: sha256, encodeBatch, sign: () => new Uint8Array(64) }

export const testConfig = (n: number, id: number, over: Partial<ProtocolConfig> = {}): ProtocolConfig => ({
  ...defaultProtocolConfig,
  checkpointInterval: 4,
  logWindow: 8,
  ...over,
  n,
  id: asReplicaId(id),
})

export interface Packet {
  readonly from: ReplicaId
  readonly to: ReplicaId
  readonly message: ReplicaMessage
}

/** What survives a crash. */
export class TestDisk {
  records: LogRecord[] = []
  readonly #whenEmpty: DiskOrigin

  /** `whenEmpty`: what an empty disk is taken for; a replica whose first records never became durable is still at its first start. */
  constructor(whenEmpty: DiskOrigin = 'genesis') {
    this.#whenEmpty = whenEmpty
  }

  get origin(): DiskOrigin {
    return this.records.length === 0 ? this.#whenEmpty : 'kept'
  }

  copy(): TestDisk {
    const disk = new TestDisk('lost')
    disk.records = this.records.slice()
    return disk
  }

  read(): Persisted {
    const partitions = new Map<number, Uint8Array>()
    for (const record of this.records) {
      if (record.kind === 'checkpoint') for (const { index, bytes } of record.partitions) partitions.set(index, bytes)
    }
    return { partitions: [...partitions].map(([index, bytes]) => ({ index, bytes })), records: this.records.slice() }
  }
}

/** What is left when a disk drops everything that records.ts lets it drop. */
export const compacted = (records: readonly LogRecord[]): LogRecord[] => {
  const lastOf = (kind: LogRecord['kind']): number => records.findLastIndex((record) => record.kind === kind)
  const stable = records[lastOf('stable')]
  const base = records[lastOf('checkpoint')]
  if (stable?.kind !== 'stable' || base?.kind !== 'checkpoint') return records.slice()
  const through = Math.min(stable.stable.seq, base.message.seq)
  return records.filter((record, index) => {
    if (record.kind === 'checkpoint') return true
    return 'seq' in record ? record.seq > through : index === lastOf(record.kind)
  })
}

export interface Node {
  readonly id: ReplicaId
  core: ReplicaCore
  service: CounterService
  readonly disk: TestDisk
  readonly timers: Map<TimerName, number>
  readonly events: ProtocolEvent[]
  /** With a lazy disk: effects from the first persist on that is not durable yet. */
  readonly waiting: Effect[]
  up: boolean
}

export interface TestClient {
  readonly id: string
  readonly core: ClientCore
  timerAt: number | null
  readonly results: { readonly result: Uint8Array; readonly seq: number; readonly repliers: readonly number[] }[]
}

export interface ClusterOptions {
  readonly n?: number
  readonly config?: Partial<ProtocolConfig>
  /** False drops the packet. */
  readonly filter?: (packet: Packet, cluster: Cluster) => boolean
  readonly capabilities?: Capabilities
  /** Records become durable only by `flush`. */
  readonly lazyDisk?: boolean
}

export class Cluster {
  nowMs = 1_000_000
  readonly nodes: Node[] = []
  readonly clients: TestClient[] = []
  readonly queue: Packet[] = []
  readonly replies: { readonly reply: Reply }[] = []
  readonly checked: { readonly by: ReplicaId; readonly seq: number }[] = []
  readonly wanted: { readonly from: ReplicaId; readonly message: AuthenticationWanted }[] = []
  filter: (packet: Packet, cluster: Cluster) => boolean
  /** False keeps a client's requests from a replica. */
  clientFilter: (to: ReplicaId, request: Request) => boolean = () => true
  /** Hears every event of every replica, in their order. */
  onEvent: (id: ReplicaId, event: ProtocolEvent) => void = () => {}
  /** False keeps a replica's reply from its client. */
  replyFilter: (reply: Reply) => boolean = () => true
  readonly #n: number
  readonly #config: Partial<ProtocolConfig>
  readonly #capabilities: Capabilities
  lazyDisk: boolean

  constructor(options: ClusterOptions = {}) {
    this.#n = options.n ?? 4
    this.#config = options.config ?? {}
    this.#capabilities = options.capabilities ?? testCapabilities
    this.filter = options.filter ?? (() => true)
    this.lazyDisk = options.lazyDisk ?? false
    for (let id = 0; id < this.#n; id++) this.nodes.push(this.#boot(id, new TestDisk()))
    for (const node of this.nodes) this.input(node.id, { type: 'start', disk: 'genesis' })
  }

  #boot(id: number, disk: TestDisk): Node {
    const service = createCounterService()
    const core = createReplica(testConfig(this.#n, id, this.#config), this.#capabilities, service, disk.read())
    return { id: asReplicaId(id), core, service, disk, timers: new Map(), events: [], waiting: [], up: true }
  }

  node(id: number): Node {
    const node = this.nodes[id]
    if (node === undefined) throw new Error(`no replica ${id}`)
    return node
  }

  /** Crashes a replica; of what its disk had not made durable the first `records` survive. */
  crash(id: number, records = 0): void {
    const node = this.node(id)
    node.up = false
    const survivors = node.waiting.filter((effect) => effect.type === 'persist').slice(0, records)
    for (const effect of survivors) node.disk.records.push(effect.record)
    node.waiting.length = 0
    node.timers.clear()
  }

  /** An orderly end: all that it has persisted is durable, with the mark that nothing follows. */
  stop(id: number): void {
    const node = this.node(id)
    for (const effect of node.core.step({ type: 'stop' }, this.nowMs)) this.#enqueue(node, effect)
    this.flush(id)
    this.crash(id)
  }

  /** Starts a replica again from its disk, or from another one. */
  restart(id: number, disk = this.node(id).disk): void {
    const booted = this.#boot(id, disk)
    this.nodes[id] = booted
    this.input(booted.id, { type: 'start', disk: disk.origin })
  }

  /** One input, its effects, and `drained`. */
  input(id: number, input: Input): Effect[] {
    const node = this.node(id)
    if (!node.up) return []
    const effects = [...node.core.step(input, this.nowMs), ...node.core.step({ type: 'drained' }, this.nowMs)]
    for (const effect of effects) this.#enqueue(node, effect)
    return effects
  }

  #enqueue(node: Node, effect: Effect): void {
    const waits = effect.type === 'persist' || effect.type === 'reply' || (effect.type === 'send' && effect.gated)
    if (waits && (node.waiting.length > 0 || (this.lazyDisk && effect.type === 'persist'))) node.waiting.push(effect)
    else this.#run(node, effect)
  }

  /** Makes everything durable that a replica has persisted, and lets go what waited for it. */
  flush(id: number): void {
    const node = this.node(id)
    if (!node.up) return
    for (const effect of node.waiting.splice(0)) this.#run(node, effect)
  }

  #run(node: Node, effect: Effect): void {
    switch (effect.type) {
      case 'persist':
        node.disk.records.push(effect.record)
        break
      case 'send':
        for (const to of effect.to) this.queue.push({ from: node.id, to, message: effect.message })
        break
      case 'reply':
        this.replies.push({ reply: effect.reply })
        this.#deliverReply(effect.reply)
        break
      case 'check-signatures': {
        const { seq, digest } = effect.message
        this.checked.push({ by: node.id, seq })
        this.input(node.id, { type: 'signatures-checked', seq, digest, holds: !isForged(effect.message) })
        break
      }
      case 'want-signature':
        this.wanted.push({ from: node.id, message: effect.message })
        this.#deliverWanted(node.id, effect.message)
        break
      case 'set-timer':
        node.timers.set(effect.timer, this.nowMs + effect.delayMs)
        break
      case 'cancel-timer':
        node.timers.delete(effect.timer)
        break
      case 'event':
        node.events.push(effect.event)
        this.onEvent(node.id, effect.event)
    }
  }

  #deliverWanted(from: ReplicaId, { client: id, timestamp }: AuthenticationWanted): void {
    const client = this.clients.find((other) => other.id === id)
    if (client !== undefined) this.#runClient(client, client.core.step({ type: 'authentication-wanted', from, timestamp }, this.nowMs))
  }

  #deliverReply(reply: Reply): void {
    const client = this.clients.find((other) => other.id === reply.client)
    if (client !== undefined && this.replyFilter(reply)) {
      this.#runClient(client, client.core.step({ type: 'reply', from: reply.replica, reply }, this.nowMs))
    }
  }

  /** Where `macs`, the client MACs what it need not sign; `goodFor` says which of its MACs hold. */
  addClient(id = `client/${this.clients.length}`, macs: { readonly goodFor: readonly number[] } | null = null): TestClient {
    const core = createClient(
      { n: this.#n, client: asClientId(id), retryMs: 200, retryMaxMs: 2_000 },
      {
        digest: sha256,
        authenticate: (body, signed) => {
          const request: Request = { ...body, authentication: { kind: 'signature', signature: new Uint8Array(64) } }
          return (signed || macs === null ? request : macedFor(request, macs.goodFor, this.#n)).authentication
        },
      },
    )
    const client: TestClient = { id, core, timerAt: null, results: [] }
    this.clients.push(client)
    return client
  }

  submit(client: TestClient, operation: Uint8Array, readOnly = false): void {
    this.#runClient(client, client.core.step({ type: 'submit', operation, readOnly }, this.nowMs))
  }

  #runClient(client: TestClient, effects: ClientEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'set-timer') client.timerAt = this.nowMs + effect.delayMs
      else if (effect.type === 'cancel-timer') client.timerAt = null
      else if (effect.type === 'completed') client.results.push(effect)
    }
    for (const effect of effects) {
      if (effect.type !== 'send') continue
      for (const to of effect.to) if (this.clientFilter(to, effect.request)) this.request(to, effect.request)
    }
  }

  /** A request over a client's link. */
  request(to: number, request: Request): Effect[] {
    return this.input(to, { type: 'request', request, isUnverified: unverifiedBy(to, request).length > 0 })
  }

  /** As a driver does: what is forged gets no further, unless the core defers the check. */
  #receive({ from, to, message }: Packet): void {
    const isDeferred = message.type === 'pre-prepare' && this.node(to).core.defers(message)
    if (!isDeferred && isForged(message)) return
    this.input(to, { type: 'message', from, message, unverified: isDeferred ? unprovenTo(to, message) : unverifiedBy(to, message) })
  }

  /** Delivers one packet, by its place in the queue. */
  deliverAt(index: number): void {
    const [packet] = this.queue.splice(index, 1)
    if (packet !== undefined) this.#receive(packet)
  }

  /** Lets the next timer fire. */
  tick(): void {
    const next = Math.min(...this.#dueTimes())
    if (next === Number.POSITIVE_INFINITY) return
    this.nowMs = Math.max(this.nowMs, next)
    this.#fireDue()
  }

  /** Delivers packets until none is left. */
  deliver(): void {
    for (let packet = this.queue.shift(); packet !== undefined; packet = this.queue.shift()) {
      if (this.filter(packet, this)) this.#receive(packet)
    }
  }

  /** Lets virtual time pass, delivering everything and firing timers as they come due. */
  run(durationMs: number): void {
    const end = this.nowMs + durationMs
    this.deliver()
    for (;;) {
      const next = Math.min(...this.#dueTimes())
      if (next > end) break
      this.nowMs = Math.max(this.nowMs, next)
      this.#fireDue()
      this.deliver()
    }
    this.nowMs = end
  }

  #dueTimes(): number[] {
    const times = this.clients.map((client) => client.timerAt ?? Number.POSITIVE_INFINITY)
    for (const node of this.nodes) if (node.up) times.push(...node.timers.values())
    return times
  }

  #fireDue(): void {
    for (const node of this.nodes) {
      for (const [timer, at] of [...node.timers]) {
        if (!node.up || at > this.nowMs || node.timers.get(timer) !== at) continue
        node.timers.delete(timer)
        this.input(node.id, { type: 'timer', timer })
      }
    }
    for (const client of this.clients) {
      if (client.timerAt === null || client.timerAt > this.nowMs) continue
      client.timerAt = null
      this.#runClient(client, client.core.step({ type: 'timer' }, this.nowMs))
    }
  }

  /** Submits and runs until the result is there; throws when it does not come within `limitMs`. */
  call(client: TestClient, operation: Uint8Array, limitMs = 20_000): { readonly result: Uint8Array; readonly seq: number } {
    const before = client.results.length
    this.submit(client, operation)
    return this.#await(client, before, limitMs)
  }

  read(client: TestClient, operation: Uint8Array, limitMs = 20_000): { readonly result: Uint8Array; readonly seq: number } {
    const before = client.results.length
    this.submit(client, operation, true)
    return this.#await(client, before, limitMs)
  }

  #await(client: TestClient, before: number, limitMs: number): { readonly result: Uint8Array; readonly seq: number } {
    const end = this.nowMs + limitMs
    this.deliver()
    while (client.results.length === before && this.nowMs < end) this.run(10)
    const result = client.results[before]
    if (result === undefined) throw new Error(`no result for ${client.id} within ${limitMs} ms`)
    return result
  }

  /** (seq, digest) executed by a replica, in the order of its disk. */
  executed(id: number): Map<number, Digest> {
    const executed = new Map<number, Digest>()
    for (const record of this.node(id).disk.records) if (record.kind === 'executed') executed.set(record.seq, record.digest)
    return executed
  }

  /** Throws when two replicas executed different batches at one sequence number. */
  assertAgreement(): void {
    const agreed = new Map<number, Digest>()
    for (const node of this.nodes) {
      for (const [seq, digest] of this.executed(node.id)) {
        const other = agreed.get(seq)
        if (other !== undefined && other !== digest) throw new Error(`replica ${node.id} disagrees at ${seq}`)
        agreed.set(seq, digest)
      }
    }
  }

  eventsOf<T extends ProtocolEvent['type']>(id: number, type: T): Extract<ProtocolEvent, { readonly type: T }>[] {
    return this.node(id).events.filter((event): event is Extract<ProtocolEvent, { readonly type: T }> => event.type === type)
  }
}
