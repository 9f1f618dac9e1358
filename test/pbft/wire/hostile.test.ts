import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeBatch,
  decodeMessage,
  decodeReasons,
  decodeRecord,
  decodeRequest,
  encodeBatch,
  encodeMessage,
  encodeRecord,
  encodeRequest,
  messageBytesMax,
} from '../../../src/pbft/wire/index.ts'
import { anyMessage, anyRecord } from '../../support/wire-arbitraries.ts'

/** One change that a hostile or broken peer may make. */
type Mutation = { at: number; kind: 'set' | 'flip' | 'insert' | 'remove' | 'cut' | 'append'; byte: number }

const mutations: fc.Arbitrary<Mutation[]> = fc.array(
  fc.record({
    at: fc.nat(),
    kind: fc.constantFrom('set' as const, 'flip' as const, 'insert' as const, 'remove' as const, 'cut' as const, 'append' as const),
    byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)),
  }),
  { minLength: 1, maxLength: 3 },
)

function mutate(bytes: Uint8Array, changes: readonly Mutation[]): Uint8Array {
  const list = [...bytes]
  for (const { at, kind, byte } of changes) {
    const place = list.length === 0 ? 0 : at % list.length
    if (kind === 'set') list[place] = byte
    else if (kind === 'flip') list[place] = (list[place] ?? 0) ^ (1 << (byte & 7))
    else if (kind === 'insert') list.splice(place, 0, byte)
    else if (kind === 'remove') list.splice(place, 1)
    else if (kind === 'cut') list.length = place
    else list.push(byte)
  }
  return Uint8Array.from(list)
}

/** Never throws, and what decodes is canonical. Returns whether it decoded. */
function survives(bytes: Uint8Array): boolean {
  const message = decodeMessage(bytes)
  if (message.ok) expect(encodeMessage(message.value)).toEqual(bytes)
  else expect(decodeReasons).toContain(message.reason)
  const record = decodeRecord(bytes)
  if (record.ok) expect(encodeRecord(record.value)).toEqual(bytes)
  else expect(decodeReasons).toContain(record.reason)
  return message.ok || record.ok
}

describe('hostile bytes', () => {
  it('of any kind are refused or canonical', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(80), (bytes, tag) => {
        if (bytes.length > 0) bytes[0] = tag
        survives(bytes)
      }),
      { numRuns: 5_000 },
    )
  })

  it('that were a message are refused or canonical, and some of both', () => {
    let accepted = 0
    const runs = 5_000
    fc.assert(
      fc.property(anyMessage, mutations, (message, changes) => {
        if (survives(mutate(encodeMessage(message), changes))) accepted++
      }),
      { numRuns: runs },
    )
    expect(accepted).toBeGreaterThan(0)
    expect(accepted).toBeLessThan(runs)
  })

  it('that were a record are refused or canonical', () => {
    fc.assert(
      fc.property(anyRecord, mutations, (record, changes) => {
        survives(mutate(encodeRecord(record), changes))
      }),
      { numRuns: 2_000 },
    )
  })

  it('cut short anywhere or with one byte more are refused', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const bytes = encodeMessage(message)
        for (let length = 0; length < bytes.length; length += 1 + (bytes.length >> 6)) {
          expect(decodeMessage(bytes.subarray(0, length)).ok).toBe(false)
        }
        expect(decodeMessage(Uint8Array.from([...bytes, 0]))).toEqual({ ok: false, reason: 'trailing-bytes' })
      }),
    )
  })
})

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const digestHex = 'ab'.repeat(32)

describe('each reason', () => {
  const cases: [string, Uint8Array, string][] = [
    ['nothing', new Uint8Array(0), 'truncated'],
    ['an unknown tag', hex('63'), 'unknown-tag'],
    ['a vote that ends early', hex('03 00000000'), 'truncated'],
    ['a view of 2^53', hex(`03 0020000000000000 0000000000000001 ${digestHex} 00`), 'out-of-range'],
    ['a replica id of 100', hex(`03 0000000000000000 0000000000000001 ${digestHex} 64`), 'out-of-range'],
    ['a byte too many', hex(`03 0000000000000000 0000000000000001 ${digestHex} 63 00`), 'trailing-bytes'],
    ['a flag of 2', hex('09 00 0000000000000000 02'), 'unknown-tag'],
    ['a client id that is no UTF-8', hex('01 0002 c0af'), 'bad-text'],
    ['an empty client id', hex('01 0000'), 'out-of-range'],
    ['an operation of 4 GiB', hex('01 0001 61 0000000000000001 00 ff ffffffff'), 'too-large'],
    ['an operation longer than the message', hex('01 0001 61 0000000000000001 00 ff 00010000'), 'truncated'],
    ['a list of 2^32-1 slots', hex(`09 00 ${'00'.repeat(8)} 01 ${'00'.repeat(16)} 00 ffffffff`), 'too-large'],
    ['a level of 32', hex(`0b 0000000000000000 ${digestHex} 20 00000000`), 'out-of-range'],
  ]
  it.each(cases)('%s', (_what, bytes, reason) => {
    expect(decodeMessage(bytes)).toEqual({ ok: false, reason })
  })

  it('slots that do not ascend', () => {
    const slot = '0000000000000005 01'
    const status = (slots: string): Uint8Array =>
      hex(`09 00 ${'00'.repeat(8)} 01 ${'00'.repeat(16)} 00 00000002 ${slots} 00000000 00000000 00 ${'00'.repeat(8 + 9 + 1 + 24 + 4)}`)
    expect(decodeMessage(status(`0000000000000004 01 ${slot}`)).ok).toBe(true)
    expect(decodeMessage(status(`${slot} ${slot}`))).toEqual({ ok: false, reason: 'not-ascending' })
  })

  it('a request in a batch that is shorter or longer than it says', () => {
    const request = Buffer.from(decodeOnly).toString('hex')
    const batch = (length: number): Uint8Array => hex(`0000000000000000 00000001 ${length.toString(16).padStart(8, '0')} ${request} 00`)
    const size = decodeOnly.length
    expect(decodeBatch(batch(size + 1))).toEqual({ ok: false, reason: 'trailing-bytes' })
    expect(decodeBatch(batch(size - 1))).toEqual({ ok: false, reason: 'truncated' })
    expect(decodeBatch(batch(size))).toEqual({ ok: false, reason: 'trailing-bytes' })
  })
})

const decodeOnly = hex('0001 61 0000000000000001 00 ff 00000001 aa 00 02 bbbb')

describe('limits', () => {
  const bigRequest = decodeRequest(decodeOnly)
  if (!bigRequest.ok) throw new Error('the request does not decode')

  it('let a megabyte through', () => {
    const request = { ...bigRequest.value, operation: new Uint8Array(1_048_576).fill(7) }
    expect(decodeRequest(encodeRequest(request))).toEqual({ ok: true, value: request })
    const list = Array.from({ length: 20 }, () => request)
    const batch = encodeBatch(1, list)
    const message = { type: 'batch-data' as const, batch }
    const decoded = decodeMessage(encodeMessage(message))
    expect(decoded.ok && decoded.value.type === 'batch-data' && decoded.value.batch.requests.length).toBe(20)
  })

  it('refuse a message above 32 MiB unread', () => {
    expect(decodeMessage(new Uint8Array(messageBytesMax + 1))).toEqual({ ok: false, reason: 'too-large' })
  })
})
