/**
 * MACs of requests: for each replica the first 16 bytes of SHA-256(key | SHA-256(bytes)), where `key` are the 32 bytes that the handshake
 * of the client's link to that replica made for this.
 *
 * It is sound: what is hashed under the key always has 64 bytes, so nothing can be appended to it, and a PRF of the digest of the message
 * is a PRF of the message as long as nobody finds two messages with one digest (2^128 work: the inner digest is not cut).
 *
 * It is cheap: the inner digest is made once for all replicas. Measured, CPU of one request of 220 bytes (a client's AES on Node 24, the
 * rest on Node 20): to verify 0.9 us, to make four 1.9 us. HMAC-SHA-256 over the message takes 1.6 and 7.2; AES-256 over the inner digest
 * 0.6 when a cipher object does a whole batch in one call, but 10 us for the four of a client, which has only one request at a time and a
 * key for each replica.
 */
import crypto, { type KeyObject } from 'node:crypto'
import { MAC_BYTES } from '../pbft/protocol/messages.ts'

const keyBytes = 32
const digestBytes = 32

const oneShot = crypto.hash as typeof crypto.hash | undefined

/** A digest as a string of 32 characters below 256: it costs half of what a buffer does. */
const digestOf = (bytes: Uint8Array): string =>
  oneShot === undefined ? crypto.createHash('sha256').update(bytes).digest('binary') : oneShot('sha256', bytes, 'binary')

/** The key, and room for a digest behind it. */
const blocks = new WeakMap<KeyObject, Buffer>()

const blockOf = (key: KeyObject): Buffer => {
  const known = blocks.get(key)
  if (known !== undefined) return known
  const secret = key.export()
  if (secret.length !== keyBytes) throw new RangeError(`a request key has ${keyBytes} bytes, not ${secret.length}`)
  const block = Buffer.concat([secret, Buffer.alloc(digestBytes)])
  blocks.set(key, block)
  return block
}

const macOf = (key: KeyObject, digest: string): string => {
  const block = blockOf(key)
  block.write(digest, keyBytes, 'binary')
  return digestOf(block)
}

/** One MAC per key over `bytes`, in the order of `keys`; zeros where there is none. */
export const makeRequestMacs = (keys: readonly (KeyObject | null)[], bytes: Uint8Array): Uint8Array => {
  const digest = digestOf(bytes)
  const macs = Buffer.alloc(keys.length * MAC_BYTES)
  for (const [place, key] of keys.entries()) if (key !== null) macs.write(macOf(key, digest), place * MAC_BYTES, MAC_BYTES, 'binary')
  return macs
}

/** Whether the MAC at `place` among `macs` is that of some of `keys` over `bytes`. In constant time for each key. */
export const holdsRequestMac = (keys: Iterable<KeyObject>, bytes: Uint8Array, macs: Uint8Array, place: number): boolean => {
  const at = place * MAC_BYTES
  if (macs.length < at + MAC_BYTES) return false
  let digest: string | null = null
  for (const key of keys) {
    digest ??= digestOf(bytes)
    const mac = macOf(key, digest)
    let difference = 0
    for (let i = 0; i < MAC_BYTES; i++) difference |= mac.charCodeAt(i) ^ (macs[at + i] ?? 0)
    if (difference === 0) return true
  }
  return false
}
