import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ClusterStatus, LogRequest } from '../../src/contract/model.ts'
import { Journal, openJournal, TooSlow } from '../../src/cluster/recorder/journal.ts'
import { filterProblem, matcherOf } from '../../src/cluster/recorder/match.ts'
import type { JournalRecord } from '../../src/cluster/recorder/protocol.ts'

const put = (client: string, key: string, value: string): LogRequest => ({
  client,
  timestamp: 1,
  operation: { type: 'put', key, value },
  result: { ok: true, value: null },
})
const entry = (seq: number, ...requests: LogRequest[]): JournalRecord => ({
  kind: 'entry',
  entry: { seq, view: 0, digest: `d${seq}`, timeMs: 5, requests },
})

describe('the journal', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'pbft-panel-journal-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const open = (bytesMax = 1e9): Journal => new Journal(join(folder, 'journal.sqlite'), bytesMax)

  it('is locked by the one that has it open', () => {
    const first = open()
    expect(() => open()).toThrow(/locked/)
    first.close()
    open().close()
  })

  it('pages through the log, filtered, and says where the next page starts', () => {
    const journal = open()
    journal.write(Array.from({ length: 10 }, (_, i) => entry(i + 1, put(`c/${i % 2}`, `key-${i + 1}`, 'v'))))
    const page = journal.log(2, 3, {})
    expect([page.entries.map(({ seq }) => seq), page.next, page.first, page.last]).toEqual([[3, 4, 5], 5, 1, 10])
    expect(journal.log(7, 3, {}).next).toBeNull()
    expect(journal.log(0, 100, { client: 'c/1' }).entries.map(({ seq }) => seq)).toEqual([2, 4, 6, 8, 10])
    expect(journal.log(0, 1, { text: 'KEY-10' })).toMatchObject({ entries: [{ seq: 10 }], next: null })
    journal.close()
  })

  it('breaks off an expression that would not come to an end, and goes on working', () => {
    const journal = open()
    journal.write([entry(1, put('c/0', 'k', `${'a'.repeat(40)}!`)), entry(2, put('c/0', 'other', 'v'))])
    expect(() => journal.log(0, 10, { text: '/^(a+)+$/' })).toThrow(TooSlow)
    expect(journal.log(0, 10, { text: '/^oth.r$/' }).entries.map(({ seq }) => seq)).toEqual([2])
    journal.close()
  })

  it('hands back the latest documents of a kind, or all of them', () => {
    const journal = open()
    const samples = Array.from({ length: 1_500 }, (_, i) => ({ at: i, requests: 1, p50Ms: 1, p95Ms: 1, p99Ms: 1, view: 0, faults: 0 }))
    journal.write(samples.map((sample) => ({ kind: 'sample', sample })))
    expect(journal.restore(false).samples).toEqual(samples.slice(-1_000))
    expect(journal.restore(true).samples).toEqual(samples)
    journal.close()
  })

  it('hands back to the next run what this one wrote', () => {
    const first = open()
    first.write([
      entry(1, put('c/0', 'k', 'v')),
      {
        kind: 'ledger',
        seq: 1,
        rows: [{ replica: 0, view: 0, digest: 'd1', prePreparedAt: 1, preparedAt: 2, committedAt: 3, executedAt: 4, transferred: false }],
      },
      { kind: 'sample', sample: { at: 1_000, requests: 1, p50Ms: 1, p95Ms: 1, p99Ms: 1, view: 0, faults: 0 } },
    ])
    first.close()
    const second = open()
    expect(second.restore(false)).toMatchObject({ first: 1, last: 1, lastDigest: 'd1', samples: [{ at: 1_000 }] })
    expect(second.entry(1)?.rows).toHaveLength(1)
    expect(second.entry(2)).toBeNull()
    second.write([{ kind: 'forget-log' }])
    expect(second.bounds()).toEqual({ first: 0, last: 0 })
    second.close()
  })

  it('tells how things were at a time, what happened around it, and where nothing is known', () => {
    const journal = open()
    const fault = { id: 'f', fault: { type: 'isolate', replica: 0, durationMs: null }, since: 20_000, expires: null, pending: [] } as const
    journal.write([
      ...[10_000, 15_000, 20_100, 60_000].map((at): JournalRecord => ({
        kind: 'status',
        status: { at, lastExecuted: at } as ClusterStatus,
      })),
      { kind: 'band', band: { fault, until: null } },
      { kind: 'alarm', alarm: { id: 'a', at: 21_000, severity: 'warning', key: 'alarm.replica.stale', parameters: {}, sentence: '' } },
      { kind: 'alarm', alarm: { id: 'b', at: 22_000, severity: 'info', key: 'alarm.replica.back', parameters: {}, sentence: '' } },
      ...[14_000, 15_000].map((at): JournalRecord => ({
        kind: 'sample',
        sample: { at, requests: 7, p50Ms: 1, p95Ms: 1, p99Ms: 1, view: 0, faults: 0 },
      })),
    ])
    expect(journal.moment(19_999)).toMatchObject({ status: { lastExecuted: 15_000 }, before: 15_000, after: 20_100, samples: [{}, {}] })
    expect(journal.moment(19_999)).toMatchObject({ previousMark: null, nextMark: 20_300 })
    expect(journal.moment(20_300)).toMatchObject({ status: { lastExecuted: 20_100 }, previousMark: null, nextMark: 21_300 })
    expect(journal.moment(21_300)).toMatchObject({ previousMark: 20_300, nextMark: null })
    expect(journal.moment(40_000)).toMatchObject({ status: null, before: 20_100, after: 60_000 })
    expect(journal.moment(9_000)).toMatchObject({ status: null, before: null, after: 10_000 })
    const timeline = journal.timeline({ from: 10_000, to: 20_000, bins: 10 })
    expect(timeline).toMatchObject({
      first: 10_000,
      last: 60_000,
      requests: [0, 0, 0, 0, 7, 7, 0, 0, 0, 0],
      faults: [],
      marks: [],
      gaps: [],
    })
    expect(journal.timeline({ from: 25_000, to: 50_000, bins: 1 })).toMatchObject({
      gaps: [{ from: 20_100, to: 60_000 }],
      faults: [{ fault: { id: 'f' }, until: null }],
    })
    expect(journal.timeline({ from: 0, to: 50_000, bins: 1 })).toMatchObject({ marks: [{ kind: 'alarm', at: 21_000 }], marksOf: 1 })
    journal.close()
    // The run ended without a word: its fault ended with it.
    const next = open()
    expect(next.timeline({ from: 25_000, to: 50_000, bins: 1 }).faults).toMatchObject([{ until: 60_000 }])
    next.close()
  })

  it('shows the rarer marks when there are too many, and says how many there are', () => {
    const journal = open()
    const marks = Array.from({ length: 1_000 }, (_, i): JournalRecord => {
      const checkpoint = { seq: i, stable: true, digests: {}, digestsAt: {}, at: i, stableAt: { 0: i }, bytes: null, diverged: false }
      return { kind: 'checkpoint', checkpoint }
    })
    const alarm = { id: 'a', at: 500, severity: 'critical', key: 'alarm.replica.exited', parameters: {}, sentence: '' } as const
    journal.write([...marks, { kind: 'alarm', alarm }])
    const { marks: shown, marksOf } = journal.timeline({ from: 0, to: 1_000, bins: 1 })
    expect(marksOf).toBe(1_001)
    expect(shown.length).toBeLessThanOrEqual(400)
    expect(shown.filter(({ kind }) => kind === 'alarm')).toHaveLength(1)
    expect(shown.filter(({ kind }) => kind === 'checkpoint').length).toBeGreaterThan(300)
    journal.close()
  })

  it('puts a damaged file aside and begins anew', () => {
    const file = join(folder, 'journal.sqlite')
    writeFileSync(file, 'this is no database, and long enough to be looked at as one'.repeat(20))
    const { journal, damaged } = openJournal(file, 1e9)
    expect(damaged === null ? '' : existsSync(damaged)).toBe(true)
    expect(journal.bounds()).toEqual({ first: 0, last: 0 })
    journal.close()
  })

  it('drops the oldest when it has grown over its bound', () => {
    const journal = open(200_000)
    for (let seq = 1; seq <= 300; seq += 1) {
      journal.write([entry(seq, put('c/0', `k${seq}`, 'x'.repeat(2_000)))])
      journal.flush()
    }
    const { first, last } = journal.bounds()
    expect(last).toBe(300)
    expect(first).toBeGreaterThan(1)
    journal.close()
  })
})

