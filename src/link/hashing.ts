/**
 * SHA-256. Node's one-shot hash costs a third of what its hash objects do, and most of what is hashed is as short as a vote; Node 18 (an
 * older Electron) has hash objects only.
 */
import crypto from 'node:crypto'

const oneShot = crypto.hash as typeof crypto.hash | undefined

/** SHA-256 as 64 lower-case hex digits. */
export const sha256Hex = (bytes: Uint8Array): string =>
  oneShot === undefined ? crypto.createHash('sha256').update(bytes).digest('hex') : oneShot('sha256', bytes, 'hex')

/** SHA-256 as a string of 32 characters below 256: it costs half of what a buffer does. */
export const sha256Binary = (bytes: Uint8Array): string =>
  oneShot === undefined ? crypto.createHash('sha256').update(bytes).digest('binary') : oneShot('sha256', bytes, 'binary')

/** As `sha256Binary`, of `head` and then `body`, for a body that is too long to be copied behind its head. */
export const sha256BinaryOfTwo = (head: Uint8Array, body: Uint8Array): string =>
  crypto.createHash('sha256').update(head).update(body).digest('binary')
