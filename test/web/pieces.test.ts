/** Small pure parts of the browser shell. */
import { describe, expect, test } from 'vitest'
import { isOurHost } from '../../src/web/server/guard.ts'
import { parseEventId } from '../../src/web/server/event-stream.ts'
import { createRateLimit } from '../../src/web/server/limits.ts'
import { withIsoTimes } from '../../src/web/server/present.ts'

describe('Host headers', () => {
  const loopback = { host: '127.0.0.1', port: 80 }
  test.each([
    ['127.0.0.1', true],
    ['LOCALHOST:80', true],
    ['[::1]:80', true],
    ['127.0.0.1:81', false],
    ['127.0.0.1.evil.example', false],
    ['127.0.0.1:80@evil.example', false],
    ['127.0.0.1:80/x', false],
    ['', false],
  ])('%j on loopback: %s', (header, ours) => {
    expect(isOurHost(header, loopback)).toBe(ours)
  })

  test('bound to every address, literal addresses are ours and names are not', () => {
    const all = { host: '0.0.0.0', port: 8080 }
    expect(isOurHost('10.1.2.3:8080', all)).toBe(true)
    expect(isOurHost('[fe80::1]:8080', all)).toBe(true)
    expect(isOurHost('rebound.example:8080', all)).toBe(false)
  })

  test('bound to one outer address, loopback is not ours', () => {
    expect(isOurHost('10.1.2.3:8080', { host: '10.1.2.3', port: 8080 })).toBe(true)
    expect(isOurHost('localhost:8080', { host: '10.1.2.3', port: 8080 })).toBe(false)
  })
})

test('a rate limit gives its burst, then its rate', () => {
  let now = 0
  const limit = createRateLimit(10, 3, () => now)
  const take = (times: number): readonly boolean[] => Array.from({ length: times }, () => limit.take())
  expect(take(4)).toEqual([true, true, true, false])
  now = 100
  expect(take(2)).toEqual([true, false])
  now = 10_000
  expect(take(4)).toEqual([true, true, true, false])
})

test('event ids are taken apart, and what is none begins anew', () => {
  expect(parseEventId('abc-1:42')).toEqual({ epoch: 'abc-1', position: 42 })
  for (const text of [undefined, '', '42', 'a:', ':1', 'a:-1', 'a:1:2', 'a b:1']) expect(parseEventId(text)).toBeNull()
})

test('times become text where they are times, and nowhere else', () => {
  const value = {
    at: 0,
    since: 1_700_000_000_000,
    requests: [{ operation: { type: 'put', key: 'at', value: 'x' }, timestamp: 3 }],
    parameters: { since: 1_700_000_000_000 },
    stableAt: { 0: 1_700_000_000_000 },
  }
  expect(withIsoTimes(value)).toEqual({
    at: null,
    since: '2023-11-14T22:13:20.000Z',
    requests: [{ operation: { type: 'put', key: 'at', value: 'x' }, timestamp: 3 }],
    parameters: { since: 1_700_000_000_000 },
    stableAt: { 0: '2023-11-14T22:13:20.000Z' },
  })
})
