/**
 * Golden scripts: what happens to a small cluster, and what it then does, as text that people can read and check (README.md). Lines
 * that begin with `>` are commands, the lines after each say what came of it.
 */
import type { ReplicaMessage } from '../../../src/pbft/protocol/messages.ts'
import type { ProtocolEvent, ViewChangeReason } from '../../../src/pbft/protocol/steps.ts'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster, TestDisk, type Packet, type TestClient } from '../../support/protocol-cluster.ts'

interface Loss {
  readonly type: string
  readonly from: number
  readonly to: number
  /** Null: at every sequence number. */
  readonly seq: number | null
}

const short = (digest: string): string => digest.slice(0, 6)

const reasonOf = (reason: ViewChangeReason): string => (reason.kind === 'joined' ? `joins ${reason.replicas.join(' ')}` : reason.kind)

/** What is said in a message, as short as it can be told from others. */
const said = (message: ReplicaMessage): string => {
  switch (message.type) {
    case 'pre-prepare':
    case 'prepare':
    case 'commit':
      return `${message.type} ${message.view}/${message.seq} ${short(message.digest)}`
    case 'checkpoint':
      return `checkpoint ${message.seq} of ${message.replica}`
    case 'view-change':
      return `view-change of ${message.replica} for view ${message.view}`
    case 'new-view':
      return `new-view ${message.view}`
    case 'batch-data':
      return `batch with ${message.batch.requests.length} requests`
    case 'fetch':
    case 'meta-data':
      return `${message.type} ${message.seq}, ${message.level}.${message.index}`
    case 'data':
      return `data ${message.seq}, ${message.index}: ${message.bytes.length} bytes`
    case 'status': {
      const slots = message.slots.map((slot) => {
        const reached = [slot.prePrepared ? 'pre-prepared' : '', slot.prepared ? 'prepared' : '', slot.committed ? 'committed' : '']
        return `, ${slot.seq} ${reached.filter((word) => word !== '').join(' ') || 'nothing'}`
      })
      const where = `${message.active ? 'in' : 'leaving for'} view ${message.view}`
      const held = message.viewChangesFrom.length === 0 ? '' : `, holds view-changes of ${message.viewChangesFrom.join(' ')}`
      const missing = message.missingBatches.length === 0 ? '' : `, misses ${message.missingBatches.length} batches`
      return `${message.solicits ? 'asks' : 'status'}: ${where}, stable ${message.stableSeq}, executed ${message.lastExecuted}${slots.join('')}${held}${missing}`
    }
    default:
      return message.type
  }
}

/** One line for an event that a reader of the protocol asks for; null for the others. */
const lineOf = (event: ProtocolEvent): string | null => {
  switch (event.type) {
    case 'phase':
      return `${event.phase} ${event.view}/${event.seq} ${short(event.digest)}, ${event.requests} requests`
    case 'view-change-started':
      return `leaves for view ${event.view}: ${reasonOf(event.reason)}`
    case 'view-change-received':
      return `has the view-change of ${event.from} for view ${event.view}: stable ${event.stableSeq}, P ${event.prepared}, Q ${event.prePrepared}`
    case 'view-entered':
      return `enters view ${event.view} of primary ${event.primary}: start ${event.start.seq}, chosen ${event.chosen}, null ${event.nulls}`
    case 'view-timer':
      return event.running ? `waits ${event.delayMs} ms before it leaves the view` : 'waits for nothing'
    case 'checkpoint':
      return `checkpoint ${event.seq} ${short(event.digest)}`
    case 'stable':
      return `stable ${event.seq} by ${event.replicas.join(' ')}`
    case 'transfer':
      return event.state === 'progress' ? null : `transfer of ${event.seq} ${event.state}, ${event.verified} pieces`
    case 'rejected':
      return `refuses ${event.message} of ${String(event.from)}: ${event.reason}`
    case 'divergence':
      return `divergence at ${event.seq}: ${event.digests.map(({ replica, digest }) => `${replica} ${short(digest)}`).join(', ')}`
    case 'differed':
      return `differed at ${event.seq} in partitions ${event.partitions.map(({ index }) => index).join(' ')}`
    case 'damaged':
      return `finds its disk damaged at ${event.seq}`
    case 'probation':
      return `on probation (${event.reason}): ${event.state}, until ${event.until ?? 'it knows'}`
    case 'disk-changed':
      return `has heard of a new disk of ${event.replica}`
    case 'evidence':
      return `convicts ${event.signer}`
    default:
      return null
  }
}

class Stage {
  readonly #cluster: Cluster
  readonly #clients: { readonly client: TestClient; answers: number }[] = []
  #lines: string[] = []
  #lost: Loss[] = []
  readonly #isolated = new Set<number>()
  #watched: readonly string[] = []
  readonly #beganAtMs: number

