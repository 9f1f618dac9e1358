import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { holdsRequestMac, makeRequestMacs } from '../../src/link/request-macs.ts'

const keyOf = (byte: number) => createSecretKey(new Uint8Array(32).fill(byte))
const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()

it('are cut from the hash of the key, the context and the body, zeros where there is no key', () => {
  const bodies = fc.oneof(
    fc.uint8Array({ maxLength: 500 }),
    fc.integer({ min: 8_000, max: 9_000 }).map((length) => new Uint8Array(length)),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), bodies, (context, bytes) => {
      const macs = makeRequestMacs([keyOf(1), null, keyOf(3)], context, bytes)
      const expected = [1, 3].map((byte) => sha256(new Uint8Array(32).fill(byte), context, bytes).subarray(0, 16))
      expect(Buffer.from(macs)).toEqual(Buffer.concat([expected[0]!, new Uint8Array(16), expected[1]!]))
    }),
  )
})

it('hold for their own key, place, context and bytes', () => {
  const context = Uint8Array.of(9)
  const bytes = Uint8Array.of(1, 2, 3)
  const one = keyOf(1)
  const macs = makeRequestMacs([one, keyOf(2), null], context, bytes)
  const holds = (key: KeyObject, place: number, said = bytes, there = context): boolean => holdsRequestMac(key, there, said, macs, place)
  expect(holds(one, 0)).toBe(true)
  expect(holds(keyOf(2), 1)).toBe(true)
  expect(holds(one, 1)).toBe(false)
  expect(holds(one, 2)).toBe(false)
  expect(holds(one, 3)).toBe(false)
  expect(holds(one, 0, Uint8Array.of(1, 2))).toBe(false)
  expect(holds(one, 0, bytes, Uint8Array.of(8))).toBe(false)
  expect(holds(one, 0)).toBe(true)
  for (let at = 0; at < 16; at++) {
    const spoilt = macs.map((byte, place) => (place === at ? byte ^ 0x80 : byte))
    expect(holdsRequestMac(one, context, bytes, spoilt, 0)).toBe(false)
  }
})

it('are made with keys of 32 bytes only', () => {
  expect(() => makeRequestMacs([createSecretKey(new Uint8Array(16))], Uint8Array.of(1), Uint8Array.of(1))).toThrow(RangeError)
})
