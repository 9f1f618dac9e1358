/**
 * MACs of requests: for each replica the first 16 bytes of SHA-256(key | context | body), where `key` are the 32 bytes that the handshake
 * of the client's link to that replica made for this.
 *
 * It is sound: half of the digest stays hidden, so nothing can be appended (2^128 work to guess the rest), and a body is an encoding of
 * which none begins with another. A hash of the key and then the message is a PRF under either condition alone.
 *
 * It is cheap: what costs is the call more than the bytes, and there is one for each key. CPU of one request of 220 bytes, Node 24: to
 * verify 0.57 us, to make four 3.4 us. The digest of the message first and one short hash for each key: 0.78 and 3.1; there are n-1
 * replicas that verify. HMAC-SHA-256 over the message: 1.3 and 5.7.
 */
import crypto, { type KeyObject } from 'node:crypto'
import { MAC_BYTES } from '../pbft/protocol/messages.ts'

const keyBytes = 32
/** Up to this length copying costs less than a hash object does. */
const shortBytesMax = 8_192

const oneShot = crypto.hash as typeof crypto.hash | undefined

/** The key, its context when it has one already, and room for a body behind it. */
interface Block {
  readonly bytes: Buffer
  context: Uint8Array | null
  /** The beginning of them that was hashed last: requests that come together are often as long as each other. */
  hashed: Buffer
}

const blocks = new WeakMap<KeyObject, Block>()

const blockOf = (key: KeyObject): Block => {
  const known = blocks.get(key)
  if (known !== undefined) return known
  const secret = key.export()
  if (secret.length !== keyBytes) throw new RangeError(`a request key has ${keyBytes} bytes, not ${secret.length}`)
  const bytes = Buffer.concat([secret, Buffer.alloc(shortBytesMax)])
  const block = { bytes, context: null, hashed: bytes }
  blocks.set(key, block)
  return block
}

/** As a string of characters below 256: it costs half of what a buffer does. */
const macOf = (key: KeyObject, context: Uint8Array, body: Uint8Array): string => {
  const block = blockOf(key)
  const bodyAt = keyBytes + context.length
  if (oneShot === undefined || context.length + body.length > shortBytesMax) {
    return crypto.createHash('sha256').update(block.bytes.subarray(0, keyBytes)).update(context).update(body).digest('binary')
  }
  if (block.context !== context) {
    block.bytes.set(context, keyBytes)
    block.context = context
  }
  block.bytes.set(body, bodyAt)
  const end = bodyAt + body.length
  if (block.hashed.length !== end) block.hashed = block.bytes.subarray(0, end)
  return oneShot('sha256', block.hashed, 'binary')
}

/** One MAC per key over `context` and `body`, in the order of `keys`; zeros where there is none. The context must not change any more. */
export const makeRequestMacs = (keys: readonly (KeyObject | null)[], context: Uint8Array, body: Uint8Array): Uint8Array => {
  const macs = Buffer.alloc(keys.length * MAC_BYTES)
  for (let place = 0; place < keys.length; place++) {
    const key = keys[place] ?? null
    if (key !== null) macs.write(macOf(key, context, body), place * MAC_BYTES, MAC_BYTES, 'binary')
  }
  return macs
}

/** Whether the MAC at `place` among `macs` is that of `key` over `context` and `body`. In constant time. */
export const holdsRequestMac = (key: KeyObject, context: Uint8Array, body: Uint8Array, macs: Uint8Array, place: number): boolean => {
  const at = place * MAC_BYTES
  if (macs.length < at + MAC_BYTES) return false
  const mac = macOf(key, context, body)
  let difference = 0
  for (let i = 0; i < MAC_BYTES; i++) difference |= mac.charCodeAt(i) ^ (macs[at + i] ?? 0)
  return difference === 0
}
