import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { EventBatch } from '../../src/contract/events.ts'
import { EventStream } from '../../src/cluster/model/event-stream.ts'

const sample = (at: number) =>
  ({ type: 'sample', sample: { at, requests: 0, p50Ms: null, p95Ms: null, p99Ms: null, view: 0, faults: 0 } }) as const

describe('the event stream', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const collect = (stream: EventStream, from: { epoch: string; position: number } | null) => {
    const batches: EventBatch[] = []
    stream.subscribe(from, (batch) => batches.push(batch))
    return batches
  }

  it('begins with a reset, then delivers at most every 50 ms, with consecutive positions', () => {
    const stream = new EventStream()
    const batches = collect(stream, null)
    expect(batches.map(({ position, events }) => [position, events.map(({ type }) => type)])).toEqual([[0, ['reset']]])
    stream.emit(sample(1))
    stream.emit(sample(2))
    vi.advanceTimersByTime(49)
    expect(batches).toHaveLength(1)
    vi.advanceTimersByTime(1)
    stream.emit(sample(3))
    vi.advanceTimersByTime(50)
    expect(batches.slice(1).map(({ position, events }) => [position, events.length])).toEqual([
      [2, 2],
      [3, 1],
    ])
  })

  it('replaces what is still undelivered and replaceable', () => {
    const stream = new EventStream()
    const batches = collect(stream, null)
    stream.emit({ type: 'log', first: 1, last: 5, changedFrom: 5 })
    stream.emit({ type: 'views' })
    stream.emit({ type: 'views' })
    stream.emit({ type: 'log', first: 1, last: 9, changedFrom: 7 })
    vi.advanceTimersByTime(50)
    expect(batches[1]?.events).toEqual([{ type: 'views' }, { type: 'log', first: 1, last: 9, changedFrom: 5 }])
  })

  it('gives a returning subscriber what it missed, nothing twice', () => {
    const stream = new EventStream()
    const first = collect(stream, null)
    stream.emit(sample(1))
    vi.advanceTimersByTime(50)
    const { epoch, position } = first.at(-1) as EventBatch
    stream.emit(sample(2))
    vi.advanceTimersByTime(50)
    expect(collect(stream, { epoch, position })).toEqual([{ epoch, position: 2, events: [sample(2)] }])
    expect(collect(stream, { epoch, position: 2 })).toEqual([])
  })

  it('resets those who come from elsewhere, from the future, or too late', () => {
    const stream = new EventStream()
    const { epoch } = collect(stream, null)[0] as EventBatch
    for (let i = 0; i < 2_500; i += 1) stream.emit(sample(i))
    vi.advanceTimersByTime(50)
    for (const from of [
      { epoch: 'other', position: 1 },
      { epoch, position: 9_999 },
      { epoch, position: 10 },
    ]) {
      expect(collect(stream, from).map(({ events }) => events)).toEqual([[{ type: 'reset' }]])
    }
  })
})
