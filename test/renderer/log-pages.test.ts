import { describe, expect, test } from 'vitest'
import type { LogEntry, LogPage } from '../../src/contract/model.ts'
import { LogPages } from '../../src/renderer/lib/log-pages.ts'

const entryOf = (seq: number, mark = ''): LogEntry => ({
  seq,
  view: 0,
  digest: `${mark}${seq}`,
  timeMs: 1,
  requests: [],
  replicas: {},
  latencyMs: null,
})

/** A host with entries first..last whose answers are let go one by one. */
function makeHost(first: number, last: number) {
  const asked: number[] = []
  const waiting: (() => void)[] = []
  const state = { first, last, mark: '', away: false }
  const fetch = (after: number, limit: number): Promise<LogPage | null> => {
    asked.push(after)
    return new Promise((resolve) => {
      waiting.push(() => {
        if (state.away) return resolve(null)
        const entries: LogEntry[] = []
        for (let seq = Math.max(after + 1, state.first); seq <= state.last && entries.length < limit; seq++)
          entries.push(entryOf(seq, state.mark))
        resolve({ entries, next: null, first: state.first, last: state.last })
      })
    })
  }
  const answer = async (): Promise<void> => {
    for (const let_ of waiting.splice(0)) let_()
    await Promise.resolve()
    await Promise.resolve()
  }
  return { state, asked, fetch, answer }
}

const make = (host: ReturnType<typeof makeHost>, pagesMax = 3) => {
  const changes = { count: 0 }
  const pages = new LogPages({ pageSize: 10, pagesMax, loadsMax: 2, fetch: host.fetch, onChange: () => (changes.count += 1) })
  return { pages, changes }
}

describe('pages of the log', () => {
  test('fetches the pages of what is wanted, once, and says when they are here', async () => {
    const host = makeHost(1, 100)
    const { pages, changes } = make(host)
    pages.want(5, 15)
    pages.want(6, 16)
    expect(host.asked).toEqual([0, 10])
    expect(pages.entry(5)).toBeUndefined()
    await host.answer()
    expect(changes.count).toBe(2)
    expect(pages.entry(5)?.seq).toBe(5)
    expect(pages.entry(20)?.seq).toBe(20)
    expect(pages.entry(21)).toBeUndefined()
  })

  test('keeps the most recently used pages only', async () => {
    const host = makeHost(1, 1_000)
    const { pages } = make(host)
    for (const seq of [1, 101, 201]) {
      pages.want(seq, seq)
      await host.answer()
    }
    pages.want(1, 1)
    pages.want(301, 301)
    await host.answer()
    pages.want(301, 301)
    expect(pages.size).toBe(3)
    expect(pages.entry(1)?.seq).toBe(1)
    expect(pages.entry(101)).toBeUndefined()
  })

  test('what is flung past is never fetched: the newest wanted waits for its turn', async () => {
    const host = makeHost(1, 1_000)
    const { pages } = make(host)
    for (const seq of [1, 101, 201, 301, 401]) pages.want(seq, seq)
    expect(host.asked).toEqual([0, 100])
    await host.answer()
    expect(host.asked).toEqual([0, 100, 400])
    await host.answer()
    expect(pages.entry(401)?.seq).toBe(401)
    expect(pages.entry(201)).toBeUndefined()
  })

  test('an invalidated page shows what it had until it is fetched again', async () => {
    const host = makeHost(1, 12)
    const { pages } = make(host)
    pages.want(1, 12)
    await host.answer()
    host.state.mark = 'new-'
    host.state.last = 13
    pages.invalidate(11)
    expect(pages.entry(12)?.digest).toBe('12')
    pages.want(1, 13)
    expect(host.asked).toEqual([0, 10, 10])
    await host.answer()
    expect(pages.entry(12)?.digest).toBe('new-12')
    expect(pages.entry(13)?.digest).toBe('new-13')
    expect(pages.entry(5)?.digest).toBe('5')
  })

  test('what changes while it loads is loaded once more', async () => {
    const host = makeHost(1, 3)
    const { pages } = make(host)
    pages.want(1, 3)
    pages.invalidate(1)
    await host.answer()
    pages.want(1, 3)
    expect(host.asked).toEqual([0, 0])
  })

  test('tells what the host no longer has from what is not here yet', async () => {
    const host = makeHost(8, 20)
    const { pages } = make(host)
    pages.want(1, 10)
    expect(pages.isAbsent(3)).toBe(false)
    await host.answer()
    expect(pages.isAbsent(3)).toBe(true)
    expect(pages.isAbsent(8)).toBe(false)
  })

  test('a host that cannot answer costs nothing that is known, and is asked again', async () => {
    const host = makeHost(1, 5)
    const { pages } = make(host)
    pages.want(1, 5)
    await host.answer()
    host.state.away = true
    pages.invalidate(1)
    pages.want(1, 5)
    await host.answer()
    expect(pages.entry(5)?.seq).toBe(5)
    expect(pages.isAbsent(9)).toBe(false)
    pages.want(1, 5)
    expect(host.asked).toEqual([0, 0, 0])
  })

  test('an answer to a question from before it was cleared is dropped', async () => {
    const host = makeHost(1, 5)
    const { pages, changes } = make(host)
    pages.want(1, 5)
    pages.clear()
    await host.answer()
    expect(changes.count).toBe(0)
    expect(pages.entry(1)).toBeUndefined()
  })
})
