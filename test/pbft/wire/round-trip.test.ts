import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asClientId, asReplicaId, asSeqNo } from '../../../src/pbft/protocol/ids.ts'
import type { Message, Reply, Request } from '../../../src/pbft/protocol/messages.ts'
import {
  decodeBatch,
  decodeMessage,
  decodeRecord,
  decodeReplies,
  decodeRequest,
  encodeBatch,
  encodeMessage,
  encodeRecord,
  encodeReplies,
  encodeRequest,
  forgetRequests,
  nullBatch,
  headOfReplies,
  sharedFrom,
} from '../../../src/pbft/wire/index.ts'
import { examples } from '../../support/wire-examples.ts'
import { anyMessage, anyRecord, batches, messageArbitraries, requests } from '../../support/wire-arbitraries.ts'

const replyTo = (session: number, replica: number): Reply => ({
  ...examples.reply,
  client: asClientId(`zoë/${session}`),
  replica: asReplicaId(replica),
})
const bundle = [replyTo(1, 2), { ...replyTo(2, 2), result: { kind: 'digest', digest: examples.fetch.root } }, replyTo(3, 2)] as const

describe('a bundle of replies', () => {
  it('comes back as its replies, and names its sender and place without being read', () => {
    const bytes = encodeReplies(bundle)
    expect(decodeReplies(bytes)).toEqual({ ok: true, value: bundle })
    expect(headOfReplies(bytes)).toEqual({ replica: 2, tentative: true, seq: bundle[0].seq })
    expect(headOfReplies(encodeMessage(bundle[0]))).toBeNull()
  })

  it('is the same from another replica but for its first bytes', () => {
    const [one, other] = [2, 3].map((replica) => encodeReplies([replyTo(1, replica), replyTo(2, replica)])) as [Uint8Array, Uint8Array]
    expect(one).not.toEqual(other)
    expect(one.subarray(sharedFrom)).toEqual(other.subarray(sharedFrom))
  })

  it('is none of one reply, nor of replies of different places, and no message', () => {
    expect(() => encodeReplies([bundle[0]])).toThrow(RangeError)
    expect(() => encodeReplies([bundle[0], { ...bundle[1], seq: asSeqNo(7) }])).toThrow(RangeError)
    expect(decodeMessage(encodeReplies(bundle))).toEqual({ ok: false, reason: 'unknown-tag' })
    // A count of one in place of three.
    const alone = encodeReplies(bundle)
    alone[22] = 1
    expect(decodeReplies(alone).ok).toBe(false)
  })

  it('is refused when it is cut anywhere, or goes on', () => {
    const bytes = encodeReplies(bundle)
    for (let length = 0; length < bytes.length; length++) expect(decodeReplies(bytes.subarray(0, length)).ok).toBe(false)
    expect(decodeReplies(Uint8Array.of(...bytes, 0)).ok).toBe(false)
  })
})

describe('what is encoded decodes to itself', () => {
  it.each(Object.entries<fc.Arbitrary<Message>>(messageArbitraries))('%s', (_type, arbitrary) => {
    fc.assert(fc.property(arbitrary, (message) => void expect(decodeMessage(encodeMessage(message))).toEqual({ ok: true, value: message })))
  })

  it('request', () => {
    fc.assert(fc.property(requests, (request) => void expect(decodeRequest(encodeRequest(request))).toEqual({ ok: true, value: request })))
  })

  it('batch, as views on the bytes', () => {
    fc.assert(
      fc.property(batches, (batch) => {
        const decoded = decodeBatch(batch.bytes)
        expect(decoded).toEqual({ ok: true, value: batch })
        if (decoded.ok) for (const request of decoded.value.requests) expect(request.operation.buffer).toBe(batch.bytes.buffer)
      }),
    )
  })

  it('batch, also after its requests were forgotten', () => {
    fc.assert(
      fc.property(batches, ({ timeMs, requests }) => {
        const batch = encodeBatch(timeMs, requests)
        forgetRequests(batch)
        expect(batch.requests).toEqual(requests)
        expect(batch.requests).not.toBe(requests)
        expect(batch.requests).toBe(batch.requests)
      }),
    )
  })

  it('a changed copy of a decoded request, as what it was changed to', () => {
    fc.assert(
      fc.property(requests, fc.uint8Array({ maxLength: 20 }), (request, operation) => {
        const decoded = decodeRequest(encodeRequest(request))
        if (!decoded.ok) throw new Error(decoded.reason)
        const changed = { ...decoded.value, operation }
        expect(encodeRequest(decoded.value)).toEqual(encodeRequest(request))
        expect(encodeRequest(changed)).toEqual(encodeRequest({ ...request, operation }))
      }),
    )
  })

  it('record', () => {
    fc.assert(fc.property(anyRecord, (record) => void expect(decodeRecord(encodeRecord(record))).toEqual({ ok: true, value: record })))
  })

  it('from a Buffer in the middle of another, without leaking its type', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const whole = Buffer.concat([Buffer.from('before'), encodeMessage(message), Buffer.from('after')])
        const decoded = decodeMessage(whole.subarray(6, whole.length - 5))
        expect(decoded).toEqual({ ok: true, value: message })
        if (decoded.ok && decoded.value.type === 'data') expect(decoded.value.bytes.constructor).toBe(Uint8Array)
      }),
    )
  })
})

describe('batches', () => {
  it('hold the encodings of their requests verbatim', () => {
    fc.assert(
      fc.property(fc.array(requests, { maxLength: 4 }), (list) => {
        const expected = list.map((request) => {
          const bytes = Buffer.from(encodeRequest(request))
          const length = Buffer.alloc(4)
          length.writeUInt32BE(bytes.length)
          return Buffer.concat([length, bytes])
        })
        expect(Buffer.from(encodeBatch(7, list).bytes.subarray(12))).toEqual(Buffer.concat(expected))
      }),
    )
  })

  it('have one null batch', () => {
    expect(nullBatch).toEqual({ timeMs: 0, requests: [], bytes: new Uint8Array(12) })
    expect(decodeBatch(new Uint8Array(12))).toEqual({ ok: true, value: nullBatch })
  })
})

describe('a checkpoint record', () => {
  it('leaves its partitions to the disk', () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        if (record.kind !== 'checkpoint') return
        const full = { ...record, partitions: [{ index: 3, bytes: new Uint8Array(100) }] }
        expect(encodeRecord(full)).toEqual(encodeRecord(record))
      }),
    )
  })
})

describe('values without an encoding', () => {
  const request = fc.sample(requests, { numRuns: 1, seed: 1 })[0]!
  const broken: [string, Partial<Record<keyof Request, unknown>>][] = [
    ['a fraction', { timestamp: 1.5 }],
    ['a negative number', { timestamp: -1 }],
    ['a number above 2^53-1', { timestamp: 2 ** 53 }],
    ['an empty client id', { client: '' }],
    ['a client id of 129 characters', { client: 'x'.repeat(129) }],
    ['a lone surrogate', { client: 'a\ud800b' }],
    ['a replica id of 100', { replier: 100 }],
    ['an operation above the limit', { operation: new Uint8Array(4 * 1_048_576 + 65_537) }],
  ]
  it.each(broken)('%s', (_what, fields) => {
    expect(() => encodeRequest({ ...request, ...fields } as Request)).toThrow(RangeError)
    // The shared buffer of the failed writer does no harm to the next one.
    expect(decodeRequest(encodeRequest(request))).toEqual({ ok: true, value: request })
  })
})
