/** One simulated client session: one operation after another, and a record of what it saw. */
import type { ClientCore, ClientEffect, ClientInput } from '../protocol/client-steps.ts'
import { createClient } from '../protocol/client.ts'
import { asClientId, type ClientId, type ReplicaId } from '../protocol/ids.ts'
import { MAC_BYTES } from '../protocol/messages.ts'
import { decodeResult, encodeOperation, type Operation } from '../service/index.ts'
import { decodeMessage, encodeMessage, requestSignedBytes } from '../wire/index.ts'
import { createDigest, simClients, simClusterId, type SimKeys } from './keys.ts'
import type { FaultMix } from './fault-mix.ts'
import type { Random } from './random.ts'
import type { Recording } from './recording.ts'
import { epochMs } from './replica-node.ts'
import type { Schedule } from './schedule.ts'
import type { Trace } from './trace.ts'
import { drawOperation } from './workload.ts'

export interface ClientWorld {
  readonly schedule: Schedule
  readonly keys: SimKeys
  readonly recording: Recording
  readonly trace: Trace
  readonly mix: FaultMix
  readonly n: number
  readonly authentication: 'signature' | 'mac'
  readonly thinkMs: number
  /** `endpoint` is the client's own on the network. */
  send(endpoint: number, to: ReplicaId, bytes: Uint8Array): void
}

interface Call {
  readonly operation: Operation
  readonly invokedAt: number
  timestamp: number
}

export class ClientNode {
  readonly name: ClientId
  readonly endpoint: number
  readonly #world: ClientWorld
  readonly #random: Random
  readonly #core: ClientCore
  #call: Call | null = null
  #count = 0
  /** Requests yet to begin. */
  #left = Infinity
  #timerToken = 0
  #callToken = 0

  constructor(world: ClientWorld, endpoint: number, random: Random) {
    this.#world = world
    this.#random = random
    this.endpoint = endpoint
    this.name = asClientId(`${simClients}${endpoint}`)
    const isUnlinked = world.n > 1 && random.fork('links').chance(world.mix.unlinked)
    const unlinked = isUnlinked ? random.fork('unlinked').whole(0, world.n - 1) : null
    const sign = world.keys.signerOf({ kind: 'client', client: this.name })
    this.#core = createClient(
      { n: world.n, client: this.name, retryMs: 100, retryMaxMs: 1_000 },
      {
        digest: createDigest(),
        authenticate: (request, signed) => {
          const bytes = requestSignedBytes(request, simClusterId)
          if (signed || world.authentication === 'signature') return { kind: 'signature', signature: sign(bytes) }
          const macs = world.keys.macsOf(this.name, bytes)
          if (unlinked !== null) macs.fill(0, unlinked * MAC_BYTES, (unlinked + 1) * MAC_BYTES)
          return { kind: 'macs', macs }
        },
      },
    )
  }

  /** What it still waits for, in words; null when nothing. */
  get waitingFor(): string | null {
    return this.#call === null
      ? this.#left === 1
        ? `${this.name} (about to ask)`
        : null
      : `${this.name} ${this.#call.timestamp} (${this.#call.operation.type})`
  }

  start(): void {
    this.#thinkThenSubmit()
  }

  /** That many requests more after the one under way, at once, and then no more. */
  stop(left: number): void {
    this.#left = left
    if (this.#call === null) this.#submit()
  }

  /** Writes down what was never answered. */
  finish(): void {
    if (this.#call !== null) this.#record(this.#call, null)
    this.#call = null
  }

  receive(from: ReplicaId, bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok)
      return this.#world.recording.violation('codec', `${this.name} cannot read what replica ${from} sent: ${decoded.reason}`)
    const message = decoded.value
    if (message.type === 'reply') this.#step({ type: 'reply', from, reply: message })
    if (message.type === 'authentication-wanted') this.#step({ type: 'authentication-wanted', from, timestamp: message.timestamp })
  }

  #thinkThenSubmit(): void {
    this.#world.schedule.after(this.#random.gap(this.#world.thinkMs), () => this.#submit())
  }

  #submit(): void {
    if (this.#left === 0 || this.#call !== null) return
    this.#left--
    const { operation, readOnly } = drawOperation(this.#random, this.name, this.#count++)
    this.#call = { operation, invokedAt: this.#world.schedule.now, timestamp: 0 }
    const token = ++this.#callToken
    if (this.#random.chance(this.#world.mix.giveUp)) {
      this.#world.schedule.after(this.#random.between(10, 500), () => {
        if (token === this.#callToken && this.#call !== null) this.#giveUp(this.#call)
      })
    }
    this.#step({ type: 'submit', operation: encodeOperation(operation), readOnly })
  }

  #giveUp(call: Call): void {
    this.#trace('gives up')
    this.#step({ type: 'cancel' })
    this.#record(call, null)
    this.#call = null
    this.#thinkThenSubmit()
  }

  #step(input: ClientInput): void {
    for (const effect of this.#core.step(input, Math.floor(epochMs + this.#world.schedule.now))) this.#run(effect)
  }

  #run(effect: ClientEffect): void {
    switch (effect.type) {
      case 'send':
        return this.#send(effect)
      case 'set-timer':
        return this.#setTimer(effect.delayMs)
      case 'cancel-timer':
        this.#timerToken++
        return
      case 'reply-counted':
        return
      case 'completed':
        return this.#completed(effect)
    }
  }

  #send({ request, to, attempt }: Extract<ClientEffect, { type: 'send' }>): void {
    this.#trace(`request ${request.timestamp} attempt ${attempt} to ${to.join(',')}`)
    this.#world.recording.sent.push({ client: request.client, timestamp: request.timestamp, operation: request.operation })
    if (this.#call !== null) this.#call.timestamp = request.timestamp
    const bytes = encodeMessage(request)
    for (const replica of to) this.#world.send(this.endpoint, replica, bytes)
  }

  #setTimer(delayMs: number): void {
    const token = ++this.#timerToken
    this.#world.schedule.after(delayMs, () => {
      if (token === this.#timerToken) this.#step({ type: 'timer' })
    })
  }

  #completed(effect: Extract<ClientEffect, { type: 'completed' }>): void {
    const call = this.#call
    if (call === null) return
    const { timestamp, seq, result } = effect
    this.#trace(`completed ${timestamp} seq ${seq}`)
    this.#call = null
    call.timestamp = timestamp
    const decoded = decodeResult(result)
    if (decoded === null) return this.#world.recording.violation('codec', `${this.name}: the result of ${timestamp} does not decode`)
    this.#record(call, { at: this.#world.schedule.now, result: decoded, bytes: result, seq })
    if (seq > 0) this.#world.recording.answered(this.name, timestamp, seq)
    this.#thinkThenSubmit()
  }

  #record(call: Call, answer: Recording['calls'][number]['answer']): void {
    this.#world.recording.calls.push({ client: this.name, ...call, answer })
  }

  #trace(text: string): void {
    this.#world.trace.line(this.#world.schedule.now, `${this.name} ${text}`)
  }
}
