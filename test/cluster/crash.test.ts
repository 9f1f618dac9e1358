import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import type { LogEntry, ReplicaStatus } from '../../src/contract/model.ts'
import type { SubmitResult } from '../../src/contract/api.ts'
import { isPortFree } from '../../src/cluster/ports.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import { entries, eventually, isAlive, openTestHost, type TestHost } from './support/host.ts'

let test: TestHost | null = null
afterEach(async () => {
  await test?.dispose()
  test = null
})

const incrementsOf = (log: readonly LogEntry[]): unknown[] =>
  log
    .flatMap(({ requests }) => requests)
    .filter(({ operation, result }) => operation.type === 'incr' && result !== null)
    .map(({ result }) => (result?.ok === true ? result.value : null))

const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1)

describe.each(['full', 'process'] as const)('every replica killed at once, durability %s', (durability) => {
  it('loses nothing that was answered, and executes nothing twice', async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'crash', replicas: 4, durability })
    const opened = await test.call('openCluster', { name: 'crash' })
    const answered: SubmitResult[] = []
    // Requests are under way while they die: some are answered, some are not.
    const stop = { now: false }
    const clients = [0, 1, 2, 3].map(async () => {
      while (!stop.now && test !== null) {
        const answer = await test.host.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 2_000 })
        if (answer.ok) answered.push(answer.value)
      }
    })
    await eventually('forty requests are answered', () => answered.length >= 40)
    for (const { pid } of opened.replicas) process.kill(pid ?? 0, 'SIGKILL')
    await test.until('all are stopped', ({ verdict }) => verdict.state === 'stopped', 5_000)
    stop.now = true
    await Promise.all(clients)
    test = await test.again()
    await test.call('openCluster', { name: 'crash' })
    const after = await test.call('submit', { operation: { type: 'get', key: 'n' }, timeoutMs: 20_000 })
    const values = answered.map(({ result }) => (result.ok ? Number(result.value) : 0))
    expect(new Set(values).size).toBe(values.length)
    const total = after.result.ok ? Number(after.result.value) : 0
    expect(total).toBeGreaterThanOrEqual(Math.max(...values))
    const log = await eventually('the log is read to its end', async () => {
      const page = await (test as TestHost).call('log', { limit: 1_000 })
      return page.last >= after.seq ? page.entries : null
    })
    expect(log.map(({ seq }) => seq)).toEqual(upTo(log.length))
    // Each of them once, with its value, in order: the answered ones and those that were only under way.
    expect(incrementsOf(log)).toEqual(upTo(total))
    for (const { seq, result } of answered) {
      const entry = log.find((other) => other.seq === seq)
      expect(entry?.requests.map((request) => request.result)).toContainEqual(result)
    }
    const { monitors } = await test.call('status', {})
    expect(monitors.filter(({ state }) => state === 'violated')).toEqual([])
  })
})

describe('the process of the host is killed', () => {
  it('leaves no process, port or lock behind, and the next one has the log', async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'shell', replicas: 4, durability: 'process' })
    const child = spawn(process.execPath, [join(import.meta.dirname, 'support/hosting.ts'), test.folder, 'shell'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const line = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString('utf8')
        if (text.includes('\n')) resolve(text)
      })
      child.on('exit', () => reject(new Error('the hosting process ended by itself')))
    })
    const { replicas, entries: recorded } = JSON.parse(line) as { replicas: ReplicaStatus[]; entries: number }
    const pids = replicas.map(({ pid }) => pid ?? 0)
    expect(pids.every(isAlive)).toBe(true)
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    // One of them is stopped (SIGSTOP) and could not notice: the recorder sees to it.
    await eventually('no replica is left', () => !pids.some(isAlive), 5_000)
    for (const { port } of replicas) await eventually(`port ${port} is free`, () => isPortFree('127.0.0.1', port), 5_000)
    const status = await test.call('openCluster', { name: 'shell' })
    expect(status.replicas.map(({ port }) => port)).toEqual(replicas.map(({ port }) => port))
    const page = await test.call('log', { limit: 100 })
    expect(page.entries.length).toBe(recorded)
    expect(incrementsOf(page.entries)).toEqual(upTo(5))
    expect(page.entries.every((entry) => Object.keys(entry.replicas).length > 0)).toBe(true)
    expect((await test.call('requests', {})).length).toBe(5)
    const next = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 20_000 })
    expect(next.result).toEqual({ ok: true, value: 6 })
    expect(readFileSync(join(test.folder, 'data/clusters/shell/cluster.json'), 'utf8')).toContain('"format": 1')
  })
})

describe('the data of an open cluster is deleted', () => {
  it('shows the replica ended and why, and the log goes on in a new journal', async () => {
    test = openTestHost()
    await test.call('createCluster', { name: 'deleted', replicas: 4, durability: 'process' })
    const { folder } = await test.call('openCluster', { name: 'deleted' })
    const increment = (host: TestHost) => host.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
    await increment(test)
    rmSync(join(folder, 'data/replica-3'), { recursive: true })
    rmSync(join(folder, 'journal.sqlite'))
    const { replicas } = await test.until('r3 has ended', (now) => now.replicas[3]?.state === 'stopped')
    expect(replicas[3]?.exit).toMatchObject({ code: 3, message: expect.stringContaining('deleted or replaced') as unknown })
    await eventually('the recorder is another one', () => existsSync(join(folder, 'journal.sqlite')))
    const { seq } = await increment(test)
    await eventually('the log is read', async () => (await (test as TestHost).call('log', {})).last >= seq)
    test = await test.again()
    await test.call('openCluster', { name: 'deleted' })
    expect(incrementsOf((await test.call('log', { limit: 100 })).entries)).toEqual([1, 2])
  })
})

describe('the recorder is killed', () => {
  it('another one takes over, and the log stays whole', async () => {
    const recorders: number[] = []
    test = openTestHost(undefined, async (entry, options) => {
      const child = await launchByNode(entry, options)
      if (entry === entries.recorder) recorders.push(child.pid)
      return child
    })
    await test.call('createCluster', { name: 'recorded', replicas: 4, durability: 'process' })
    await test.call('openCluster', { name: 'recorded' })
    const increment = (host: TestHost) => host.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 10_000 })
    await increment(test)
    process.kill(recorders[0] ?? 0, 'SIGKILL')
    await eventually('the alarm', async () =>
      (await (test as TestHost).call('alarms', {})).some(({ key }) => key === 'alarm.recorder.failed'),
    )
    await increment(test)
    await eventually('another recorder', () => recorders.length === 2)
    const { seq } = await increment(test)
    await eventually('the log is read', async () => (await (test as TestHost).call('log', {})).last >= seq)
    test = await test.again()
    await test.call('openCluster', { name: 'recorded' })
    expect(incrementsOf((await test.call('log', { limit: 100 })).entries)).toEqual([1, 2, 3])
  })
})
