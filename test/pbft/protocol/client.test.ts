import { describe, expect, it } from 'vitest'
import { createClient } from '../../../src/pbft/protocol/client.ts'
import type { ClientCore, ClientEffect } from '../../../src/pbft/protocol/client-steps.ts'
import { asClientId, asClientTimestamp, asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { Reply, Request } from '../../../src/pbft/protocol/messages.ts'
import { sha256 } from '../../support/protocol-cluster.ts'

const NOW = 1_000
const yes = new Uint8Array([1])
const no = new Uint8Array([2])

const newClient = (n = 4): ClientCore =>
  createClient(
    { n, client: asClientId('a/1'), retryMs: 100, retryMaxMs: 300 },
    { digest: sha256, authenticate: () => ({ kind: 'signature', signature: new Uint8Array(64) }) },
  )

const newMacClient = (): ClientCore =>
  createClient(
    { n: 4, client: asClientId('a/1'), retryMs: 100, retryMaxMs: 300 },
    {
      digest: sha256,
      authenticate: (_, signed) =>
        signed ? { kind: 'signature', signature: new Uint8Array(64) } : { kind: 'macs', macs: new Uint8Array(64) },
    },
  )

const sentBy = (effects: readonly ClientEffect[]): { readonly to: readonly number[]; readonly request: Request } => {
  const send = effects.find((effect) => effect.type === 'send')
  if (send === undefined) throw new Error('nothing was sent')
  return send
}

interface ReplySketch {
  readonly result?: Uint8Array
  readonly digestOnly?: boolean
  readonly seq?: number
  readonly view?: number
  readonly tentative?: boolean
}

const replyTo = (
  request: Request,
  replica: number,
  { result = yes, digestOnly = false, seq = 1, view = 0, tentative = false }: ReplySketch = {},
): Reply => ({
  type: 'reply',
  view: asView(view),
  seq: asSeqNo(request.readOnly ? 0 : seq),
  client: request.client,
  timestamp: request.timestamp,
  replica: asReplicaId(replica),
  tentative,
  result: digestOnly ? { kind: 'digest', digest: sha256(result) } : { kind: 'full', bytes: result },
})

const give = (client: ClientCore, reply: Reply, from: number = reply.replica): ClientEffect[] =>
  client.step({ type: 'reply', from: asReplicaId(from), reply }, NOW)
const isDone = (effects: readonly ClientEffect[]): boolean => effects.some((effect) => effect.type === 'completed')
const submit = (client: ClientCore, readOnly = false): Request =>
  sentBy(client.step({ type: 'submit', operation: new Uint8Array([9]), readOnly }, NOW)).request

describe('client', () => {
  it('completes on f+1 matching replies, one per replica', () => {
    const client = newClient()
    const request = submit(client)
    expect(isDone(give(client, replyTo(request, 1)))).toBe(false)
    expect(isDone(give(client, replyTo(request, 1)))).toBe(false)
    expect(isDone(give(client, replyTo(request, 2, { result: no })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 3, { seq: 2 })))).toBe(false)
    const done = give(client, replyTo(request, 0))
    expect(done.find((effect) => effect.type === 'completed')).toMatchObject({ result: yes, seq: 1, repliers: [0, 1] })
    expect(client.busy).toBe(false)
    expect(give(client, replyTo(request, 2))).toEqual([])
  })

  it('completes at once on what f+1 replicas say alike, and counts fewer one by one', () => {
    const ids = (...replicas: number[]) => replicas.map(asReplicaId)
    const all = (client: ClientCore, from: number[], reply: Reply): ClientEffect[] =>
      client.step({ type: 'replies', from: ids(...from), reply }, NOW)
    const client = newClient()
    const request = submit(client)
    expect(isDone(all(client, [2], replyTo(request, 2, { result: no })))).toBe(false)
    expect(all(client, [0, 1], replyTo({ ...request, client: asClientId('b/1') }, 0))).toEqual([])
    expect(isDone(all(client, [0], replyTo(request, 0)))).toBe(false)
    const done = all(client, [1, 3], replyTo(request, 1, { view: 4 }))
    expect(done.find((effect) => effect.type === 'completed')).toMatchObject({ result: yes, seq: 1, view: 4, repliers: [1, 3] })
    expect(done.filter((effect) => effect.type === 'reply-counted').map(({ matching }) => matching)).toEqual([1, 2])
    expect(all(client, [0, 2], replyTo(request, 0))).toEqual([])
    // Tentative ones, and reads, take a quorum.
    const second = submit(client)
    expect(isDone(all(client, [0, 1], replyTo(second, 0, { tentative: true })))).toBe(false)
    expect(isDone(all(client, [0, 1, 2], replyTo(second, 0, { tentative: true })))).toBe(true)
    const read = submit(client, true)
    expect(isDone(all(client, [0, 1], replyTo(read, 0)))).toBe(false)
    expect(isDone(all(client, [3], replyTo(read, 3)))).toBe(true)
  })

  it('takes no reply that another replica sends, or that is for another request', () => {
    const client = newClient()
    const request = submit(client)
    expect(give(client, replyTo(request, 1), 2)).toEqual([])
    expect(give(client, { ...replyTo(request, 1), timestamp: (request.timestamp + 1) as never })).toEqual([])
    expect(give(client, { ...replyTo(request, 1), client: asClientId('b/1') })).toEqual([])
    expect(give(client, { ...replyTo(request, 1), seq: asSeqNo(0) })).toEqual([])
  })

  it('needs one full result beside the digests', () => {
    const client = newClient()
    const request = submit(client)
    for (const id of [0, 1, 2]) expect(isDone(give(client, replyTo(request, id, { digestOnly: true })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 3, { result: no })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 3)))).toBe(true)
  })

  it('takes tentative replies from a quorum only', () => {
    const client = newClient()
    const request = submit(client)
    for (const id of [0, 1]) expect(isDone(give(client, replyTo(request, id, { tentative: true })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 2, { tentative: true })))).toBe(true)
  })

  it('pitfall 24: adds up tentative replies of one view only, and final ones with them', () => {
    const client = newClient()
    const request = submit(client)
    expect(isDone(give(client, replyTo(request, 0, { tentative: true })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 1, { tentative: true, view: 1 })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 2, { tentative: true })))).toBe(false)
    expect(isDone(give(client, replyTo(request, 1, { tentative: true })))).toBe(true)
    const next = submit(client)
    for (const id of [0, 1]) expect(isDone(give(client, replyTo(next, id, { tentative: true })))).toBe(false)
    expect(isDone(give(client, replyTo(next, 2)))).toBe(true)
  })

  it('sends to the primary first, then to all with exponential back-off and full replies', () => {
    const client = newClient()
    const first = client.step({ type: 'submit', operation: yes, readOnly: false }, NOW)
    expect(sentBy(first).to).toEqual([0])
    const delays: number[] = []
    for (let i = 0; i < 4; i++) {
      const again = client.step({ type: 'timer' }, NOW)
      expect(sentBy(again).to).toEqual([0, 1, 2, 3])
      expect(sentBy(again).request).toMatchObject({ timestamp: sentBy(first).request.timestamp, replier: null })
      for (const effect of again) if (effect.type === 'set-timer') delays.push(effect.delayMs)
    }
    expect(delays).toEqual([200, 300, 300, 300])
  })

  it('learns the view from f+1 replies, and no liar leads it astray', () => {
    const client = newClient()
    const request = submit(client)
    give(client, replyTo(request, 3, { view: 1_000, result: no }))
    give(client, replyTo(request, 1, { view: 5 }))
    give(client, replyTo(request, 2, { view: 5 }))
    expect(client.view).toBe(5)
    const next = client.step({ type: 'submit', operation: yes, readOnly: false }, NOW)
    expect(sentBy(next).to).toEqual([1])
  })

  it('has strictly increasing timestamps, whatever the clock does', () => {
    const client = newClient(1)
    let last = 0
    for (const nowMs of [5, 5, 3, 0.5, 6]) {
      const { request } = sentBy(client.step({ type: 'submit', operation: yes, readOnly: false }, nowMs))
      expect(request.timestamp).toBeGreaterThan(last)
      last = request.timestamp
      client.step({ type: 'cancel' }, nowMs)
    }
  })

  it('reads from a quorum, and has the read ordered when none can match any more', () => {
    const client = newClient()
    const request = submit(client, true)
    for (const id of [0, 1]) give(client, replyTo(request, id))
    expect(isDone(give(client, replyTo(request, 2)))).toBe(true)
    const second = submit(client, true)
    give(client, replyTo(second, 0))
    give(client, replyTo(second, 1, { result: no }))
    give(client, replyTo(second, 2, { result: no }))
    const { request: ordered } = sentBy(give(client, replyTo(second, 3)))
    expect(ordered.readOnly).toBe(false)
    expect(ordered.timestamp).toBeGreaterThan(second.timestamp)
    give(client, replyTo(ordered, 0))
    expect(isDone(give(client, replyTo(ordered, 1)))).toBe(true)
  })

  it('has a read ordered when its quorum does not come in time', () => {
    const client = newClient()
    submit(client, true)
    expect(sentBy(client.step({ type: 'timer' }, NOW)).request.readOnly).toBe(false)
  })

  it('asserts when a request is submitted while one is outstanding, and ignores what comes after a cancel', () => {
    const client = newClient()
    const request = submit(client)
    expect(() => submit(client)).toThrow('one outstanding request')
    expect(client.step({ type: 'cancel' }, NOW)).toEqual([{ type: 'cancel-timer' }])
    expect(give(client, replyTo(request, 1))).toEqual([])
    expect(client.step({ type: 'timer' }, NOW)).toEqual([])
  })

  it('goes on asking the primary of the highest view that it was told of', () => {
    const client = newClient()
    const first = submit(client)
    for (const id of [1, 2]) give(client, replyTo(first, id, { view: 1 }))
    const second = submit(client)
    // Two that are late in finding out that the view has changed.
    for (const id of [0, 3]) give(client, replyTo(second, id, { view: 0 }))
    expect(sentBy(client.step({ type: 'submit', operation: new Uint8Array([9]), readOnly: false }, NOW)).to).toEqual([1])
  })

  it('signs when f+1 backups or the primary ask about what is outstanding, and for nobody else', () => {
    const ask = (from: number, timestamp: number, client: ClientCore): ClientEffect[] =>
      client.step({ type: 'authentication-wanted', from: asReplicaId(from), timestamp: asClientTimestamp(timestamp) }, NOW)
    const client = newMacClient()
    expect(ask(0, 1, client)).toEqual([])
    const request = submit(client)
    expect(request.authentication.kind).toBe('macs')
    expect(ask(0, request.timestamp - 1, client)).toEqual([])
    expect(ask(4, request.timestamp, client)).toEqual([])
    expect(ask(1, request.timestamp, client)).toEqual([])
    expect(ask(1, request.timestamp, client)).toEqual([])
    const again = sentBy(ask(2, request.timestamp, client))
    expect(again.to).toEqual([0, 1, 2, 3])
    expect(again.request).toMatchObject({ timestamp: request.timestamp, authentication: { kind: 'signature' } })
    // Signed and sent to all: there is no more to give.
    expect(ask(3, request.timestamp, client)).toEqual([])
    for (const id of [1, 2]) give(client, replyTo(request, id))
    expect(submit(client).authentication.kind).toBe('signature')
    const later = client.step({ type: 'timer' }, NOW + 1)
    expect(later).not.toEqual([])
  })

  it('stops signing a minute after it was last asked', () => {
    const client = newMacClient()
    const first = submit(client)
    client.step({ type: 'authentication-wanted', from: asReplicaId(0), timestamp: first.timestamp }, NOW)
    for (const id of [1, 2]) give(client, replyTo(first, id))
    const kindAt = (nowMs: number): string => {
      const { request } = sentBy(client.step({ type: 'submit', operation: new Uint8Array([9]), readOnly: false }, nowMs))
      for (const id of [1, 2]) client.step({ type: 'reply', from: asReplicaId(id), reply: replyTo(request, id) }, nowMs)
      return request.authentication.kind
    }
    expect(kindAt(NOW + 59_999)).toBe('signature')
    expect(kindAt(NOW + 60_000)).toBe('macs')
  })
})
