/**
 * SHA-256, and HMAC-SHA-256 (RFC 2104) made of it. Node's one-shot hash costs a third of what its hash objects do, and most of what
 * is hashed is as short as a vote; Node 18 (an older Electron) has hash objects only.
 */
import crypto, { type KeyObject } from 'node:crypto'

const blockBytes = 64
const digestBytes = 32
/** Up to this length copying costs less than a hash object does. */
const shortBytesMax = 8_192

const oneShot = crypto.hash as typeof crypto.hash | undefined

/** SHA-256 as 64 lower-case hex digits. */
export const sha256Hex = (bytes: Uint8Array): string =>
  oneShot === undefined ? crypto.createHash('sha256').update(bytes).digest('hex') : oneShot('sha256', bytes, 'hex')

interface Pads {
  readonly inner: Buffer
  /** The outer pad, and room for the inner digest behind it. */
  readonly outer: Buffer
}

const padsByKey = new WeakMap<KeyObject, Pads>()

const makePads = (key: KeyObject): Pads => {
  const secret = key.export()
  if (secret.length > blockBytes) throw new RangeError(`a MAC key has at most ${blockBytes} bytes, not ${secret.length}`)
  const inner = Buffer.alloc(blockBytes, 0x36)
  const outer = Buffer.alloc(blockBytes + digestBytes, 0x5c)
  for (const [i, byte] of secret.entries()) {
    inner[i] = byte ^ 0x36
    outer[i] = byte ^ 0x5c
  }
  const pads = { inner, outer }
  padsByKey.set(key, pads)
  return pads
}

// One for all keys: what is written into it is hashed before anything else runs.
const scratch = Buffer.alloc(blockBytes + shortBytesMax)

/** HMAC-SHA-256 over `head` and then `body`, 32 bytes. Throws a RangeError for a key of more than 64 bytes: a defect of the caller. */
export const hmacSha256 = (key: KeyObject, head: Uint8Array, body: Uint8Array): Buffer => {
  const length = head.length + body.length
  if (oneShot === undefined || length > shortBytesMax) return crypto.createHmac('sha256', key).update(head).update(body).digest()
  const { inner, outer } = padsByKey.get(key) ?? makePads(key)
  scratch.set(inner)
  scratch.set(head, blockBytes)
  scratch.set(body, blockBytes + head.length)
  outer.write(oneShot('sha256', scratch.subarray(0, blockBytes + length), 'hex'), blockBytes, 'hex')
  return Buffer.from(oneShot('sha256', outer, 'hex'), 'hex')
}
