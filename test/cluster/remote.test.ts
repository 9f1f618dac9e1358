import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askStatus, submitOnce } from '../../src/cluster/direct.ts'
import { createClusterFolder } from '../../src/cluster/folder.ts'
import type { Child } from '../../src/cluster/launch.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import { entries, eventually, isAlive, openTestHost, type TestHost } from './support/host.ts'

describe('replicas that somebody else started', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-remote-'))
  const viewer = join(folder, 'viewer')
  const file = join(viewer, 'cluster.json')
  const children: Child[] = []
  const began = Date.now()
  let test: TestHost

  beforeAll(async () => {
    const made = await createClusterFolder(join(folder, 'server'), { name: 'remote', replicas: 4, durability: 'process' })
    expect(made.ok).toBe(true)
    for (const id of [0, 1, 2, 3]) {
      const args = [
        '--cluster',
        join(folder, 'server/cluster.json'),
        '--id',
        String(id),
        ...(id === 3 ? ['--recording-mb', '0'] : ['--allow-faults']),
      ]
      children.push(await launchByNode(entries.replica, { args, logFile: join(folder, `replica-${id}.log`) }))
    }
    mkdirSync(join(viewer, 'keys'), { recursive: true })
    cpSync(join(folder, 'server/cluster.json'), file)
    cpSync(join(folder, 'server/keys/operator.key'), join(viewer, 'keys/operator.key'))
    test = openTestHost()
    await eventually('all four answer', async () => {
      const status = await askStatus(file, 1_000)
      return status.ok && status.value.replicas.every(({ state }) => state === 'live')
    })
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await test.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it('are asked and used by the command line without a host', async () => {
    const status = await askStatus(file)
    expect(status).toMatchObject({ ok: true, value: { verdict: { state: 'healthy' }, view: 0, primary: 0 } })
    const answer = await submitOnce(file, { type: 'incr', key: 'n', n: 5 }, 10_000)
    expect(answer).toMatchObject({ ok: true, value: { result: { ok: true, value: 5 }, view: 0 } })
    expect(await submitOnce(file, { type: 'get', key: 'n' }, 10_000)).toMatchObject({
      ok: true,
      value: { result: { ok: true, value: '5' } },
    })
    expect(await submitOnce(file, { type: 'put', key: '', value: '' }, 10_000)).toMatchObject({
      ok: false,
      error: { code: 'bad-operation' },
    })
  })

  it('are watched by a host that did not start them, their log from the beginning', async () => {
    const status = await test.call('openCluster', { file })
    expect(status.replicas.map(({ local, pid }) => [local, pid])).toEqual(children.map(({ pid }) => [false, pid]))
    await eventually('the log is read', async () => (await test.call('log', {})).last >= 1)
    expect(await test.host.call('controlReplica', { id: 0, action: 'kill' })).toMatchObject({ ok: false, error: { code: 'not-local' } })
    expect(await test.host.call('injectFault', { fault: { type: 'pause', replica: 0 } })).toMatchObject({
      ok: false,
      error: { code: 'not-local' },
    })
  })

  it('take faults only when they were started so', async () => {
    expect(await test.host.call('injectFault', { fault: { type: 'isolate', replica: 3 } })).toMatchObject({
      ok: false,
      error: { code: 'faults-not-allowed', details: { replicas: [3] } },
    })
    expect(await test.call('faults', {})).toEqual([])
    const fault = await test.call('injectFault', { fault: { type: 'isolate', replica: 2 } })
    expect(fault.pending).toEqual([])
    await test.until('r2 is isolated', (now) => now.replicas[2]?.state === 'isolated' && now.replicas[2].peersHeard.length === 0)
    await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
  })

  it('are recorded and replayed as if they ran here, from the beginning of each process', async () => {
    for (let i = 0; i < 20; i++) await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
    await eventually('what was sent between all four is fetched from those that record', async () => {
      const { lanes, count } = await test.call('messages', { from: began, to: Date.now() + 1_000 })
      return count > 500 && lanes.filter(({ kind }) => kind === 'replica').length === 4
    })
    const processes = await test.call('recordedProcesses', {})
    expect(processes).toMatchObject([0, 1, 2].map((replica) => ({ replica, process: 1, replayable: true, lost: 0 })))
    await eventually('r1 is replayed as far as it has come', async () => {
      const { session } = await test.call('openReplay', { replica: 1 })
      const { state, proof } = await test.call('replay', { session, to: { seq: 20 } })
      await test.call('closeReplay', { session })
      expect(proof.divergences).toEqual([])
      return state.lastExecuted === 20
    })
    expect(await test.call('alarms', {})).toContainEqual(
      expect.objectContaining({ key: 'alarm.recording.off', parameters: { replica: 3 } }),
    )
    const { shown } = await test.call('runs', {})
    expect((await test.call('exportRun', { id: shown ?? '', as: 'run' })).bytes).toBeGreaterThan(10_000)
  })

  it('go on, healed, when the host is closed', async () => {
    await test.call('closeCluster', {})
    expect(children.every(({ pid }) => isAlive(pid))).toBe(true)
    await eventually('all are in step again', async () => {
      const status = await askStatus(file, 1_000)
      return status.ok && status.value.replicas.every((r) => r.lastExecuted === status.value.lastExecuted && r.peersHeard.length === 3)
    })
  })

  it('are unreachable when they are gone, and the verdict says so', async () => {
    for (const child of children.slice(1)) child.kill('SIGKILL')
    const status = await eventually('three are gone', async () => {
      const asked = await askStatus(file, 1_000)
      return asked.ok && asked.value.replicas.filter(({ state }) => state === 'unreachable').length === 3 ? asked.value : null
    })
    expect(status.verdict).toMatchObject({
      state: 'stuck',
      key: 'verdict.stuck.unreachable',
      parameters: { replicas: 'r1, r2, r3', needed: 3 },
    })
    expect(await submitOnce(file, { type: 'total' }, 500)).toMatchObject({
      ok: false,
      error: { code: 'timeout', details: { connected: 1 } },
    })
  })
})
