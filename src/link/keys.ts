/**
 * Keys, signatures and digests of a cluster: Ed25519 by RFC 8032 and SHA-256.
 *
 * There is one rule for which signatures hold, so that replicas can never disagree about one: RFC 8032 strict with the
 * equation [S]B = R + [k]A, which @noble/curves defines and node:crypto computes. Implementations differ only for
 * public keys that no honest key generator makes, so those are refused when a key is imported, and the hot path stays native.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import crypto from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { fail, ok, type Result } from '../contract/result.ts'
import { asDigest, type Digest } from '../pbft/protocol/ids.ts'
import { sha256Hex } from './hashing.ts'

export const signatureBytes = 64
const seedBytes = 32

/** An imported, checked Ed25519 public key. */
export interface PublicKey {
  readonly hex: string
  readonly handle: crypto.KeyObject
}

export interface PrivateKey {
  /** The 32-byte seed of RFC 8032. */
  readonly seed: Uint8Array
  readonly publicKey: PublicKey
  readonly handle: crypto.KeyObject
}

// DER prefixes (RFC 8410): unlike JWK they import in every TLS library that Node or Electron is built with.
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex')
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/**
 * Imports a public key of 64 lower-case hex digits. Null when it is no canonical encoding of a point of prime order:
 * small-order keys make signatures that hold for every message, and with mixed-order ones verifiers disagree.
 */
export const importPublicKey = (hex: string): PublicKey | null => {
  if (!/^[0-9a-f]{64}$/.test(hex)) return null
  const bytes = Buffer.from(hex, 'hex')
  try {
    const point = ed25519.Point.fromBytes(bytes, false)
    if (point.is0() || point.isSmallOrder() || !point.isTorsionFree()) return null
  } catch {
    return null
  }
  const handle = crypto.createPublicKey({ key: Buffer.concat([spkiPrefix, bytes]), format: 'der', type: 'spki' })
  return { hex, handle }
}

/** Makes the key pair of a 32-byte seed. Throws a RangeError on another length: seeds come from this module only. */
export const keyFromSeed = (seed: Uint8Array): PrivateKey => {
  if (seed.length !== seedBytes) throw new RangeError(`a seed has ${seedBytes} bytes, not ${seed.length}`)
  const handle = crypto.createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
  const spki = crypto.createPublicKey(handle).export({ format: 'der', type: 'spki' })
  const publicKey = importPublicKey(spki.subarray(spkiPrefix.length).toString('hex'))
  if (publicKey === null) throw new Error('a seed made a public key outside the prime-order group')
  return { seed: Uint8Array.from(seed), publicKey, handle }
}

/** A fresh key pair. */
export const generateKey = (): PrivateKey => keyFromSeed(crypto.randomBytes(seedBytes))

/** The public key of a key pair as 64 lower-case hex digits, as manifests hold it. */
export const publicKeyOf = (key: PrivateKey): string => key.publicKey.hex

/** Signs; deterministic (RFC 8032, section 5.1.6). 64 bytes. */
export const sign = (key: PrivateKey, bytes: Uint8Array): Uint8Array => crypto.sign(null, bytes, key.handle)

/** Whether `signature` is `key`'s over `bytes`. Total: false for anything that is no signature. */
export const verify = (key: PublicKey, bytes: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === signatureBytes && crypto.verify(null, bytes, key.handle, signature)

/** As `verify`, by a thread of Node's pool; `done` is called later, exactly once. The arguments are copied before this returns. */
export const verifyInPool = (key: PublicKey, bytes: Uint8Array, signature: Uint8Array, done: (holds: boolean) => void): void => {
  if (signature.length !== signatureBytes) setImmediate(done, false)
  else crypto.verify(null, bytes, key.handle, signature, (error, holds) => done(error === null && holds))
}

/** SHA-256 as the protocol names batches and states. */
export const sha256 = (bytes: Uint8Array): Digest => asDigest(sha256Hex(bytes))

/**
 * Writes a private key file (hex seed, mode 0600) that must not exist yet; it is on the disk when this returns.
 * Throws the system's error when it cannot.
 */
export const savePrivateKey = (file: string, key: PrivateKey): void => {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    writeSync(descriptor, `${Buffer.from(key.seed).toString('hex')}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  chmodSync(file, 0o600)
}

/**
 * Reads a private key file. `not-found` when there is none, `unauthorized` when others than its owner may read it or the
 * system refuses it, `bad-request` when it holds no key.
 */
export const loadPrivateKey = (file: string): Result<PrivateKey> => {
  let text: string
  try {
    // Windows has no such mode bits; there the folder's access list protects the file.
    const mode = process.platform === 'win32' ? 0o600 : statSync(file).mode
    if ((mode & 0o077) !== 0) {
      const octal = (mode & 0o777).toString(8).padStart(4, '0')
      return fail('unauthorized', `private key ${file} has mode ${octal}, others can read it: run chmod 600 on it`)
    }
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return fail('not-found', `private key ${file} does not exist`)
    return fail('unauthorized', `private key ${file} cannot be read: ${String(code)}`)
  }
  const hex = text.trim()
  if (!/^[0-9a-f]{64}$/.test(hex)) return fail('bad-request', `private key ${file} does not hold 64 lower-case hex digits`)
  return ok(keyFromSeed(Buffer.from(hex, 'hex')))
}
