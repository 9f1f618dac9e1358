import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

describe('more faults than the cluster tolerates', () => {
  let test: TestHost
  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'faulty', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'faulty' })
    await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
  })
  afterAll(() => test.dispose())

  it('stop it, and the verdict says why', async () => {
    await test.call('injectFault', { fault: { type: 'isolate', replica: 2 } })
    await test.call('injectFault', { fault: { type: 'isolate', replica: 3 } })
    const { verdict, toleratesMore } = await test.call('status', {})
    expect(verdict).toMatchObject({
      state: 'stuck',
      key: 'verdict.stuck.isolated',
      parameters: { needed: 3, available: 2, replicas: 'r2, r3' },
    })
    expect(toleratesMore).toBe(0)
    const refused = await test.host.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 700 })
    expect(refused).toMatchObject({ ok: false, error: { code: 'timeout', details: { client: 'operator/panel-0', connected: 4 } } })
    const { monitors } = await test.call('status', {})
    expect(monitors.at(-1)).toMatchObject({ name: 'progress', state: 'unknown', key: 'verdict.stuck.isolated' })
  })

  it('let a request be cancelled', async () => {
    const running = test.host.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, id: 'doomed', timeoutMs: 30_000 })
    await eventually('it is sent', async () =>
      (await test.call('requests', {})).some(({ id, stages }) => id === 'doomed' && stages.length > 0),
    )
    await test.call('cancelRequest', { id: 'doomed' })
    expect(await running).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    expect(await test.host.call('cancelRequest', { id: 'doomed' })).toMatchObject({ ok: false, error: { code: 'not-found' } })
  })

  it('and it goes on when they are healed, each request executed at most once', async () => {
    await test.call('healAll', {})
    const answer = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
    // The timed out and the cancelled one may have been executed, or not.
    expect(answer.result.ok ? Number(answer.result.value) : 0).toBeGreaterThanOrEqual(2)
    expect(answer.result.ok ? Number(answer.result.value) : 9).toBeLessThanOrEqual(4)
    const status = await test.until('all are in step', ({ verdict, replicas, lastExecuted }) => {
      const [first] = replicas
      return verdict.state === 'healthy' && replicas.every((r) => r.lastExecuted === lastExecuted && r.stateDigest === first?.stateDigest)
    })
    expect(status.monitors.filter(({ state }) => state === 'violated')).toEqual([])
  })

  it('a partition without a quorum is stuck, one with a quorum is not', async () => {
    const half = await test.call('injectFault', {
      fault: {
        type: 'partition',
        groups: [
          [0, 1],
          [2, 3],
        ],
      },
    })
    expect((await test.call('status', {})).verdict).toMatchObject({ state: 'stuck', key: 'verdict.stuck.partition' })
    await test.call('healFault', { id: half.id })
    await test.call('injectFault', { fault: { type: 'partition', groups: [[0, 1, 2]] } })
    const answer = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
    expect(answer.repliers.length).toBeGreaterThanOrEqual(2)
    await test.call('healAll', {})
    await test.until(
      'all are in step',
      ({ verdict, replicas, lastExecuted }) => verdict.state === 'healthy' && replicas.every((r) => r.lastExecuted === lastExecuted),
    )
  })

  it('delay and loss slow it down and break nothing', async () => {
    await test.call('injectFault', { fault: { type: 'delay', from: 0, to: 1, bothWays: true, delayMs: 30, jitterMs: 10 } })
    await test.call('injectFault', { fault: { type: 'loss', from: 0, to: 2, bothWays: true, probability: 0.3 } })
    for (let i = 0; i < 10; i += 1) await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
    expect((await test.call('status', {})).verdict).toMatchObject({ state: 'degraded' })
    await test.call('healAll', {})
    const status = await test.until(
      'all are in step',
      ({ verdict, replicas, lastExecuted }) => verdict.state === 'healthy' && replicas.every((r) => r.lastExecuted === lastExecuted),
    )
    expect(status.monitors.filter(({ state }) => state === 'violated')).toEqual([])
  })

  it('and an outage is what a request waited for the next view', async () => {
    await test.call('healAll', {})
    const { view, primary } = await test.until('all is well', ({ verdict }) => verdict.state === 'healthy')
    await test.call('injectFault', { fault: { type: 'isolate', replica: primary ?? 0 } })
    const submittedAt = Date.now()
    const answer = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
    expect(answer.view).toBeGreaterThan(view ?? 0)
    const outageMs = await eventually(
      'the outage is known',
      async () => (await test.call('views', {})).find((info) => info.view === answer.view)?.outageMs,
    )
    expect(outageMs).toBeGreaterThan(0)
    expect(outageMs).toBeLessThanOrEqual(Date.now() - submittedAt)
    await test.call('healAll', {})
  })
})
