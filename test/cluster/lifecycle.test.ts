import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EventBatch } from '../../src/contract/events.ts'
import { createClusterFolder } from '../../src/cluster/folder.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import { findFreePorts, isPortFree } from '../../src/cluster/ports.ts'
import { eventually, isAlive, openTestHost, type TestHost } from './support/host.ts'

describe('a local cluster of four', () => {
  let test: TestHost
  const batches: EventBatch[] = []

  beforeAll(async () => {
    test = openTestHost()
    test.host.subscribe(null, (batch) => batches.push(batch))
    await test.call('createCluster', { name: 'four', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'four' })
  })
  afterAll(() => test.dispose())

  it('has keys that only their owner can read', () => {
    const folder = join(test.folder, 'data/clusters/four')
    for (const file of ['keys/replica-0.key', 'keys/replica-3.key', 'keys/operator.key']) {
      expect(statSync(join(folder, file)).mode & 0o777).toBe(0o600)
    }
    expect(readFileSync(join(folder, 'cluster.json'), 'utf8')).not.toContain(
      readFileSync(join(folder, 'keys/replica-0.key'), 'utf8').trim(),
    )
  })

  it('runs four processes with their own pids and ports, and told its stages on the way', async () => {
    const status = await test.call('status', {})
    const pids = status.replicas.map(({ pid }) => pid ?? 0)
    expect(new Set(pids).size).toBe(4)
    expect(new Set(status.replicas.map(({ port }) => port)).size).toBe(4)
    expect(pids.every((pid) => isAlive(pid) && pid !== process.pid)).toBe(true)
    expect(status).toMatchObject({ n: 4, f: 1, quorum: 3, toleratesMore: 1, view: 0, primary: 0, verdict: { state: 'healthy' } })
    const hosts = () => batches.flatMap(({ events }) => events).flatMap((event) => (event.type === 'host' ? [event.host] : []))
    await eventually('the event of the open cluster', () => hosts().some(({ phase }) => phase === 'open'))
    expect(hosts().some(({ stage }) => stage?.key === 'stage.starting')).toBe(true)
    expect(await test.call('host', {})).toEqual({ phase: 'open', cluster: 'four', stage: null, error: null, run: null })
  })

  it('answers requests and shows their life', async () => {
    const answer = await test.call('submit', { operation: { type: 'put', key: 'colour', value: 'blue' }, id: 'mine', timeoutMs: 10_000 })
    expect(answer).toMatchObject({ id: 'mine', result: { ok: true }, view: 0, seq: 1 })
    expect(answer.repliers.length).toBeGreaterThanOrEqual(2)
    const read = await test.call('submit', { operation: { type: 'get', key: 'colour' }, readOnly: true, timeoutMs: 10_000 })
    expect(read).toMatchObject({ result: { ok: true, value: 'blue' }, seq: 0 })
    const life = await eventually('all phases of the request', async () => {
      const request = (await test.call('requests', {})).find(({ id }) => id === 'mine')
      return request !== undefined && request.stages.some(({ stage }) => stage === 'executed') ? request : null
    })
    expect(life.outcome).toMatchObject({ state: 'completed', seq: 1 })
    expect(life.stages.map(({ stage }) => stage)).toEqual(
      expect.arrayContaining(['sent', 'pre-prepared', 'prepared', 'committed', 'executed', 'replied', 'completed']),
    )
    await eventually('the log is read', async () => (await test.call('log', {})).last >= 1)
    const entry = await test.call('logEntry', { seq: 1 })
    expect(entry).toMatchObject({
      seq: 1,
      view: 0,
      quorum: 3,
      primary: 0,
      requests: [{ operation: { type: 'put', key: 'colour', value: 'blue' } }],
    })
    await eventually('the ledger of seq 1 is whole', async () => {
      const { ledger } = await test.call('logEntry', { seq: 1 })
      return ledger.length === 4 && ledger.every((row) => row.executedAt !== null)
    })
  })

  it('shows a backup that was killed, and requests go on', async () => {
    const { pid } = await test.call('replica', { id: 2 })
    const killedAt = Date.now()
    process.kill(pid ?? 0, 'SIGKILL')
    const status = await test.until('r2 is stopped', (now) => now.replicas[2]?.state === 'stopped', 2_000)
    expect(status.replicas[2]?.exit).toMatchObject({ signal: 'SIGKILL' })
    expect(status.verdict).toMatchObject({
      state: 'degraded',
      key: 'verdict.degraded.stopped',
      parameters: { replicas: 'r2', tolerates: 0 },
    })
    await eventually('the status event', () =>
      batches.some(({ events }) => events.some((event) => event.type === 'status' && event.status.replicas[2]?.state === 'stopped')),
    )
    expect(await test.call('alarms', {})).toEqual(expect.arrayContaining([expect.objectContaining({ key: 'alarm.replica.exited' })]))
    for (let i = 0; i < 3; i += 1) {
      const answer = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
      expect(answer.result).toEqual({ ok: true, value: i + 1 })
    }
    expect(killedAt).toBeGreaterThan(0)
  })

  it('starts it again, and it catches up', async () => {
    expect(await test.call('controlReplica', { id: 2, action: 'start' })).toMatchObject({ id: 2, local: true })
    await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
    await test.until('all have executed the same', (now) =>
      now.replicas.every(
        (r) => r.state === 'live' && r.lastExecuted === now.lastExecuted && r.stateDigest === now.replicas[0]?.stateDigest,
      ),
    )
  })

  it('pauses and resumes a replica', async () => {
    const fault = await test.call('injectFault', { fault: { type: 'pause', replica: 3 } })
    await test.until('r3 is paused', (now) => now.replicas[3]?.state === 'paused')
    await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
    await test.call('healFault', { id: fault.id })
    await test.until('r3 is back', (now) => now.replicas[3]?.state === 'live' && now.replicas[3].lastExecuted === now.lastExecuted)
  })

  it('lets a fault expire', async () => {
    await test.call('injectFault', { fault: { type: 'isolate', replica: 3, durationMs: 200 } })
    await test.until('the fault has expired', (now) => now.faults.length === 0 && now.replicas[3]?.state === 'live')
    expect((await test.call('alarms', {})).map(({ key }) => key)).toContain('alarm.fault.expired')
  })

  it('runs a load and measures it', async () => {
    await test.call('startLoad', { clients: 8, durationMs: 1_000 })
    expect(await test.host.call('startLoad', { clients: 1, durationMs: 1_000 })).toMatchObject({ ok: false, error: { code: 'busy' } })
    const load = await eventually('the load has ended', async () => {
      const now = await test.call('load', {})
      return now.running ? null : now
    })
    expect(load.completed).toBeGreaterThan(10)
    expect(load.failed).toBe(0)
    expect(load.p50Ms).toBeGreaterThan(0)
    await test.until('every answered request is found once in the log', (now) => {
      const once = now.monitors.find(({ name }) => name === 'exactly-once')
      return once?.state === 'holds' && Number(once.detail.split(' ')[0]) >= load.completed
    })
  })

  it('wipes a replica, which gets its state from the others', async () => {
    await test.call('controlReplica', { id: 1, action: 'wipe' })
    await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
    await test.until('r1 has the state again', (now) => {
      const [first, second] = now.replicas
      return second?.state === 'live' && second.lastExecuted === now.lastExecuted && second.stateDigest === first?.stateDigest
    })
  })

  it('has no violated monitor after all of this', async () => {
    const { monitors } = await test.call('status', {})
    expect(monitors.map(({ name, state }) => [name, state])).toEqual([
      ['agreement', 'holds'],
      ['no-gaps', 'holds'],
      ['exactly-once', 'holds'],
      ['digests-equal', 'holds'],
      ['progress', 'holds'],
    ])
  })

  it('leaves no process and no port when it is closed', async () => {
    const { replicas } = await test.call('status', {})
    await test.call('closeCluster', {})
    expect(replicas.filter(({ pid }) => pid !== null && isAlive(pid))).toEqual([])
    for (const { port } of replicas) expect(await isPortFree('127.0.0.1', port)).toBe(true)
    expect(await test.call('host', {})).toMatchObject({ phase: 'closed' })
    expect(await test.host.call('status', {})).toMatchObject({ ok: false, error: { code: 'no-cluster' } })
  })
})