  /** `tentative`: batches are answered when they have prepared. */
  constructor(tentative: boolean) {
    this.#cluster = new Cluster({ config: { tentativeExecution: tentative } })
    this.#beganAtMs = this.#cluster.nowMs
    this.#cluster.replyFilter = (reply) => {
      if (reply.tentative) this.#say(`r${reply.replica} answers ${reply.client} tentatively, ${reply.view}/${reply.seq}`)
      return true
    }
    this.#cluster.filter = (packet) => this.#passes(packet)
    this.#cluster.clientFilter = (to) => !this.#isolated.has(to)
    this.#cluster.onEvent = (id, event) => {
      const line = lineOf(event)
      if (line !== null) this.#say(`r${id} ${line}`)
    }
  }

  #passes(packet: Packet): boolean {
    const passes = this.#arrives(packet)
    const { from, to, message } = packet
    if (this.#watched.includes(message.type)) this.#say(`r${from} to r${to}: ${said(message)}${passes ? '' : ' (lost)'}`)
    return passes
  }

  #arrives({ from, to, message }: Packet): boolean {
    if (this.#isolated.has(from) || this.#isolated.has(to)) return false
    const seq = 'seq' in message ? message.seq : null
    const isLost = (loss: Loss): boolean => loss.type === message.type && loss.from === from && loss.to === to
    return !this.#lost.some((loss) => isLost(loss) && (loss.seq === null || loss.seq === seq))
  }

  #say(text: string): void {
    this.#lines.push(`  ${String(this.#cluster.nowMs - this.#beganAtMs).padStart(6)}  ${text}`)
  }

  /** Carries out one command, without its `>`. Throws when there is no such command. */
  do(command: string): string[] {
    this.#lines = []
    this.#act(command.split(' '))
    this.#clients.forEach((known, index) => {
      for (const { result, seq } of known.client.results.slice(known.answers)) {
        this.#say(`client ${index} has ${readCounter(result)}, ordered at ${seq}`)
      }
      known.answers = known.client.results.length
    })
    return this.#lines
  }

  /** Who has which state; those that are alike in one line. */
  #sayStates(): void {
    const byState = new Map<string, number[]>()
    for (const { id, core } of this.#cluster.nodes) {
      const state = `${short(core.stateDigest())} after ${core.snapshot().lastExecuted}`
      byState.set(state, [...(byState.get(state) ?? []), id])
    }
    for (const [state, ids] of byState) this.#say(`r${ids.join(' r')} state ${state}`)
  }

  #client(index: number): TestClient {
    while (this.#clients.length <= index) this.#clients.push({ client: this.#cluster.addClient(), answers: 0 })
    return this.#clients[index]!.client
  }

  #act([verb, ...words]: string[]): void {
    const cluster = this.#cluster
    const numbers = words.map(Number)
    switch (verb) {
      case 'add':
        cluster.submit(this.#client(numbers[1] ?? 0), add(1, numbers[0]))
        return cluster.deliver()
      case 'tentative':
        return
      case 'states':
        return this.#sayStates()
      case 'run':
        return cluster.run(numbers[0] ?? 0)
      case 'crash':
        return numbers.forEach((id) => cluster.crash(id))
      case 'restart':
        numbers.forEach((id) => cluster.restart(id))
        return cluster.deliver()
      case 'wipe':
        for (const id of numbers) {
          cluster.crash(id)
          cluster.restart(id, new TestDisk('lost'))
        }
        return cluster.deliver()
      case 'flip':
        cluster.node(numbers[0] ?? 0).service.counters[numbers[1] ?? 0]! += 1
        return
      case 'watch':
        this.#watched = words
        return
      case 'change':
        for (const id of numbers) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
        return cluster.deliver()
      case 'isolate':
        return numbers.forEach((id) => this.#isolated.add(id))
      case 'lose': {
        const [type = '', from, to, seq] = words
        for (const one of from?.split(',') ?? []) {
          for (const other of to?.split(',') ?? [])
            this.#lost.push({ type, from: Number(one), to: Number(other), seq: seq === undefined ? null : Number(seq) })
        }
        return
      }
      case 'heal':
        this.#lost = []
        return this.#isolated.clear()
      default:
        throw new Error(`a golden script knows no command "${verb ?? ''}"`)
    }
  }
}

/** The script with what really came of its commands; comments and empty lines stay. */
export const perform = (script: string): string => {
  const stage = new Stage(script.includes('\n> tentative'))
  const kept = script.split('\n').filter((line) => line === '' || line.startsWith('>') || line.startsWith('#'))
  return kept.flatMap((line) => (line.startsWith('>') ? [line, ...stage.do(line.slice(1).trim())] : [line])).join('\n')
}
