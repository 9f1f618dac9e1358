import { expect, test } from 'vitest'
import { centred, contains, drawnOfOverview, panned, textOfWindow, windowOfText, zoomed } from '../../src/renderer/lib/message-window.ts'

const window = { from: 1_000, to: 2_000 }

test('zooming keeps the time under the pointer where it is, within bounds', () => {
  expect(zoomed(window, 0.5, 1_250)).toEqual({ from: 1_125, to: 1_625 })
  const { from, to } = zoomed(window, 1e-9, 1_500)
  expect(to - from).toBeCloseTo(0.5, 6)
  expect(zoomed(window, 1e12, 1_500).to - zoomed(window, 1e12, 1_500).from).toBe(86_400_000)
})

test('panning and centring keep the length', () => {
  expect(panned(window, 0.1)).toEqual({ from: 1_100, to: 2_100 })
  expect(centred(window, 500)).toEqual({ from: 0, to: 1_000 })
  expect(contains(window, { from: 1_000, to: 1_500 })).toBe(true)
  expect(contains(window, { from: 999, to: 1_500 })).toBe(false)
})

test('an address holds a window, and nothing else is one', () => {
  expect(windowOfText(textOfWindow({ from: 1_000.25, to: 2_000.5 }))).toEqual({ from: 1_000.25, to: 2_000.5 })
  for (const text of ['', '5', '2000-1000', 'a-b', '0-10', '1-99999999999', '1000-1000.1']) expect(windowOfText(text)).toBeNull()
})

test('counts become bundles in the middle of their bins', () => {
  const { rows, drawn } = drawnOfOverview({
    from: 0,
    to: 100,
    bins: 10,
    lanes: [
      { kind: 'replica', id: 1 },
      { kind: 'replica', id: 0 },
    ],
    kinds: ['prepare'],
    bin: [3],
    source: [0],
    target: [1],
    kind: [0],
    count: [40],
    lost: [2],
    total: 40,
    blocks: { read: 1, of: 1 },
    first: 0,
    last: 99,
    gaps: [],
  })
  expect(rows.map(({ label }) => label)).toEqual(['r0', 'r1'])
  expect([drawn.start[0], drawn.end[0], drawn.from[0], drawn.to[0], drawn.weight[0], drawn.lost[0]]).toEqual([32, 38, 1, 0, 40, 2])
})
