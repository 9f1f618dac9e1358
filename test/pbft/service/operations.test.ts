import fc from 'fast-check'
import { describe, expect, expectTypeOf, it } from 'vitest'
import type * as contract from '../../../src/contract/operations.ts'
import { keyCharsMax, readOperations, valueCharsMax } from '../../../src/contract/operations.ts'
import {
  decodeOperation,
  decodeResult,
  encodeOperation,
  encodeResult,
  isReadOperation,
  keyUnitsMax,
  textUnitsMax,
  type DecodedOperation,
  type Operation,
  type OperationErrorCode,
  type OperationResult,
} from '../../../src/pbft/service/index.ts'
import { operationBytesMax } from '../../../src/pbft/wire/index.ts'
import { operations } from '../../support/operation-arbitraries.ts'

describe('the types', () => {
  it('are the contract’s', () => {
    expectTypeOf<Operation>().toEqualTypeOf<contract.Operation>()
    expectTypeOf<DecodedOperation>().toEqualTypeOf<contract.DecodedOperation>()
    expectTypeOf<OperationResult>().toEqualTypeOf<contract.OperationResult>()
    expectTypeOf<OperationErrorCode>().toEqualTypeOf<contract.OperationErrorCode>()
    expect([keyUnitsMax, textUnitsMax]).toEqual([keyCharsMax, valueCharsMax])
  })

  it('agree on what is a read', () => {
    fc.assert(fc.property(operations, (operation) => isReadOperation(operation) === readOperations.includes(operation.type)))
  })
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

describe('operations', () => {
  const golden: [Operation, string][] = [
    [{ type: 'put', key: 'k', value: 'é' }, '01 00000002 6b 00000002 e9'],
    [{ type: 'get', key: '键' }, '02 00000003 952e'],
    [{ type: 'delete', key: 'k' }, '03 00000002 6b'],
    [{ type: 'cas', key: 'k', old: null, new: '' }, '04 00000002 6b 00 00000000'],
    [{ type: 'cas', key: 'k', old: 'a', new: 'b' }, '04 00000002 6b 01 00000002 61 00000002 62'],
    [{ type: 'incr', key: 'k', n: -2 }, '05 00000002 6b fffffffffffffffe'],
    [{ type: 'open', account: 'a', balance: 2 ** 40 }, '10 00000002 61 0000010000000000'],
    [{ type: 'transfer', from: 'a', to: 'b', amount: 1 }, '11 00000002 61 00000002 62 0000000000000001'],
    [{ type: 'balance', account: 'a' }, '12 00000002 61'],
    [{ type: 'total' }, '13'],
  ]
  it.each(golden)('%o', (operation, notation) => {
    expect(hex(encodeOperation(operation))).toBe(hex(unhex(notation)))
    expect(decodeOperation(unhex(notation))).toEqual(operation)
  })

  it('decode to themselves', () => {
    fc.assert(fc.property(operations, (operation) => void expect(decodeOperation(encodeOperation(operation))).toEqual(operation)))
  })

  it('of any bytes are canonical or unknown', () => {
    const hostile = fc.tuple(operations, fc.nat(), fc.nat(255), fc.boolean()).map(([operation, at, byte, cut]) => {
      const bytes = encodeOperation(operation)
      bytes[at % bytes.length] = byte
      return cut ? bytes.subarray(0, at % bytes.length) : bytes
    })
    fc.assert(
      fc.property(fc.oneof(hostile, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        const operation = decodeOperation(bytes)
        if (operation.type === 'unknown') expect(operation.hex).toBe(hex(bytes))
        else expect(encodeOperation(operation)).toEqual(Uint8Array.from(bytes))
      }),
      { numRuns: 3_000 },
    )
  })

  it.each([
    ['a wide form of narrow text', '02 00000003 006b'],
    ['an empty key', '02 00000000'],
    ['a byte too many', '13 00'],
    ['a negative transfer', '11 00000002 61 00000002 62 ffffffffffffffff'],
    ['an integer above 2^53-1', '05 00000002 6b 0020000000000000'],
    ['an integer below -(2^53-1)', '05 00000002 6b ffe0000000000000'],
    ['a flag of 2', '04 00000002 6b 02 00000000'],
    ['a text longer than the bytes', '02 000007d0 6b'],
  ])('%s is unknown', (_what, notation) => {
    expect(decodeOperation(unhex(notation)).type).toBe('unknown')
  })

  it('as large as the contract allows fit the wire and come back', () => {
    const largest: Operation = {
      type: 'cas',
      key: '键'.repeat(keyCharsMax),
      old: '旧'.repeat(valueCharsMax),
      new: '新'.repeat(valueCharsMax),
    }
    const bytes = encodeOperation(largest)
    expect(bytes.length).toBeLessThanOrEqual(operationBytesMax)
    expect(decodeOperation(bytes)).toEqual(largest)
  })

  it.each<Operation>([
    { type: 'get', key: '' },
    { type: 'get', key: 'x'.repeat(1_025) },
    { type: 'incr', key: 'k', n: 0.5 },
    { type: 'open', account: 'a', balance: -1 },
    { type: 'transfer', from: 'a', to: 'b', amount: 0 },
  ])('out of bounds have no bytes: %#', (operation) => {
    expect(() => encodeOperation(operation)).toThrow(RangeError)
  })
})

describe('results', () => {
  const values = fc.oneof(fc.constant(null), fc.maxSafeInteger(), fc.string({ unit: 'binary' }))
  const errors = fc.constantFrom<OperationErrorCode>('not-an-operation', 'mismatch', 'insufficient-funds')
  const results: fc.Arbitrary<OperationResult> = fc.oneof(
    fc.record({ ok: fc.constant(true as const), value: values }),
    fc.record({ ok: fc.constant(false as const), error: errors, value: values }, { requiredKeys: ['ok', 'error'] }),
  )
  it('decode to themselves', () => {
    fc.assert(fc.property(results, (result) => void expect(decodeResult(encodeResult(result))).toEqual(result)))
  })

  it('of any bytes are canonical or null', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(0, 1, 2, 3, 4, 7, 8, 255), { maxLength: 12 }), (list) => {
        const bytes = Uint8Array.from(list)
        const result = decodeResult(bytes)
        if (result !== null) expect(encodeResult(result)).toEqual(bytes)
      }),
      { numRuns: 5_000 },
    )
  })
})
