import { afterAll, beforeAll, expect, it } from 'vitest'
import type { SubmitResult } from '../../src/contract/api.ts'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

let test: TestHost
beforeAll(() => {
  test = openTestHost()
})
afterAll(() => test.dispose())

const increment = (): Promise<SubmitResult> => test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })

it('a cluster without durability begins a new log when all its replicas restart, and nothing is called violated', async () => {
  await test.call('createCluster', { name: 'none', replicas: 4, durability: 'none' })
  await test.call('openCluster', { name: 'none' })
  for (const value of [1, 2, 3]) expect((await increment()).result).toEqual({ ok: true, value })
  await eventually('the log is read', async () => (await test.call('log', {})).last >= 3)

  // One after another they still remember together.
  await test.call('controlReplica', { id: 1, action: 'restart' })
  await test.until('r1 is back', ({ replicas }) => replicas[1]?.state === 'live' && replicas[1].probation === null)
  expect((await increment()).result).toEqual({ ok: true, value: 4 })
  expect((await test.call('alarms', {})).map(({ key }) => key)).not.toContain('alarm.log.begunAnew')

  for (const id of [0, 1, 2, 3]) await test.call('controlReplica', { id, action: 'kill' })
  await Promise.all([0, 1, 2, 3].map((id) => test.call('controlReplica', { id, action: 'start' })))
  // Nobody remembers, and nobody begins anew by itself.
  await test.until('that is said', ({ verdict }) => verdict.key === 'verdict.stuck.forgotten')
  expect((await test.call('alarms', {})).map(({ key }) => key)).not.toContain('alarm.log.begunAnew')
  const refused = await test.host.call('beginAnew', { confirm: 'another' })
  expect(refused).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  await test.call('beginAnew', { confirm: 'none' })
  expect((await test.call('alarms', {})).filter(({ key }) => key === 'alarm.log.begunAnew').length).toBe(1)
  const { result, seq, latencyMs } = await increment()
  expect(result).toEqual({ ok: true, value: 1 })
  expect(latencyMs).toBe(Math.round(latencyMs * 100) / 100)
  const page = await eventually('the new log is read', async () => {
    const now = await test.call('log', {})
    return now.last >= seq ? now : null
  })
  expect(page.entries.map((entry) => entry.seq)).toEqual(Array.from({ length: page.last }, (_, i) => i + 1))
  const status = await test.until('agreement is seen', ({ monitors }) => monitors[0]?.state === 'holds')
  expect(status.lastExecuted).toBe(page.last)
  expect(status.monitors.filter(({ state }) => state === 'violated')).toEqual([])
})
