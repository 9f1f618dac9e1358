import { describe, expect, it } from 'vitest'
import { bytesOfBase64 } from '../../src/contract/base64.ts'
import { packMessages, unpackMessages, type MessageColumns } from '../../src/contract/messages.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

const columns: MessageColumns = {
  count: 3,
  id: Float64Array.of(1, 2 ** 52, 3),
  sentAt: Float64Array.of(1_700_000_000_000.125, NaN, 3),
  receivedAt: Float64Array.of(NaN, 2.5, 3),
  seq: Float64Array.of(1, 2, NaN),
  view: Float64Array.of(0, 0, 7),
  timestamp: Float64Array.of(NaN, 9, 9),
  bytes: Float64Array.of(100, 200, 300),
  from: Int32Array.of(0, 1, 2),
  to: Int32Array.of(2, 1, 0),
  kind: Int32Array.of(4, 5, 6),
  digest: Int32Array.of(-1, 0, 1),
  fate: Int32Array.of(0, 1, 2),
  reason: Int32Array.of(-1, 3, -1),
}

describe('packed messages', () => {
  it('come back as they were', () => {
    expect(unpackMessages(base64(packMessages(columns)))).toEqual(columns)
  })

  it('can be none', () => {
    expect(unpackMessages('')?.count).toBe(0)
  })

  it('are refused when they are cut or no base64', () => {
    const whole = packMessages(columns)
    expect(unpackMessages(base64(whole.subarray(0, whole.length - 1)))).toBeNull()
    expect(unpackMessages('!!!!')).toBeNull()
    expect(unpackMessages('abc')).toBeNull()
  })
})

describe('base64', () => {
  it('decodes what Node encodes, of every length', () => {
    for (let length = 0; length < 50; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 0xff)
      expect(bytesOfBase64(base64(bytes))).toEqual(bytes)
    }
  })
})
