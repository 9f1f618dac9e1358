/** Hostile input at a live replica process: from an operator, a client, a replica that lies, and strangers. */
import fc from 'fast-check'
import { connect } from 'node:net'
import { WebSocket } from 'ws'
import { residentMbOf } from '../../src/cluster/bench/machine.ts'
import { dial, directoryOf, linkPath, sign, type Dialer, type DialerIdentity, type Link } from '../../src/link/index.ts'
import { dialerHandshake } from '../../src/link/handshake.ts'
import { asReplicaId } from '../../src/pbft/protocol/ids.ts'
import type { Message } from '../../src/pbft/protocol/messages.ts'
import type { Random } from '../../src/pbft/sim/index.ts'
import { decodeMessage, encodeMessage, signedBytes } from '../../src/pbft/wire/index.ts'
import { prepareCluster, type Running } from '../support/processes.ts'
import { requests } from '../support/wire-arbitraries.ts'
import { until } from '../support/until.ts'
import { messagePool } from './codecs.ts'
import { mutateBytes, mutateJson } from './mutate.ts'
import { Tally, type Outcome } from './outcome.ts'

/** Resident, MiB: most of it is garbage that V8 has not collected yet. What the replica keeps is bounded by its heap's limit below. */
const memoryGrowthMaxMb = 320
/** A replica that kept something of every input would end for lack of memory, MiB. */
const replicaHeapMb = 64
/** Sent before answers or the socket are waited for. */
const burst = 4_000
const bufferedMax = 4_194_304
const waitMs = 120_000

export interface LiveShares {
  readonly control: number
  readonly client: number
  readonly replica: number
  readonly stranger: number
}

class Target {
  readonly running: Running
  readonly #pid: number
  readonly #watch

  constructor(running: Running, pid: number) {
    this.running = running
    this.#pid = pid
    this.#watch = running.control(0)
  }

