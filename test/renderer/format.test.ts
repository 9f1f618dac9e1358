import { describe, expect, test } from 'vitest'
import type { LogEntry, Sample } from '../../src/contract/model.ts'
import { faultBands, lonePoints, viewMarks } from '../../src/renderer/components/chart/chart-options.ts'
import {
  formatAge,
  formatBytes,
  formatClock,
  formatDuration,
  formatElapsed,
  formatTime,
  oneLine,
  shortDigest,
  visible,
} from '../../src/renderer/lib/format.ts'
import { freeName } from '../../src/renderer/lib/cluster-size.ts'
import { csvCell, csvHeader, csvLines, jsonEntry } from '../../src/renderer/lib/log-export.ts'
import { majorityOf } from '../../src/renderer/lib/majority.ts'
import { emptyFields, fieldsFromOperation, operationFromFields, operationFromJson } from '../../src/renderer/lib/operation-form.ts'
import { operationLine, resultLine } from '../../src/renderer/lib/operations.ts'
import { isToken, splitFragment } from '../../src/renderer/shell/browser-token.ts'

describe('text that is shown as it is', () => {
  test('makes what hides visible, and nothing else', () => {
    expect(visible('a\u0000b\u202ec\u200b\n<b>')).toBe('a␀b⟨U+202E⟩c⟨U+200B⟩\n<b>')
    expect(visible('\ud800')).toBe('⟨U+D800⟩')
    expect(visible('é 漢字 😀')).toBe('é 漢字 😀')
  })
})

describe('figures', () => {
  test.each([
    [null, '–'],
    [0, '0 ms'],
    [0.424, '0.42 ms'],
    [3.14, '3.1 ms'],
    [848, '848 ms'],
    [999.6, '1 s'],
    [2_230, '2.2 s'],
    [90_000, '1.5 min'],
    [-12, '−12 ms'],
  ])('%s ms reads %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text)
  })

  test('what took long is told to the hundredth of a second', () => {
    expect([formatElapsed(3_040), formatElapsed(42), formatElapsed(90_000)]).toEqual(['3.04 s', '42 ms', '1.5 min'])
  })

  test('bytes, ages and clocks', () => {
    expect([formatBytes(512), formatBytes(38 * 1_048_576), formatBytes(null)]).toEqual(['512 B', '38 MiB', '–'])
    expect([formatAge(400), formatAge(61_000), formatAge(7_300_000), formatAge(200_000_000)]).toEqual(['0 s', '1 min', '2 h', '2 d'])
    expect([formatClock(42_000), formatClock(3_723_000), formatClock(-5)]).toEqual(['0:42', '1:02:03', '0:00'])
  })

  test('UTC is marked, and a broken time is no crash', () => {
    expect(formatTime(Date.UTC(2026, 0, 2, 3, 4, 5, 6), true)).toBe('03:04:05.006Z')
    expect(formatTime(Number.NaN)).toBe('–')
  })
})

