/** Arbitrary operations over few enough keys that they meet, some of them names that objects inherit. */
import fc from 'fast-check'
import type { Operation } from '../../src/pbft/service/index.ts'

const key = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('a', 'b', '键', '__proto__', 'constructor', 'toString', '\ud800') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 10 }) },
)
const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('', '1', '-7', 'x', '01', '9007199254740991', '-0', '1e3') },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
)
const type = <T extends string>(name: T): fc.Arbitrary<T> => fc.constant(name)
const number = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.maxSafeInteger()).map((n) => (n === 0 ? 0 : n))

export const operations: fc.Arbitrary<Operation> = fc.oneof<fc.Arbitrary<Operation>[]>(
  fc.record({ type: type('put'), key, value }),
  fc.record({ type: type('get'), key }),
  fc.record({ type: type('delete'), key }),
  fc.record({ type: type('cas'), key, old: fc.option(value, { nil: null }), new: value }),
  fc.record({ type: type('incr'), key, n: number }),
  fc.record({ type: type('open'), account: key, balance: fc.oneof(fc.nat(10), fc.maxSafeNat()) }),
  fc.record({ type: type('transfer'), from: key, to: key, amount: fc.integer({ min: 1, max: 12 }) }),
  fc.record({ type: type('balance'), account: key }),
  fc.constant<Operation>({ type: 'total' }),
)
