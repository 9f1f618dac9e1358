/** Proactive recovery of a real cluster under load. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PanelEvent } from '../../src/contract/events.ts'
import { eventually, isAlive, openTestHost, type TestHost } from './support/host.ts'

describe('proactive recovery', () => {
  let test: TestHost
  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'watched', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'watched' })
    await test.until('all are live', ({ replicas }) => replicas.every(({ state }) => state === 'live'))
  })
  afterAll(() => test.dispose())

  it('waits while a fault is in force, and is stopped by an operator', async () => {
    const { id } = await test.call('injectFault', { fault: { type: 'isolate', replica: 2 } })
    const pids = (await test.call('status', {})).replicas.map(({ pid }) => pid)
    expect(await test.call('startRecovery', { periodMs: 100 })).toMatchObject({ running: true, replica: null, postponed: 'fault' })
    expect(await test.host.call('startRecovery', { periodMs: 100 })).toMatchObject({ ok: false, error: { code: 'busy' } })
    expect(await test.call('stopRecovery', {})).toMatchObject({ running: false, recovered: 0, next: null })
    expect((await test.call('status', {})).replicas.map(({ pid }) => pid)).toEqual(pids)
    await test.call('healFault', { id })
    await test.until('all are live', ({ replicas }) => replicas.every(({ state }) => state === 'live'))
  })

  it(
    'takes every replica through a restart, one at a time, under load: nothing fails and nothing is lost',
    { timeout: 120_000 },
    async () => {
      const before = (await test.call('status', {})).replicas.map(({ pid }) => pid)
      const away: number[][] = []
      const unsubscribe = test.host.subscribe(null, ({ events }) => {
        for (const event of events as PanelEvent[])
          if (event.type === 'status') away.push(event.status.replicas.flatMap(({ id, state }) => (state === 'recovering' ? [id] : [])))
      })
      await test.call('startLoad', { clients: 4, durationMs: 600_000, ratePerSecond: 100, keys: 20 })
      await eventually('the load is answered', async () => (await test.call('load', {})).completed > 20)
      await test.call('startRecovery', { periodMs: 500, rounds: 1 })
      const recovery = await eventually(
        'one round is through',
        async () => {
          const status = await test.call('recovery', {})
          return status.running ? null : status
        },
        90_000,
      )
      expect(recovery).toMatchObject({ recovered: 4, replica: null, failure: null })
      expect(recovery.done).toMatchObject([0, 1, 2, 3].map((replica) => ({ replica, repaired: false })))
      const { completed } = await test.call('load', {})
      await eventually('the service goes on', async () => (await test.call('load', {})).completed > completed + 50)
      const load = await test.call('stopLoad', {})
      unsubscribe()
      expect(load.failed).toBe(0)
      const status = await test.until('all are live and alike', ({ replicas, lastExecuted }) =>
        replicas.every((r) => r.state === 'live' && r.lastExecuted === lastExecuted && r.stateDigest === replicas[0]?.stateDigest),
      )
      expect(status.replicas.filter(({ pid }, id) => pid === before[id])).toEqual([])
      expect(before.filter((pid) => pid !== null && isAlive(pid))).toEqual([])
      expect(away.filter((ids) => ids.length > 1)).toEqual([])
      expect(new Set(away.flat())).toEqual(new Set([0, 1, 2, 3]))
      // Every answer that the load got stands in the log, once and with that result.
      const monitors = await eventually('every answer was looked for in the log', async () => {
        const { monitors: now } = await test.call('status', {})
        return now.every(({ state }) => state === 'holds') ? now : null
      })
      expect(monitors.map(({ name }) => name)).toContain('exactly-once')
    },
  )
})
