import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BehaviourName } from '../../src/contract/faults.ts'
import type { ClusterStatus } from '../../src/contract/model.ts'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

describe('a replica that lies', () => {
  let test: TestHost
  let done = 0
  beforeAll(async () => {
    test = openTestHost()
    await test.call('createCluster', {
      name: 'liars',
      replicas: 4,
      durability: 'process',
      parameters: { checkpointInterval: 8, logWindow: 16 },
    })
    await test.call('openCluster', { name: 'liars' })
    await increment(2)
  })
  afterAll(() => test.dispose())

  /** Each is executed once, whoever lies: the counter is what was acknowledged. */
  const increment = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 1) {
      const { result } = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 40_000 })
      done += 1
      expect(result).toMatchObject({ ok: true, value: done })
    }
  }
  const corrupt = (replica: number, behaviour: BehaviourName) =>
    test.call('injectFault', { fault: { type: 'byzantine', replica, behaviour } })
  const primary = async (): Promise<number> => (await test.until('a view is known', (status) => status.primary !== null)).primary ?? 0
  const inStep = ({ replicas, lastExecuted }: ClusterStatus): boolean =>
    replicas.every((r) => r.state === 'live' && r.lastExecuted === lastExecuted && r.stateDigest === replicas[0]?.stateDigest)
  const healed = async (): Promise<void> => {
    await test.call('healAll', {})
    // Up to the next checkpoint, at which those that were left behind catch up, and a liar shows what it has.
    await increment(9)
    const status = await test.until('none is faulty and all are in step', inStep, 40_000)
    expect(status.monitors.filter(({ state }) => state === 'violated')).toEqual([])
  }

  it('as primary with two proposals for one sequence number: another view goes on, and they agree', async () => {
    const liar = await primary()
    const { view } = await test.call('status', {})
    const fault = await corrupt(liar, 'equivocate')
    expect(fault.pending).toEqual([])
    await test.until('it is shown as faulty', ({ replicas }) => replicas[liar]?.state === 'faulty')
    await eventually(
      'the others leave its view',
      async () => {
        await increment(1)
        return ((await test.call('status', {})).view ?? 0) > (view ?? 0)
      },
      60_000,
    )
    const convicted = await eventually('there is evidence', async () => {
      const evidence = await test.call('evidence', {})
      return evidence.length > 0 ? evidence : null
    })
    expect(new Set(convicted.map(({ signer }) => signer))).toEqual(new Set([liar]))
    expect(convicted[0]).toMatchObject({ kind: 'pre-prepare', view })
    expect(convicted[0]?.seenBy).not.toContain(liar)
    const alarm = (await test.call('alarms', {})).find(({ key }) => key === 'alarm.evidence.prePrepare')
    expect(alarm).toMatchObject({ severity: 'critical', parameters: { replica: liar, view, seq: convicted[0]?.seq } })
    await increment(3)
    // One that was deceived may still be catching up.
    await test.until('only the liar is missing', ({ verdict }) => verdict.key === 'verdict.degraded.faulty')
    await healed()
  })

  it('with wrong digests and wrong answers: requests go on', async () => {
    const liar = ((await primary()) + 1) % 4
    await corrupt(liar, 'wrong-digest')
    await increment(5)
    await healed()
  })

  it('about its checkpoint: the alarm names it, and the others go on', async () => {
    const liar = ((await primary()) + 2) % 4
    await corrupt(liar, 'lying-checkpoint')
    const alarm = await eventually(
      'divergence is told of',
      async () => {
        await increment(1)
        return (await test.call('alarms', {})).find(({ key }) => key === 'alarm.replica.diverged')
      },
      60_000,
    )
    expect(alarm.parameters).toMatchObject({ replica: liar })
    await healed()
  })

  it('in the name of others: it is refused, which is counted', async () => {
    const liar = ((await primary()) + 1) % 4
    await corrupt(liar, 'forge')
    await increment(3)
    await test.until('the others count it', ({ replicas }) =>
      replicas.some((r) => r.id !== liar && (r.rejections['wrong-sender'] ?? 0) > 0),
    )
    await healed()
  })

  it('is refused when there is no such behaviour or victim', async () => {
    const inject = (fault: unknown) => test.host.call('injectFault', { fault })
    expect(await inject({ type: 'byzantine', replica: 0, behaviour: 'charm' })).toMatchObject({ ok: false, error: { code: 'bad-request' } })
    const victim = await inject({ type: 'byzantine', replica: 0, behaviour: 'starve', victim: 0 })
    expect(victim).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })

  // The last: that states differed stays on record.
  it('without knowing it, since its state changed by itself: it says where, and has it from the others', async () => {
    const replica = ((await primary()) + 1) % 4
    await test.call('controlReplica', { id: replica, action: 'corrupt' })
    const alarm = await eventually(
      'the difference is told',
      async () => {
        await increment(1)
        return (await test.call('alarms', {})).find(({ key }) => key === 'alarm.state.differed')
      },
      60_000,
    )
    // One key is all that there is: it lies in one of the store's partitions, before whatever followed from it.
    expect(alarm.parameters).toMatchObject({ replica, because: 'part.store', keys: 'n', total: 1_153 })
    expect(Number(alarm.parameters.partition)).toBeLessThan(1_024)
    expect(Number(alarm.parameters.seq) % 8).toBe(0)
    expect(alarm.sentence).toContain('(keys n)')
    const odd = (await test.call('alarms', {})).filter(
      ({ key, parameters }) => key === 'alarm.replica.diverged' && parameters.seq === alarm.parameters.seq,
    )
    expect([...new Set(odd.map(({ parameters }) => parameters.replica))]).toEqual(odd.length === 0 ? [] : [replica])
    // It is trusted again when it signed a later checkpoint.
    await increment(9)
    const { monitors } = await test.until('it has the state of the others', inStep, 40_000)
    expect(monitors.filter(({ state }) => state === 'violated').map(({ name }) => name)).toEqual(['digests-equal'])
  })
})
