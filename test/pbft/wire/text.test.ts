/** Our UTF-8 and hex against the platform's. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeUtf8, digestFromBytes, digestToBytes, encodeUtf8, utf8Length } from '../../../src/pbft/wire/index.ts'

describe('UTF-8', () => {
  it('encodes as TextEncoder does', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 50 }), (value) => {
        const expected = new TextEncoder().encode(value)
        const bytes = new Uint8Array(utf8Length(value))
        encodeUtf8(value, bytes, 0)
        expect(bytes).toEqual(Uint8Array.from(expected))
      }),
    )
  })

  it('decodes and rejects as a fatal TextDecoder does', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const reference = (bytes: Uint8Array): string | null => {
      try {
        return decoder.decode(bytes)
      } catch {
        return null
      }
    }
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0x7f, 0x80, 0xbf, 0xc1, 0xc2, 0xe0, 0xa0, 0xed, 0x9f, 0xef, 0xf0, 0x90, 0xf4, 0x8f, 0xf5),
    )
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), (list) => {
        const bytes = Uint8Array.from(list)
        expect(decodeUtf8(bytes, 0, bytes.length)).toBe(reference(bytes))
      }),
      { numRuns: 20_000 },
    )
  })

  it.each(['\ud800', 'a\udc00', '\ud800\ud800', '\udfff\ud800'])('has no bytes for lone surrogates', (value) => {
    expect(() => utf8Length(value)).toThrow(RangeError)
  })
})

describe('digests', () => {
  it('are hex as Buffer writes it, both ways', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const hex = Buffer.from(bytes).toString('hex')
        expect(digestFromBytes(bytes)).toBe(hex)
        const back = new Uint8Array(40)
        digestToBytes(hex, back, 8)
        expect(back.subarray(8)).toEqual(bytes)
      }),
    )
  })

  it.each(['', 'ab', 'AB'.repeat(32), 'g0'.repeat(32), 'é'.repeat(64), 'ab'.repeat(33)])('are refused when malformed: %s', (digest) => {
    expect(() => digestToBytes(digest, new Uint8Array(32))).toThrow(RangeError)
  })
})
