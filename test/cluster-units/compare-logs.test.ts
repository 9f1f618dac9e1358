import { expect, test } from 'vitest'
import { compared } from '../../src/cluster/compare-logs.ts'
import type { HistoryEntry } from '../../src/contract/control.ts'

const entry = (seq: number, digest = 'a', results: readonly string[] = ['r']): HistoryEntry => ({
  seq,
  view: 0,
  digest,
  batch: '',
  results: [...results],
})
const history = (...seqs: number[]): HistoryEntry[] => seqs.map((seq) => entry(seq))

test('equal histories have no difference, and what one does not hold is none', () => {
  const { rows, firstDifference, silent, next } = compared(
    [
      { id: 0, history: history(1, 2, 3) },
      { id: 1, history: history(2, 3) },
      { id: 2, history: null },
    ],
    0,
    10,
  )
  expect(rows.map(({ seq, equal }) => [seq, equal])).toEqual([
    [1, true],
    [2, true],
    [3, true],
  ])
  expect(rows[0]?.replicas).toMatchObject({ 0: { digest: 'a' }, 1: null, 2: null })
  expect({ firstDifference, silent, next }).toEqual({ firstDifference: null, silent: [2], next: null })
})

test('another batch differs, and so do other results of the same batch', () => {
  expect(
    compared(
      [
        { id: 0, history: history(1, 2) },
        { id: 1, history: [entry(1), entry(2, 'b')] },
      ],
      0,
      10,
    ).firstDifference,
  ).toBe(2)
  expect(
    compared(
      [
        { id: 0, history: history(1) },
        { id: 1, history: [entry(1, 'a', ['other'])] },
      ],
      0,
      10,
    ).firstDifference,
  ).toBe(1)
})

test('beyond the end of a full answer nothing is compared, and the next page begins there', () => {
  const { rows, next } = compared(
    [
      { id: 0, history: history(1, 2) },
      { id: 1, history: history(2, 3) },
    ],
    0,
    2,
  )
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2])
  expect(next).toBe(2)
})