describe('text of others', () => {
  test('stays on one line, bounded, with control characters in sight', () => {
    expect(oneLine('a\nb\u0000c\u202Ed')).toBe('a␣b�c�d')
    expect(oneLine('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(10)}…`)
  })

  test('operations and results', () => {
    expect(operationLine({ type: 'put', key: 'k', value: 'v' })).toBe('put k = "v"')
    expect(operationLine({ type: 'cas', key: 'k', old: null, new: 'v' })).toBe('cas k: ∅ → "v"')
    expect(operationLine({ type: 'unknown', hex: 'ff00' })).toBe('unknown 0xff00')
    expect(resultLine({ ok: false, error: 'mismatch' }, (code) => `(${code})`)).toBe('(mismatch)')
    expect(resultLine({ ok: true, value: null }, String)).toBe('∅')
  })

  test('CSV quotes, and disarms what a spreadsheet would run', () => {
    expect(csvCell('a,"b"\n')).toBe('"a,""b""\n"')
    expect(csvCell('=1+1')).toBe("'=1+1")
    expect(csvCell(-3)).toBe('-3')
    const entry: LogEntry = { seq: 7, view: 1, digest: 'd', timeMs: 0, requests: [], replicas: {}, latencyMs: null }
    expect(csvLines(entry).split(',')).toHaveLength(csvHeader.split(',').length)
  })
})

describe('what is cut or alone', () => {
  test('a cut digest says so', () => {
    expect([shortDigest('0123456789'), shortDigest('01234567')]).toEqual(['01234567…', '01234567'])
  })

  test('JSON has the time as the API has it', () => {
    const entry: LogEntry = { seq: 7, view: 1, digest: 'd', timeMs: 1_000, requests: [], replicas: {}, latencyMs: null }
    expect(JSON.parse(jsonEntry(entry))).toMatchObject({ seq: 7, time: '1970-01-01T00:00:01.000Z' })
    expect(JSON.parse(jsonEntry({ ...entry, timeMs: 0 }))).toMatchObject({ time: null })
    expect(JSON.parse(jsonEntry({ ...entry, timeMs: 9e15 }))).not.toHaveProperty('timeMs')
  })

  test('a value without neighbours is a point', () => {
    expect(lonePoints([1, null, 2, 3, null, undefined, 4])).toEqual([0, 6])
    expect(lonePoints([null, 5, null])).toEqual([1])
  })
})

describe('the token', () => {
  test.each([
    ['#token=abc', 'abc', ''],
    ['#token=abc&x=1', 'abc', '#x=1'],
    ['#/log?seq=4&token=abc', 'abc', '#/log?seq=4'],
    ['#/log?token=abc', 'abc', '#/log'],
    ['#/log', null, '#/log'],
    ['#token=a%20b', null, ''],
    ['#token=%zz', null, ''],
  ])('%s', (fragment, token, rest) => {
    expect(splitFragment(fragment)).toEqual({ token, rest })
  })

  test('has only characters that a subprotocol may have', () => {
    expect([isToken('aZ-_.~9'), isToken(''), isToken('a b'), isToken('a,b'), isToken('é')]).toEqual([true, false, false, false, false])
  })
})

describe('the request form', () => {
  test('makes operations that the contract takes, or says where they are wrong', () => {
    expect(operationFromFields('put', emptyFields())).toEqual({ operation: { type: 'put', key: 'greeting', value: 'hello' } })
    expect(operationFromFields('put', { ...emptyFields(), key: '' })).toMatchObject({ problem: expect.stringContaining('key') })
    expect(operationFromFields('transfer', { ...emptyFields(), amount: 0 })).toMatchObject({ problem: expect.stringContaining('amount') })
    expect(operationFromJson('{"type":"put"')).toHaveProperty('problem')
    expect(operationFromJson('{"type":"nope"}')).toHaveProperty('problem')
  })

  test('takes an earlier operation back', () => {
    const operation = { type: 'cas', key: 'k', old: null, new: 'v' } as const
    expect(operationFromFields('cas', fieldsFromOperation(operation, emptyFields()))).toEqual({ operation })
  })
})

describe('charts and lists', () => {
  const sample = (second: number, view: number | null, faults: number): Sample => ({
    at: second * 1_000,
    requests: 1,
    p50Ms: null,
    p95Ms: null,
    p99Ms: null,
    view,
    faults,
  })

  test('faults in consecutive seconds are one band', () => {
    expect(faultBands([sample(1, 0, 0), sample(2, 0, 1), sample(3, 0, 2), sample(4, 0, 0), sample(6, 0, 1)])).toEqual([
      [2, 4],
      [6, 7],
    ])
  })

  test('a view change is marked where the view is next known', () => {
    expect(viewMarks([sample(1, 0, 0), sample(2, null, 0), sample(3, 1, 0), sample(4, 1, 0)])).toEqual([{ at: 3, view: 1 }])
  })

  test('the majority, and a free name', () => {
    expect(majorityOf(['a', 'b', 'b'])).toBe('b')
    expect(majorityOf([])).toBeUndefined()
    expect(freeName('local', ['local', 'local-2'])).toBe('local-3')
  })
})
