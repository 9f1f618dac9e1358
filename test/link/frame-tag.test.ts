import { createHash, createSecretKey, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { holdsTag, tagBytes, writeTag } from '../../src/link/frame-tag.ts'

/** As the header of frame-tag.ts has it, by Node's hash objects. */
const tagByNode = (secret: Buffer, counter: number, body: Buffer): Buffer => {
  const block = Buffer.alloc(64)
  secret.copy(block)
  block.writeBigUInt64BE(BigInt(counter), 32)
  block.writeUInt32BE(body.length, 40)
  return createHash('sha256').update(block).update(body).digest().subarray(0, 16)
}

const tagOf = (secret: Buffer, counter: number, body: Buffer): Buffer => {
  const frame = Buffer.alloc(tagBytes + 3)
  writeTag(createSecretKey(secret), counter, body, frame, 3)
  return frame.subarray(3)
}

it('is what it says it is, around the lengths at which ways part', () => {
  const secret = randomBytes(32)
  for (const length of [0, 1, 55, 56, 64, 119, 8_191, 8_192, 8_193, 70_000]) {
    for (const counter of [0, 1, 4_294_967_296, Number.MAX_SAFE_INTEGER]) {
      const body = randomBytes(length)
      expect(tagOf(secret, counter, body), `${length}, ${counter}`).toEqual(tagByNode(secret, counter, body))
    }
  }
})

it('holds for its key, counter and body only, and keeps keys apart that are used in turn', () => {
  const [one, other] = [randomBytes(32), randomBytes(32)]
  const body = randomBytes(40)
  const longer = Buffer.concat([body, Buffer.alloc(24)])
  const keys = [one, other].map((secret) => createSecretKey(secret))
  for (let round = 0; round < 4; round++) {
    for (const [i, secret] of [one, other].entries()) {
      const tag = tagOf(secret, 5, body)
      expect(holdsTag(keys[i]!, 5, body, tag, 0)).toBe(true)
      expect(holdsTag(keys[1 - i]!, 5, body, tag, 0)).toBe(false)
      expect(holdsTag(keys[i]!, 6, body, tag, 0)).toBe(false)
      expect(holdsTag(keys[i]!, 5, longer, tag, 0)).toBe(false)
      expect(holdsTag(keys[i]!, 5, body.subarray(1), tag, 0)).toBe(false)
      for (let at = 0; at < tagBytes; at++) {
        tag[at]! ^= 1
        expect(holdsTag(keys[i]!, 5, body, tag, 0)).toBe(false)
        tag[at]! ^= 1
      }
      expect(holdsTag(keys[i]!, 5, body, tag.subarray(0, 15), 0)).toBe(false)
    }
  }
})

it('takes keys of 32 bytes only', () => {
  for (const length of [16, 31, 33, 64]) expect(() => tagOf(randomBytes(length), 0, Buffer.alloc(0))).toThrow(RangeError)
})
