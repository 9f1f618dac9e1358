import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

describe('checkpoints of a cluster with a small interval', () => {
  let test: TestHost
  const put = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1)
      await test.call('submit', { operation: { type: 'put', key: `k${i}`, value: 'v' }, timeoutMs: 20_000 })
  }
  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', {
      name: 'small',
      replicas: 4,
      durability: 'process',
      parameters: { checkpointInterval: 8, logWindow: 16 },
    })
    await test.call('openCluster', { name: 'small' })
  })
  afterAll(() => test.dispose())

  it('become stable with the same digest everywhere', async () => {
    await put(20)
    const checkpoint = await eventually('seq 16 is stable at all four', async () => {
      const known = (await test.call('checkpoints', {})).find(({ seq }) => seq === 16)
      return known !== undefined && Object.keys(known.stableAt).length === 4 ? known : null
    })
    expect(Object.keys(checkpoint.digests)).toEqual(['0', '1', '2', '3'])
    expect(new Set(Object.values(checkpoint.digests)).size).toBe(1)
    expect(checkpoint).toMatchObject({ stable: true, diverged: false })
    await test.until('the watermarks have moved', ({ replicas }) => replicas.every((r) => r.lowWatermark === 16 && r.highWatermark === 32))
  })

  it('bring a wiped replica back by state transfer, which is shown', async () => {
    await test.call('controlReplica', { id: 3, action: 'wipe' })
    await put(4)
    await test.until('r3 is in step', ({ replicas, lastExecuted }) => {
      const [first, , , wiped] = replicas
      return wiped?.state === 'live' && wiped.lastExecuted === lastExecuted && wiped.stateDigest === first?.stateDigest
    })
    await eventually('the transfer is told of', async () => {
      const keys = (await test.call('alarms', {})).map(({ key }) => key)
      return keys.includes('alarm.transfer.started') && keys.includes('alarm.transfer.completed')
    })
    expect((await test.call('status', {})).monitors.filter(({ state }) => state === 'violated')).toEqual([])
  })

  it('are known to the next run, as are views and alarms', async () => {
    const views = (await test.call('views', {})).map(({ view, reasonKey }) => [view, reasonKey])
    test = await test.again()
    await test.call('openCluster', { name: 'small' })
    expect((await test.call('checkpoints', {})).find(({ seq }) => seq === 16)).toMatchObject({ stable: true })
    // The primary gives up its view when it restarts, so that another may follow.
    const known = (await test.call('views', {})).map(({ view, reasonKey }) => [view, reasonKey])
    expect(known).toEqual(expect.arrayContaining(views))
    expect((await test.call('alarms', {})).map(({ key }) => key)).toContain('alarm.transfer.completed')
    const { entries } = await test.call('log', { limit: 1_000 })
    expect(entries[0]?.seq).toBe(1)
    expect(entries[0]?.replicas).toMatchObject({ 0: 'executed', 1: 'executed', 2: 'executed' })
  })
})
