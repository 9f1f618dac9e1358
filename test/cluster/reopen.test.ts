import { afterAll, beforeAll, expect, it } from 'vitest'
import { openTestHost, type TestHost } from './support/host.ts'

let test: TestHost
beforeAll(() => {
  test = openTestHost()
})
afterAll(() => test.dispose())

it('a cluster that was closed in order is in its view when it is opened again, and answers there', async () => {
  const increment = () => test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
  await test.call('createCluster', { name: 'again', replicas: 4, durability: 'process' })
  await test.call('openCluster', { name: 'again' })
  expect(await increment()).toMatchObject({ view: 0, result: { ok: true, value: 1 } })
  await test.call('closeCluster', {})
  await test.call('openCluster', { name: 'again' })
  expect(await increment()).toMatchObject({ view: 0, result: { ok: true, value: 2 } })
})
