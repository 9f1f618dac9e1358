import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { sha256Binary, sha256BinaryOfTwo, sha256Hex } from '../../src/link/hashing.ts'

it('is SHA-256 as of FIPS 180-4', () => {
  expect(sha256Hex(Buffer.from('abc'))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  expect(sha256Hex(new Uint8Array(0))).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

it('takes views into larger buffers, and says the same in every form', () => {
  const bytes = randomBytes(300)
  const view = bytes.subarray(7, 130)
  const expected = createHash('sha256').update(view).digest('hex')
  expect(sha256Hex(view)).toBe(expected)
  expect(Buffer.from(sha256Binary(view), 'binary').toString('hex')).toBe(expected)
  expect(Buffer.from(sha256BinaryOfTwo(view.subarray(0, 50), view.subarray(50)), 'binary').toString('hex')).toBe(expected)
})
