import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askStatus } from '../../src/cluster/direct.ts'
import { createClusterFolder } from '../../src/cluster/folder.ts'
import type { Child } from '../../src/cluster/launch.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import { findFreePorts } from '../../src/cluster/ports.ts'
import { entries, eventually, isAlive, openTestHost, type TestHost } from './support/host.ts'

describe('a folder with all keys whose replicas run by hand', () => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-given-'))
  const file = join(folder, 'cluster.json')
  const children: Child[] = []
  let test: TestHost
  let manifest: string

  beforeAll(async () => {
    expect((await createClusterFolder(folder, { name: 'given', replicas: 4, durability: 'process' })).ok).toBe(true)
    manifest = readFileSync(file, 'utf8')
    for (const id of [0, 1, 2, 3]) {
      const args = ['--cluster', file, '--id', String(id), '--allow-faults']
      children.push(await launchByNode(entries.replica, { args, logFile: join(folder, `replica-${id}.log`) }))
    }
    await eventually('all four answer', async () => {
      const status = await askStatus(file, 1_000)
      return status.ok && status.value.replicas.every(({ state }) => state === 'live')
    })
    test = openTestHost()
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await test.dispose()
    rmSync(folder, { recursive: true, force: true })
  })

  it('is connected to, and nothing in it is written again', async () => {
    const status = await test.call('openCluster', { file })
    expect(status.replicas.map(({ local, pid }) => [local, pid])).toEqual(children.map(({ pid }) => [false, pid]))
    expect((await test.call('submit', { operation: { type: 'total' }, timeoutMs: 10_000 })).result).toEqual({ ok: true, value: 0 })
    expect((await test.call('alarms', {})).filter(({ severity }) => severity !== 'info')).toEqual([])
    await test.call('closeCluster', {})
    expect(children.map(({ pid }) => isAlive(pid))).toEqual([true, true, true, true])
    expect(readFileSync(file, 'utf8')).toBe(manifest)
  })

  it('has replicas that are stopped started here, and leaves one alone that does not answer but has its data', async () => {
    children[2]?.kill('SIGKILL')
    await eventually('r2 is gone', () => !isAlive(children[2]?.pid ?? 0))
    children[3]?.kill('SIGSTOP')
    const status = await test.call('openCluster', { file })
    expect(status.replicas.map(({ local }) => local)).toEqual([false, false, true, false])
    await test.until('three are live', (now) => now.replicas.filter(({ state }) => state === 'live').length === 3)
    children[3]?.kill('SIGCONT')
    await test.until('all are live', (now) => now.replicas.every(({ state }) => state === 'live'))
    await test.call('closeCluster', {})
    expect([0, 1, 3].map((id) => isAlive(children[id]?.pid ?? 0))).toEqual([true, true, true])
    expect(readFileSync(file, 'utf8')).toBe(manifest)
  })
})

it('names the port of a given folder that a stranger has taken, and leaves the manifest as it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-given-'))
  const file = join(folder, 'cluster.json')
  const [port = 0] = await findFreePorts('127.0.0.1', 1)
  expect((await createClusterFolder(folder, { name: 'given', replicas: 1, basePort: port, durability: 'process' })).ok).toBe(true)
  const manifest = readFileSync(file, 'utf8')
  const stranger = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1')
  const test = openTestHost()
  const opened = await test.host.call('openCluster', { file })
  expect(opened).toMatchObject({ ok: false, error: { code: 'start-failed' } })
  expect(opened.ok ? '' : opened.error.message).toContain(String(port))
  expect(readFileSync(file, 'utf8')).toBe(manifest)
  await test.dispose()
  await new Promise((resolve) => stranger.close(resolve))
  rmSync(folder, { recursive: true, force: true })
})
