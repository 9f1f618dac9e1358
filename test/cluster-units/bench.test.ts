import { describe, expect, it } from 'vitest'
import { median } from '../../src/cluster/bench/bench.ts'
import { benchCases, comparisons, etcdCases, selectCases } from '../../src/cluster/bench/cases.ts'
import { Histogram } from '../../src/cluster/bench/histogram.ts'
import { MeasuredWindow } from '../../src/cluster/bench/measured-window.ts'

describe('the latency histogram', () => {
  it('finds percentiles within 1.6 %, over nine powers of ten', () => {
    for (let ms = 0.001; ms < 1e6; ms *= 1.37) {
      const histogram = new Histogram()
      histogram.addMs(ms)
      const found = histogram.percentileMs(0.5) ?? 0
      // Buckets are no finer than a microsecond.
      expect(Math.abs(found - ms)).toBeLessThanOrEqual(Math.max(0.001, ms * 0.016))
      expect(histogram.maxMs).toBeCloseTo(ms)
    }
  })

  it('ranks', () => {
    const histogram = new Histogram()
    expect(histogram.percentileMs(0.99)).toBeNull()
    for (let ms = 1; ms <= 100; ms++) histogram.addMs(ms)
    expect(histogram.count).toBe(100)
    expect(histogram.percentileMs(0.5)).toBeCloseTo(50, -0.5)
    expect(histogram.percentileMs(0.99)).toBeGreaterThan(97)
    expect(histogram.percentileMs(1)).toBeGreaterThan(98)
  })

  it('takes values beyond its last bucket', () => {
    const histogram = new Histogram()
    histogram.addMs(1e12)
    expect(histogram.percentileMs(0.5)).toBeGreaterThan(1e7)
  })
})

describe('the measured window', () => {
  it('counts only what completes inside it, and the gaps at its ends too', () => {
    const window = new MeasuredWindow()
    window.completed(90, 5, 0, 10)
    window.wrong()
    window.begin(100)
    window.completed(130, 5, 0, 12)
    window.completed(140, 7, 1, 14)
    const figures = window.end(200)
    expect(figures).toMatchObject({ completed: 2, wrong: 0, seconds: 0.1, longestGapMs: 60, silentAtEndMs: 60, view: 1 })
    expect(figures.requestsPerBatch).toBeCloseTo(2 / 4)
    expect(window.total).toBe(3)
  })

  it('finds a gap at its beginning and in its middle', () => {
    const window = new MeasuredWindow()
    window.begin(0)
    window.completed(50, 1, 0, 1)
    window.completed(120, 1, 0, 2)
    expect(window.end(121)).toMatchObject({ longestGapMs: 70, silentAtEndMs: 1 })
  })
})

describe('cases', () => {
  it('have names of their own, and comparisons name cases', () => {
    const names = [...benchCases, ...etcdCases].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    for (const { of, to } of comparisons) expect(names).toEqual(expect.arrayContaining([of, to]))
  })

  it('are chosen by name or by the beginning of names', () => {
    expect(selectCases(benchCases, []).cases).toHaveLength(benchCases.length)
    expect(selectCases(benchCases, ['put-64-full-signature']).cases.map(({ name }) => name)).toEqual(['put-64-full-signature'])
    expect(selectCases(benchCases, ['put-64']).cases.every(({ settings }) => settings.clients === 64)).toBe(true)
    expect(selectCases(benchCases, ['put-6', 'get'])).toMatchObject({ unknown: ['put-6'] })
  })
})

it('the median of nothing is nothing, of even numbers the middle', () => {
  expect(median([])).toBeNull()
  expect(median([3, null, 1])).toBe(2)
  expect(median([9, 1, 5])).toBe(5)
})
