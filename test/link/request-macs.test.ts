import { createHash, createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { holdsRequestMac, makeRequestMacs } from '../../src/link/request-macs.ts'

const keyOf = (byte: number) => createSecretKey(new Uint8Array(32).fill(byte))
const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

it('are cut from the hash of the key and the hash of the bytes, zeros where there is no key', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500 }), (bytes) => {
      const macs = makeRequestMacs([keyOf(1), null, keyOf(3)], bytes)
      const expected = [1, 3].map((byte) => sha256(new Uint8Array(32).fill(byte), sha256(bytes)).subarray(0, 16))
      expect(Buffer.from(macs)).toEqual(Buffer.concat([expected[0]!, new Uint8Array(16), expected[1]!]))
    }),
  )
})

it('hold for their own key, place and bytes', () => {
  const bytes = Uint8Array.of(1, 2, 3)
  const macs = makeRequestMacs([keyOf(1), keyOf(2), null], bytes)
  expect(holdsRequestMac([keyOf(1)], bytes, macs, 0)).toBe(true)
  expect(holdsRequestMac([keyOf(3), keyOf(2)], bytes, macs, 1)).toBe(true)
  expect(holdsRequestMac([keyOf(1)], bytes, macs, 1)).toBe(false)
  expect(holdsRequestMac([keyOf(1), keyOf(2)], bytes, macs, 2)).toBe(false)
  expect(holdsRequestMac([keyOf(1)], bytes, macs, 3)).toBe(false)
  expect(holdsRequestMac([], bytes, macs, 0)).toBe(false)
  expect(holdsRequestMac([keyOf(1)], Uint8Array.of(1, 2), macs, 0)).toBe(false)
  for (let at = 0; at < 16; at++) {
    const spoilt = macs.map((byte, place) => (place === at ? byte ^ 0x80 : byte))
    expect(holdsRequestMac([keyOf(1)], bytes, spoilt, 0)).toBe(false)
  }
})

it('are made with keys of 32 bytes only', () => {
  expect(() => makeRequestMacs([createSecretKey(new Uint8Array(16))], Uint8Array.of(1))).toThrow(RangeError)
})
