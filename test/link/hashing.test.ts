import { createHash, createHmac, createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hmacSha256, sha256Hex } from '../../src/link/hashing.ts'

const hmacByNode = (key: Buffer, bytes: Buffer): string => createHmac('sha256', key).update(bytes).digest('hex')

describe('SHA-256', () => {
  it('is that of FIPS 180-4', () => {
    expect(sha256Hex(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(sha256Hex(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('takes views into larger buffers', () => {
    const bytes = randomBytes(300)
    expect(sha256Hex(bytes.subarray(7, 130))).toBe(createHash('sha256').update(bytes.subarray(7, 130)).digest('hex'))
  })
})

describe('HMAC-SHA-256', () => {
  it('is that of RFC 4231', () => {
    const key = createSecretKey(Buffer.alloc(20, 0x0b))
    const tag = hmacSha256(key, Buffer.from('Hi '), Buffer.from('There'))
    expect(tag.toString('hex')).toBe('b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7')
  })

  it('agrees with Node for all lengths of keys, around the lengths at which ways part', () => {
    for (const keyBytes of [1, 16, 32, 63, 64]) {
      const secret = randomBytes(keyBytes)
      const key = createSecretKey(secret)
      for (const length of [0, 1, 55, 56, 64, 119, 8_184, 8_185, 8_192, 70_000]) {
        const [head, body] = [randomBytes(8), randomBytes(length)]
        expect(hmacSha256(key, head, body).toString('hex'), `${keyBytes}, ${length}`).toBe(hmacByNode(secret, Buffer.concat([head, body])))
      }
    }
  })

  it('keeps keys apart that are used in turn', () => {
    const secrets = [randomBytes(32), randomBytes(32)]
    const keys = secrets.map((secret) => createSecretKey(secret))
    const body = randomBytes(40)
    for (let i = 0; i < 6; i++) {
      const tag = hmacSha256(keys[i % 2]!, new Uint8Array(0), body)
      expect(tag.toString('hex')).toBe(hmacByNode(secrets[i % 2]!, body))
    }
  })

  it('refuses keys longer than a block', () => {
    expect(() => hmacSha256(createSecretKey(randomBytes(65)), new Uint8Array(0), new Uint8Array(0))).toThrow(RangeError)
  })
})
