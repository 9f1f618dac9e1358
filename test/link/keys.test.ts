import { ed25519 } from '@noble/curves/ed25519.js'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createHash, randomBytes } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  generateKey,
  importPublicKey,
  keyFromSeed,
  loadPrivateKey,
  publicKeyOf,
  savePrivateKey,
  sha256,
  sign,
  verify,
} from '../../src/link/keys.ts'

const { Point } = ed25519
type EdwardsPoint = InstanceType<typeof Point>
const order = Point.Fn.ORDER
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const littleEndian = (value: bigint): Uint8Array => bytesOf(value.toString(16).padStart(64, '0')).reverse()
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`)

/** The cluster's rule, from noble's primitives alone. */
const holdsByDefinition = (publicKey: string, message: Uint8Array, signature: Uint8Array): boolean => {
  try {
    const key = Point.fromHex(publicKey, false)
    if (!key.isTorsionFree() || key.is0() || signature.length !== 64) return false
    return (
      ed25519.verify(signature, message, bytesOf(publicKey), { zip215: false }) &&
      Point.fromBytes(signature.subarray(0, 32), false).isTorsionFree()
    )
  } catch {
    return false
  }
}

const holds = (publicKey: string, message: Uint8Array, signature: Uint8Array): boolean => {
  const key = importPublicKey(publicKey)
  return key !== null && verify(key, message, signature)
}

// A generator of the 8 points of small order.
const eighth = Point.fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a', false)
const smallOrder: EdwardsPoint[] = [Point.ZERO, ...[1, 2, 3, 4, 5, 6, 7].map((i) => eighth.multiplyUnsafe(BigInt(i)))]

describe('RFC 8032', () => {
  const vectors = [
    {
      seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
      publicKey: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature:
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    },
    {
      seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
      publicKey: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
  ]
  for (const vector of vectors) {
    it(`vector with message "${vector.message}"`, () => {
      const key = keyFromSeed(bytesOf(vector.seed))
      expect(publicKeyOf(key)).toBe(vector.publicKey)
      expect(hex(sign(key, bytesOf(vector.message)))).toBe(vector.signature)
      expect(holds(vector.publicKey, bytesOf(vector.message), bytesOf(vector.signature))).toBe(true)
    })
  }

  it('signs as noble does, byte for byte', () => {
    for (let i = 0; i < 25; i += 1) {
      const seed = randomBytes(32)
      const message = randomBytes(i * 7)
      expect(hex(sign(keyFromSeed(seed), message)), `seed ${seed.toString('hex')}`).toBe(hex(ed25519.sign(message, seed)))
    }
  })
})

describe('accepts and rejects what the definition does', () => {
  const key = generateKey()
  const publicKey = publicKeyOf(key)
  const message = new TextEncoder().encode('message')
  const signature = sign(key, message)
  const agrees = (candidateKey: string, candidate: Uint8Array, expected: boolean): void => {
    expect(holdsByDefinition(candidateKey, message, candidate), 'definition').toBe(expected)
    expect(holds(candidateKey, message, candidate), 'implementation').toBe(expected)
  }

  it('an honest signature, and it with any one byte changed', () => {
    agrees(publicKey, signature, true)
    for (const at of [0, 15, 31, 32, 47, 63]) {
      const bad = Uint8Array.from(signature)
      bad[at] = (bad[at] as number) ^ 1
      agrees(publicKey, bad, false)
    }
  })

  it('wrong lengths', () => {
    for (const length of [0, 1, 32, 63]) agrees(publicKey, signature.subarray(0, length), false)
    agrees(publicKey, Uint8Array.from([...signature, 0]), false)
    for (const bad of ['', publicKey.slice(2), `${publicKey}00`, publicKey.toUpperCase().replace(/\d/g, 'A')])
      expect(importPublicKey(bad)).toBeNull()
  })

  it('S that is not reduced', () => {
    const s = numberOf(signature.subarray(32))
    for (const multiple of [1n, 2n, 8n]) {
      agrees(publicKey, Uint8Array.from([...signature.subarray(0, 32), ...littleEndian(s + multiple * order)]), false)
    }
  })

  it('public keys of small order, canonical or not', () => {
    // S = 0 and R = the neutral element hold for every message under a key of small order, by the cofactored equation.
    const universal = Uint8Array.from([...Point.ZERO.toBytes(), ...new Uint8Array(32)])
    for (const point of smallOrder) agrees(hex(point.toBytes()), universal, false)
    // y = p, p + 1 and 2^255 - 1; and x = 0 with the sign bit.
    for (const encoding of ['ed', 'ee', 'ff']) agrees(`${encoding}${'ff'.repeat(30)}7f`, universal, false)
    agrees(`01${'00'.repeat(30)}80`, universal, false)
  })

  it('public keys of mixed order', () => {
    for (const point of smallOrder.slice(1)) agrees(hex(Point.fromHex(publicKey, false).add(point).toBytes()), signature, false)
  })

  it('R of mixed order, which the cofactored equation takes and the other does not', () => {
    const { scalar } = ed25519.utils.getExtendedPublicKey(key.seed)
    for (const torsion of smallOrder) {
      const r = numberOf(randomBytes(32)) % order
      const point = Point.BASE.multiply(r).add(torsion)
      const challenge = createHash('sha512').update(point.toBytes()).update(bytesOf(publicKey)).update(message).digest()
      const s = (r + (numberOf(challenge) % order) * scalar) % order
      const made = Uint8Array.from([...point.toBytes(), ...littleEndian(s)])
      expect(ed25519.verify(made, message, bytesOf(publicKey), { zip215: false })).toBe(true)
      agrees(publicKey, made, torsion.is0())
    }
  })

  it('R that is not canonical', () => {
    for (const encoding of ['ed', 'ee', 'ff']) {
      agrees(publicKey, Uint8Array.from([...bytesOf(`${encoding}${'ff'.repeat(30)}7f`), ...signature.subarray(32)]), false)
    }
  })
})

describe('key files', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'pbft-keys-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  it('come back as they were saved, readable by their owner only', () => {
    const key = generateKey()
    const file = join(folder, 'a.key')
    savePrivateKey(file, key)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const loaded = loadPrivateKey(file)
    expect(loaded.ok && publicKeyOf(loaded.value)).toBe(publicKeyOf(key))
    expect(() => savePrivateKey(file, key)).toThrow(/EEXIST/)
  })

  it('are refused when missing, readable by others, or no key', () => {
    const file = join(folder, 'b.key')
    expect(loadPrivateKey(file)).toMatchObject({ ok: false, error: { code: 'not-found' } })
    savePrivateKey(file, generateKey())
    for (const mode of [0o640, 0o604, 0o660]) {
      chmodSync(file, mode)
      expect(loadPrivateKey(file)).toMatchObject({ ok: false, error: { code: 'unauthorized' } })
    }
    writeFileSync(file, 'no key')
    chmodSync(file, 0o600)
    expect(loadPrivateKey(file)).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })
})

it('names digests as SHA-256 in hex', () => {
  expect(sha256(new TextEncoder().encode('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
})
