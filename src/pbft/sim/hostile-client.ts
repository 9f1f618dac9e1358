/**
 * A faulty client. Where clients MAC, its MACs hold at some replicas only, and it never signs; where they sign, it sends some replicas one
 * request and some another, under the same timestamp or under the next. It hears nothing and waits for nothing.
 */
import { asClientId, asClientTimestamp, asReplicaId, type ClientId } from '../protocol/ids.ts'
import { MAC_BYTES, type Request } from '../protocol/messages.ts'
import { encodeOperation } from '../service/index.ts'
import { encodeMessage, requestSignedBytes } from '../wire/index.ts'
import type { ClientWorld } from './client-node.ts'
import type { HostileClient } from './fault-mix.ts'
import { simClusterId } from './keys.ts'
import type { Random } from './random.ts'

export class HostileNode {
  readonly name: ClientId
  readonly endpoint: number
  readonly #world: ClientWorld
  readonly #random: Random
  readonly #manner: HostileClient
  readonly #primary: () => number
  #timestamp = 0
  #isStopped = false

  constructor(world: ClientWorld, endpoint: number, random: Random, manner: HostileClient, primary: () => number) {
    this.#world = world
    this.#random = random
    this.#manner = manner
    this.#primary = primary
    this.endpoint = endpoint
    this.name = asClientId(`hostile/${endpoint}`)
  }

  start(): void {
    this.#world.schedule.after(this.#random.gap(this.#manner.gapMs), () => {
      if (this.#isStopped) return
      this.#send()
      this.start()
    })
  }

  stop(): void {
    this.#isStopped = true
  }

  #some(): number[] {
    return Array.from({ length: this.#world.n }, (_, replica) => replica).filter(() => this.#random.chance(0.5))
  }

  #recipients(): number[] {
    const to = this.#manner.to ?? this.#random.pick(['primary', 'all', 'some'])
    if (to === 'primary') return [this.#primary()]
    return to === 'all' ? Array.from({ length: this.#world.n }, (_, replica) => replica) : this.#some()
  }

  #send(): void {
    const timestamp = ++this.#timestamp
    if (this.#world.authentication === 'mac') return this.#sendMacs(timestamp)
    const manner = this.#random.pick(['once', 'twice', 'overtaken'] as const)
    this.#sendSigned(timestamp, 1, manner === 'overtaken' ? [this.#random.whole(0, this.#world.n - 1)] : this.#recipients())
    if (manner === 'twice') this.#sendSigned(timestamp, 2, this.#some())
    // Whoever got the one before knows of a request that nobody will order any more.
    if (manner === 'overtaken') this.#sendSigned(++this.#timestamp, 1, [this.#primary()])
  }

  #body(timestamp: number, amount: number): Omit<Request, 'authentication'> {
    return {
      type: 'request',
      client: this.name,
      timestamp: asClientTimestamp(timestamp),
      operation: encodeOperation({ type: 'incr', key: 'hostile', n: amount }),
      readOnly: false,
      replier: null,
    }
  }

  #sendSigned(timestamp: number, amount: number, to: readonly number[]): void {
    const body = this.#body(timestamp, amount)
    const sign = this.#world.keys.signerOf({ kind: 'client', client: this.name })
    this.#leave({ ...body, authentication: { kind: 'signature', signature: sign(requestSignedBytes(body, simClusterId)) } }, to, 'signed')
  }

  #sendMacs(timestamp: number): void {
    const { keys, n } = this.#world
    const body = this.#body(timestamp, 1)
    const good = this.#goodFor()
    const macs = keys.macsOf(this.name, requestSignedBytes(body, simClusterId))
    for (let replica = 0; replica < n; replica++) if (!good.includes(replica)) macs.fill(0, replica * MAC_BYTES, (replica + 1) * MAC_BYTES)
    this.#leave({ ...body, authentication: { kind: 'macs', macs } }, this.#recipients(), `good for ${good.join(',')}`)
  }

  #goodFor(): readonly number[] {
    const { goodFor } = this.#manner
    return goodFor === 'primary' ? [this.#primary()] : (goodFor ?? this.#some())
  }

  #leave(request: Request, to: readonly number[], how: string): void {
    const { recording, trace, schedule } = this.#world
    recording.sent.push({ client: request.client, timestamp: request.timestamp, operation: request.operation })
    trace.line(schedule.now, `${this.name} request ${request.timestamp} ${how} to ${to.join(',')}`)
    const bytes = encodeMessage(request)
    for (const replica of to) this.#world.send(this.endpoint, asReplicaId(replica), bytes)
  }
}
