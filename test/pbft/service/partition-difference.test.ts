import { expect, it } from 'vitest'
import { createService, encodeOperation, partitionDifference, type Operation } from '../../../src/pbft/service/index.ts'

const stateAfter = (...operations: readonly Operation[]): readonly Uint8Array[] => {
  const service = createService()
  for (const operation of operations) {
    const bytes = encodeOperation(operation)
    service.execute(bytes, { client: 'c' as never, timeMs: 1, resultBytesMax: 1_000 })
  }
  return Array.from({ length: service.partitionCount }, (_, index) => service.savePartition(index))
}
const differing = (first: readonly Uint8Array[], second: readonly Uint8Array[]): number[] =>
  first.flatMap((bytes, index) => (Buffer.from(bytes).equals(second[index] ?? new Uint8Array(1)) ? [] : [index]))

it('names the keys that are missing or have another value', () => {
  const first = stateAfter({ type: 'put', key: 'colour', value: 'red' }, { type: 'put', key: 'size', value: '1' })
  const second = stateAfter({ type: 'put', key: 'colour', value: 'blue' })
  const named = differing(first, second).map((index) => partitionDifference(index, first[index]!, second[index]!))
  expect(named.map((one) => one?.part)).toEqual(['store', 'store'])
  expect(named.flatMap((one) => one?.keys ?? []).sort()).toEqual(['colour', 'size'])
})

it('names accounts, and the total apart', () => {
  const first = stateAfter({ type: 'open', account: 'alice', balance: 5 })
  const second = stateAfter()
  const named = differing(first, second).map((index) => partitionDifference(index, first[index]!, second[index]!))
  expect(named).toEqual([
    { part: 'accounts', keys: ['alice'] },
    { part: 'total', keys: [] },
  ])
})

it('takes bytes that are no partition for an empty one, and knows its own partitions only', () => {
  const state = stateAfter({ type: 'put', key: 'colour', value: 'red' })
  const index = differing(state, stateAfter())[0] ?? -1
  expect(partitionDifference(index, state[index]!, new Uint8Array([255]))).toEqual({ part: 'store', keys: ['colour'] })
  for (const other of [-1, state.length, 0.5]) expect(partitionDifference(other, new Uint8Array(0), new Uint8Array(0))).toBeNull()
})