  get memoryMb(): number {
    return Math.round(residentMbOf(this.#pid) ?? 0)
  }

  get alive(): boolean {
    return this.running.processes[0]?.child.exitCode === null && this.running.processes[0].child.signalCode === null
  }

  /** How often it refused what, by a report that it made after this call. */
  async rejections(): Promise<Readonly<Record<string, number>>> {
    const { length } = this.#watch.reports
    await until(() => this.#watch.reports.length > length + 1 || !this.alive, waitMs, 'a report')
    return this.#watch.reports.at(-1)?.rejections ?? {}
  }

  async lastExecuted(): Promise<number> {
    await this.rejections()
    return this.#watch.reports.at(-1)?.lastExecuted ?? 0
  }

  dial(identity: DialerIdentity, onMessages: (messages: readonly Uint8Array[]) => void): Dialer {
    const { manifest } = this.running.cluster
    const [to] = manifest.replicas
    if (to === undefined) throw new Error('no replica')
    const handlers = { onMessages, onClose: () => undefined }
    // A machine that stands still for some seconds must not end the link: what was sent would be lost.
    const settings = { missedMax: 60 }
    return dial({ directory: directoryOf(manifest), identity, to, settings, pauseMaxMs: 200, onLink: () => handlers })
  }
}

const linkOf = async (dialer: Dialer): Promise<Link> => {
  await until(() => dialer.link !== null, waitMs, 'the link')
  return dialer.link as Link
}

const grown = (before: Readonly<Record<string, number>>, after: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(after)
      .map(([reason, count]) => [reason, count - (before[reason] ?? 0)] as const)
      .filter(([, count]) => count > 0),
  )
const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((total, count) => total + count, 0)

const controlCalls: readonly unknown[] = [
  { id: 1, call: 'observe' },
  { id: 2, call: 'history', after: 0, limit: 10 },
  {
    id: 3,
    call: 'faults',
    faults: {
      outgoing: [{ peer: 1, rule: { cut: false, delayMs: 1, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, corrupt: 0 } }],
      incomingCut: [2],
      clientsCut: false,
      byzantine: { behaviour: 'starve', victim: 2 },
    },
  },
]
const noFaults = { outgoing: [], incomingCut: [], clientsCut: false, byzantine: null }

/** An operator whose calls are spoilt: every one of them is answered or refused, and what is refused is counted. */
const fuzzControl = async (target: Target, random: Random, inputs: number): Promise<Outcome> => {
  const tally = new Tally()
  const before = await target.rejections()
  let answered = 0
  const { operator } = target.running.cluster
  const dialer = target.dial({ role: 'control', name: 'operator', key: operator }, (messages) => {
    for (const message of messages) {
      const { type } = JSON.parse(Buffer.from(message).toString()) as { type: string }
      if (type === 'answer') tally.accept()
      else if (type === 'refused') tally.refused += 1
      else continue
      answered += 1
    }
  })
  const link = await linkOf(dialer)
  const memoryBefore = target.memoryMb
  for (let sent = 0; sent < inputs;) {
    for (const end = Math.min(inputs, sent + burst); sent < end; sent += 1) {
      const text = Buffer.from(
        JSON.stringify(random.chance(0.6) ? mutateJson(random, random.pick(controlCalls)) : random.pick(controlCalls)),
      )
      link.send(random.chance(0.5) ? mutateBytes(random, text, text) : text)
    }
    const due = sent
    await until(() => answered >= due || !target.alive, waitMs, `answers to ${due} calls`)
    if (!target.alive) break
  }
  link.send(Buffer.from(JSON.stringify({ id: 9, call: 'faults', faults: noFaults })))
  await until(() => answered === inputs + 1 || !target.alive, waitMs, 'the last answer')
  tally.accepted -= 1
  dialer.close()
  const counted = grown(before, await target.rejections())
  if (sum(counted) !== tally.refused) tally.problem(`${tally.refused} were refused and ${sum(counted)} counted`)
  Object.assign(tally.reasons, counted)
  return tally.outcome('control link, from an operator', inputs, [memoryBefore, target.memoryMb], memoryGrowthMaxMb)
}

/** Sends all of `make`'s, as fast as they are taken. */
const pour = async (link: Link, target: Target, inputs: number, make: () => Uint8Array): Promise<void> => {
  for (let sent = 0; sent < inputs && target.alive;) {
    for (const end = Math.min(inputs, sent + burst); sent < end; sent += 1) link.send(make())
    link.flush()
    await until(() => link.bufferedBytes < bufferedMax || !target.alive, waitMs, 'the link to take more')
  }
}

/** Waits until the counters have stood still for a while; the counters. */
const settledRejections = async (target: Target): Promise<Readonly<Record<string, number>>> => {
  for (let last = await target.rejections(); ;) {
    const next = await target.rejections()
    if (sum(next) === sum(last) || !target.alive) return next
    last = next
  }
}

/** A client whose requests are spoilt: none is authentic, so every one is refused and counted, and nothing is executed. */
const fuzzClient = async (target: Target, random: Random, seed: number, inputs: number): Promise<Outcome> => {
  const tally = new Tally()
  const pool = [...fc.sample(requests, { seed, numRuns: 300 }).map(encodeMessage), ...messagePool(seed).slice(0, 200)]
  const honest = target.running.client('fuzz')
  for (let i = 0; i < 50; i += 1) pool.push(encodeMessage(honest.request({ type: 'put', key: `k${i}`, value: 'v' })))
  const { operator } = target.running.cluster
  const dialer = target.dial({ role: 'client', name: 'operator', key: operator }, () => undefined)
  const link = await linkOf(dialer)
  const before = await settledRejections(target)
  const memoryBefore = target.memoryMb
  await pour(link, target, inputs, () => mutateBytes(random, random.pick(pool), random.pick(pool)))
  const counted = grown(before, await settledRejections(target))
  dialer.close()
  Object.assign(tally.reasons, counted)
  tally.refused = sum(counted)
  if (tally.refused !== inputs) tally.problem(`of ${inputs} spoilt requests ${tally.refused} were counted as refused`)
  return tally.outcome('client link', inputs, [memoryBefore, target.memoryMb], memoryGrowthMaxMb)
}

/** A replica that lies, with its real key: some of what it says is validly signed nonsense, the rest is spoilt. One is no quorum. */
const fuzzReplica = async (target: Target, random: Random, seed: number, inputs: number): Promise<Outcome> => {
  const tally = new Tally()
  const pool = messagePool(seed)
  const { manifest, replicaKeys } = target.running.cluster
  const liar = asReplicaId(1)
  const key = replicaKeys[liar]
  if (key === undefined) throw new Error('no key')
  const signed = (message: Message): Message => {
    const own = 'replica' in message ? { ...message, replica: liar } : message
    if (own.type !== 'pre-prepare' && own.type !== 'checkpoint' && own.type !== 'view-change' && own.type !== 'new-view') return own
    return { ...own, signature: sign(key, signedBytes(own, manifest.clusterId)) }
  }
  const plausible = pool.flatMap((bytes) => {
    const decoded = decodeMessage(bytes)
    return decoded.ok ? [encodeMessage(signed(decoded.value))] : []
  })
  const dialer = target.dial({ role: 'replica', name: String(liar), key }, () => undefined)
  const link = await linkOf(dialer)
  const before = await settledRejections(target)
  const memoryBefore = target.memoryMb
  const make = (): Uint8Array =>
    random.chance(0.5) ? random.pick(plausible) : mutateBytes(random, random.pick(plausible), random.pick(pool))
  await pour(link, target, inputs, make)
  const counted = grown(before, await settledRejections(target))
  dialer.close()
  Object.assign(tally.reasons, counted)
  tally.refused = sum(counted)
  // What a peer may say (a vote, a status) is taken and leads nowhere alone; only a quorum would make it execute.
  tally.accepted = Math.max(0, inputs - tally.refused)
  const executed = await target.lastExecuted()
  if (executed !== 0) tally.problem(`one liar made it execute up to ${executed}`)
  return tally.outcome('replica link, from a liar', inputs, [memoryBefore, target.memoryMb], memoryGrowthMaxMb)
}

const closed = (socket: WebSocket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()))

/** One stranger: a spoilt hello and more, or bytes that are no HTTP. Resolves when the replica has hung up. */
const visit = async (target: Target, random: Random): Promise<void> => {
  const { manifest, operator } = target.running.cluster
  const { hello } = dialerHandshake(directoryOf(manifest), { role: 'control', name: 'operator', key: operator }, 0)
  const [member] = manifest.replicas
  if (member === undefined) throw new Error('no replica')
  const socket = new WebSocket(`ws://${member.host}:${member.port}${linkPath}`)
  socket.on('error', () => undefined)
  socket.once('open', () => {
    socket.send(random.chance(0.2) ? 'text' : mutateBytes(random, hello, hello))
    for (let i = 0; i < 2; i += 1) socket.send(mutateBytes(random, hello, hello))
  })
  await closed(socket)
}

const visitRaw = (target: Target, random: Random): Promise<void> => {
  const [member] = target.running.cluster.manifest.replicas
  const request = Buffer.from(
    `GET ${linkPath} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n`,
  )
  return new Promise((resolve) => {
    const socket = connect(member?.port ?? 0, member?.host)
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    socket.on('data', () => undefined)
    socket.end(mutateBytes(random, request, request))
  })
}

/** Strangers, some at a time. Each that speaks the WebSocket protocol is counted once. */
const fuzzStranger = async (target: Target, random: Random, inputs: number): Promise<Outcome> => {
  const tally = new Tally()
  const before = await settledRejections(target)
  const memoryBefore = target.memoryMb
  const raw = Math.floor(inputs / 4)
  let left = inputs
  const some = async (): Promise<void> => {
    for (left -= 1; left >= 0 && target.alive; left -= 1) await (left < raw ? visitRaw(target, random) : visit(target, random))
  }
  await Promise.all(Array.from({ length: 16 }, some))
  const counted = grown(before, await settledRejections(target))
  Object.assign(tally.reasons, counted)
  tally.refused = sum(counted)
  if (tally.refused < inputs - raw) tally.problem(`of ${inputs - raw} strangers ${tally.refused} were counted`)
  return tally.outcome('strangers at the port', inputs, [memoryBefore, target.memoryMb], memoryGrowthMaxMb)
}

/** All of it at one process, one after another; it has to be there at the end. */
export const fuzzLive = async (random: Random, seed: number, shares: LiveShares): Promise<Outcome[]> => {
  const running = await prepareCluster(4, { durability: 'process' })
  const nodeOptions = process.env['NODE_OPTIONS'] ?? ''
  try {
    process.env['NODE_OPTIONS'] = `${nodeOptions} --max-old-space-size=${replicaHeapMb}`
    const started = await running.start(0)
    process.env['NODE_OPTIONS'] = nodeOptions
    const target = new Target(running, started.child.pid ?? 0)
    const outcomes = [
      await fuzzControl(target, random.fork('control'), shares.control),
      await fuzzClient(target, random.fork('client'), seed, shares.client),
      await fuzzReplica(target, random.fork('replica'), seed, shares.replica),
      await fuzzStranger(target, random.fork('stranger'), shares.stranger),
    ]
    if (target.alive) return outcomes
    const died = `the replica ended: ${started.stderr()}`
    return outcomes.map((outcome) => ({ ...outcome, problems: [...outcome.problems, died] }))
  } finally {
    await running.close()
  }
}
