/**
 * The MAC of a frame: the first 16 bytes of SHA-256(key | counter | length of the body | zeros up to a block of 64 bytes | body).
 *
 * It is sound: the first block, the only one that holds the key, makes a chaining value of its own for each counter and length (the
 * compression function as a PRF under the key, which HMAC needs as well), and under that value bodies of one length only are hashed, so
 * that none can be the beginning of another: the cascade of Bellare, Canetti and Krawczyk (1996). What an attacker would go on from is
 * not known to it either, since half of the digest is cut off.
 *
 * It is cheap: one hash instead of HMAC's two. Each frame is sealed once and opened once, and with one client frames are all there is.
 */
import type { KeyObject } from 'node:crypto'
import { sha256Binary, sha256BinaryOfTwo } from './hashing.ts'

export const tagBytes = 16
const keyBytes = 32
const blockBytes = 64
const counterAt = keyBytes
const lengthAt = counterAt + 8
/** Up to this length copying costs less than a hash object does. */
const shortBytesMax = 8_192
const twoTo32 = 4_294_967_296

const secrets = new WeakMap<KeyObject, Buffer>()

const secretOf = (key: KeyObject): Buffer => {
  const known = secrets.get(key)
  if (known !== undefined) return known
  const secret = key.export()
  if (secret.length !== keyBytes) throw new RangeError(`a frame key has ${keyBytes} bytes, not ${secret.length}`)
  secrets.set(key, secret)
  return secret
}

// One for all keys: what is written into it is hashed before anything else runs.
const scratch = Buffer.alloc(blockBytes + shortBytesMax)

/** The tag as a string of 16 characters below 256. `counter` is below 2^53. Throws a RangeError for a key of another length: a defect. */
const tagOf = (key: KeyObject, counter: number, body: Uint8Array): string => {
  scratch.set(secretOf(key))
  scratch.writeUInt32BE(Math.floor(counter / twoTo32), counterAt)
  scratch.writeUInt32BE(counter % twoTo32, counterAt + 4)
  scratch.writeUInt32BE(body.length, lengthAt)
  if (body.length > shortBytesMax) return sha256BinaryOfTwo(scratch.subarray(0, blockBytes), body)
  scratch.set(body, blockBytes)
  return sha256Binary(scratch.subarray(0, blockBytes + body.length))
}

/** Writes the tag of `body` at `at` into `frame`. */
export const writeTag = (key: KeyObject, counter: number, body: Uint8Array, frame: Buffer, at: number): void => {
  frame.write(tagOf(key, counter, body), at, tagBytes, 'binary')
}

/** Whether the tag of `body` stands at `at` in `frame`, as a whole; in constant time. */
export const holdsTag = (key: KeyObject, counter: number, body: Uint8Array, frame: Uint8Array, at: number): boolean => {
  if (frame.length < at + tagBytes) return false
  const tag = tagOf(key, counter, body)
  let difference = 0
  for (let i = 0; i < tagBytes; i++) difference |= tag.charCodeAt(i) ^ (frame[at + i] ?? 0)
  return difference === 0
}