describe('opening', () => {
  let test: TestHost
  beforeAll(() => {
    test = openTestHost()
  })
  afterAll(() => test.dispose())

  it('gives a local cluster other ports when its own are taken', async () => {
    const [port = 0] = await findFreePorts('127.0.0.1', 1)
    const folder = join(test.folder, 'data/clusters/taken')
    const made = await createClusterFolder(folder, { name: 'taken', replicas: 1, basePort: port, durability: 'process' })
    expect(made.ok).toBe(true)
    const { createServer } = await import('node:net')
    const other = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
    const status = await test.call('openCluster', { name: 'taken' })
    expect(status.replicas[0]?.port).not.toBe(port)
    expect((await test.call('alarms', {})).map(({ key }) => key)).toContain('alarm.ports.reassigned')
    expect((await test.call('submit', { operation: { type: 'total' }, timeoutMs: 10_000 })).result).toEqual({ ok: true, value: 0 })
    await new Promise((resolve) => other.close(resolve))
  })

  it('refuses a cluster that another panel has open', async () => {
    const second = openTestHost()
    const file = join(test.folder, 'data/clusters/taken/cluster.json')
    expect(await second.host.call('openCluster', { file })).toMatchObject({ ok: false, error: { code: 'cluster-in-use' } })
    expect(await second.call('host', {})).toMatchObject({ phase: 'closed', error: { code: 'cluster-in-use' } })
    await second.dispose()
  })

  it('is cancelled by closing, and leaves no process', async () => {
    const pids: number[] = []
    const second = openTestHost(undefined, async (entry, options) => {
      const child = await launchByNode(entry, options)
      pids.push(child.pid)
      return child
    })
    await second.call('createCluster', { name: 'never', replicas: 4 })
    const opening = second.host.call('openCluster', { name: 'never' })
    await eventually('replicas are starting', () => pids.length === 5)
    await second.call('closeCluster', {})
    expect(await opening).toMatchObject({ ok: false })
    expect(pids.filter(isAlive)).toEqual([])
    expect(await second.call('host', {})).toMatchObject({ phase: 'closed' })
    await second.dispose()
  })

  it('does not make a cluster twice', async () => {
    expect(await test.host.call('createCluster', { name: 'taken', replicas: 4 })).toMatchObject({
      ok: false,
      error: { code: 'cluster-exists' },
    })
  })
})

it('shows that a request was answered before its batch was committed', async () => {
  const test = openTestHost()
  try {
    await test.call('createCluster', { name: 'early', replicas: 4, durability: 'none', parameters: { tentativeExecution: true } })
    await test.call('openCluster', { name: 'early' })
    // Once in a while a batch is committed before the first early answer is here: then it is answered for good at once.
    const life = await eventually('one was answered early', async () => {
      const { id, result } = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 } })
      expect(result.ok).toBe(true)
      return (await test.call('requests', {})).find((one) => one.id === id && one.stages.some(({ stage }) => stage === 'tentative'))
    })
    expect(life.stages.map(({ stage }) => stage)).toContain('completed')
    await eventually('its commit is seen', async () =>
      (await test.call('requests', {})).some(({ id, stages }) => id === life.id && stages.some(({ stage }) => stage === 'committed')),
    )
  } finally {
    await test.dispose()
  }
})
