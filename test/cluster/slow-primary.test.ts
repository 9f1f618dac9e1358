import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

/** Keep a core each busy. */
const burn = (count: number): Worker[] => Array.from({ length: count }, () => new Worker('for (;;) {}', { eval: true }))

describe('a primary that is slow', () => {
  let test: TestHost
  const workers: Worker[] = []
  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'slow', replicas: 4, durability: 'full' })
    await test.call('openCluster', { name: 'slow' })
    await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
  })
  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.terminate()))
    await test.call('stopLoad', {})
  })
  afterAll(() => test.dispose())

  /** Requests completed while the load runs for `durationMs` more. */
  const completedIn = async (durationMs: number): Promise<number> => {
    const { completed } = await test.call('load', {})
    const end = Date.now() + durationMs
    await eventually('the time is over', () => Date.now() >= end, durationMs + 20_000)
    return (await test.call('load', {})).completed - completed
  }
  const demotions = async () => (await test.call('views', {})).filter(({ reasonKey }) => reasonKey === 'view.reason.slowPrimary')

  it('pitfall 14: an honest one under load and without processor time is not demoted', async () => {
    workers.push(...burn(2 * availableParallelism()))
    await test.call('startLoad', { clients: 200, durationMs: 600_000 })
    expect(await completedIn(20_000)).toBeGreaterThan(0)
    expect(await demotions()).toEqual([])
  })

  it('pitfall 14: one at 0.9 of the time-out is demoted once, and half of the throughput or more is back', async () => {
    await test.call('startLoad', { clients: 10, durationMs: 600_000 })
    const free = await completedIn(3_000)
    const before = await test.until('a view is known', ({ view, primary }) => view !== null && primary !== null)
    await test.call('injectFault', { fault: { type: 'byzantine', replica: before.primary ?? 0, behaviour: 'slow-primary' } })
    await test.until('another view', ({ view }) => (view ?? 0) > (before.view ?? 0), 60_000)
    const [demotion] = await eventually('its reason is known', async () => ((await demotions()).length > 0 ? demotions() : null))
    expect(demotion).toMatchObject({ view: (before.view ?? 0) + 1, reasonParameters: { primary: before.primary } })
    const attacked = await completedIn(3_000)
    expect(attacked / free).toBeGreaterThan(0.5)
    expect((await test.call('status', {})).view).toBe((before.view ?? 0) + 1)
    await test.call('healAll', {})
  })
})