describe('filters', () => {
  const matched = {
    seq: 412,
    timeMs: 5_000,
    digest: 'abc123',
    requests: [put('operator/panel-1', 'Colour', 'deep blue'), put('operator/load-2', 'x', 'y')],
  }

  it.each([
    [{}, true],
    [{ text: '412' }, true],
    [{ text: 'BC12' }, true],
    [{ text: 'colour' }, true],
    [{ text: 'BLUE' }, true],
    [{ text: 'red' }, false],
    [{ text: 'put' }, false],
    [{ text: '/^deep/' }, true],
    [{ text: '/^blue/' }, false],
    [{ client: 'operator/panel-1' }, true],
    [{ client: 'operator/panel' }, false],
    [{ types: ['get'] }, false],
    [{ types: ['get', 'put'], text: 'y' }, true],
    [{ client: 'operator/load-2', text: 'blue' }, false],
    [{ from: 5_000, to: 5_001 }, true],
    [{ from: 5_001 }, false],
    [{ to: 5_000 }, false],
    [{ text: 'blue', to: 9_000 }, true],
  ])('%j', (filter, passes) => {
    expect(matcherOf(filter)(matched)).toBe(passes)
  })

  it('says what is no regular expression', () => {
    expect(filterProblem({ text: '/(/' })).toMatch(/regular expression/)
    expect(filterProblem({ text: '/(a)/' })).toBeNull()
    expect(filterProblem({ text: '(' })).toBeNull()
  })
})
