/** A faulty client: requests whose MACs hold at some replicas only. It hears nothing, waits for nothing, and never signs. */
import { asClientId, asClientTimestamp, asReplicaId, type ClientId } from '../protocol/ids.ts'
import { MAC_BYTES } from '../protocol/messages.ts'
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
    const { keys, n, recording, trace, schedule } = this.#world
    const body = {
      type: 'request',
      client: this.name,
      timestamp: asClientTimestamp(++this.#timestamp),
      operation: encodeOperation({ type: 'incr', key: 'hostile', n: 1 }),
      readOnly: false,
      replier: null,
    } as const
    const good = this.#manner.goodFor ?? this.#some()
    const macs = keys.macsOf(this.name, requestSignedBytes(body, simClusterId))
    for (let replica = 0; replica < n; replica++) if (!good.includes(replica)) macs.fill(0, replica * MAC_BYTES, (replica + 1) * MAC_BYTES)
    recording.sent.push({ client: body.client, timestamp: body.timestamp, operation: body.operation })
    const to = this.#recipients()
    trace.line(schedule.now, `${this.name} request ${body.timestamp} good for ${good.join(',')} to ${to.join(',')}`)
    const bytes = encodeMessage({ ...body, authentication: { kind: 'macs', macs } })
    for (const replica of to) this.#world.send(this.endpoint, asReplicaId(replica), bytes)
  }
}
