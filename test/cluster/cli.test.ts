/** The command line as scripts use it: exit codes, JSON, the HTTP API of `serve`, and what is left when it is killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { until } from '../support/until.ts'

const cli = join(import.meta.dirname, '../../src/web/cli.ts')
const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-cli-'))
const children = new Set<ChildProcess>()

afterEach(async () => {
  for (const child of children) child.kill('SIGTERM')
  await until(() => [...children].every(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null))
  children.clear()
})
afterAll(() => rmSync(folder, { recursive: true }))

const start = (args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess => {
  const child = spawn(process.execPath, [cli, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  children.add(child)
  return child
}

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const ended = (child: ChildProcess): Promise<Ended> => {
  let [out, err] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (out += String(chunk)))
  child.stderr?.on('data', (chunk: Buffer) => (err += String(chunk)))
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })))
}

const run = (...args: string[]): Promise<Ended> => ended(start(args))

const firstLine = (child: ChildProcess): Promise<string> =>
  new Promise((resolve, reject) => {
    if (child.stdout === null) throw new Error('its output is not ours')
    createInterface(child.stdout).once('line', resolve)
    child.once('exit', (code) => reject(new Error(`it ended with code ${code}`)))
  })

interface Ready {
  readonly url: string
  readonly token: string
  readonly pid: number
  readonly replicas: readonly { readonly id: number; readonly pid: number; readonly port: number }[]
}

const serve = async (...args: string[]): Promise<Ready> => JSON.parse(await firstLine(start(['serve', '--json', ...args]))) as Ready

const api =
  ({ url, token }: Ready) =>
  async (verb: string, path: string, body?: unknown): Promise<{ status: number; json: Record<string, never> }> => {
    const response = await fetch(`${url}/api/v1/${path}`, {
      method: verb,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, json: (await response.json()) as Record<string, never> }
  }

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

describe('wrong use ends with code 2 and one line', () => {
  it.each([
    [['no-such-command']],
    [['serve', '--port', '70000']],
    [['serve', '--no-such-flag']],
    [['serve', '--cluster', 'a.json', '--replicas', '4']],
    [['cluster', 'create', 'x', '--replicas', '3']],
    [['cluster', 'create', 'x', '--replicas', 'many']],
    [['cluster', 'create']],
    [['status']],
    [['status', '--cluster', 'missing.json']],
    [['submit', '--cluster', 'missing.json', 'put', 'k']],
    [['submit', '--cluster', 'missing.json', 'drop', 'k']],
    [['submit', '--cluster', 'missing.json', 'incr', 'k', 'x']],
    [['replica', '--cluster', 'missing.json', '--id', '0']],
    [['serve', '--no-open', '--empty', '--data', '/dev/null/x']],
    [['serve', '--no-open', '--empty', '--data', folder, '--host', '203.0.113.1']],
    [['demo', 'no-such-scenario']],
    [['demo', '--replicas', '1']],
    [['simulate', '--seeds', '0']],
  ])('%j', async (args) => {
    const { code, out, err } = await run(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err.trimEnd().split('\n')).toHaveLength(1)
  })

  it('a port that is in use is one too', async () => {
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const address = server.address()
    const port = typeof address === 'object' && address !== null ? String(address.port) : ''
    const { code, err } = await run('serve', '--no-open', '--empty', '--data', folder, '--port', port)
    server.close()
    expect(code).toBe(2)
    expect(err.trimEnd().split('\n')).toEqual([expect.stringContaining(`port ${port}: the port is in use`)])
  })

  it('a broken manifest is one too', async () => {
    const file = join(folder, 'broken.json')
    writeFileSync(file, '{"format":1}')
    for (const command of ['status', 'serve']) {
      const { code, err } = await run(command, '--cluster', file)
      expect(code).toBe(2)
      expect(err).toContain('broken.json')
    }
  })
})

it.each([
  [[]],
  [['serve']],
  [['cluster']],
  [['cluster', 'create']],
  [['replica']],
  [['status']],
  [['submit']],
  [['demo']],
  [['scenario']],
  [['scenario', 'run']],
  [['simulate']],
])('%j has help', async (command) => {
  const { code, out } = await run(...command, '--help')
  expect(code).toBe(0)
  expect(out).toContain('Usage: pbft-panel')
})

describe('a cluster by hand', () => {
  it('is made, started, asked and used', async () => {
    const path = join(folder, 'by-hand')
    const made = await run('cluster', 'create', path, '--replicas', '4', '--json')
    expect(made.code).toBe(0)
    const { manifest, members } = JSON.parse(made.out) as { manifest: string; members: { id: number; keyFile: string }[] }
    expect(members.map(({ id }) => id)).toEqual([0, 1, 2, 3])
    for (const { keyFile } of members) expect(statSync(keyFile).mode & 0o777).toBe(0o600)
    expect((await run('cluster', 'create', path, '--replicas', '4')).code).toBe(2)

    const nobody = await run('status', '--cluster', manifest, '--timeout', '300', '--json')
    expect(nobody.code).toBe(1)
    expect(JSON.parse(nobody.out)).toMatchObject({ replicas: members.map(({ id }) => ({ id, state: 'unreachable' })) })

    for (const { id } of members) await firstLine(start(['replica', '--cluster', manifest, '--id', String(id)]))
    const put = await run('submit', '--cluster', manifest, 'put', 'k', 'v', '--json')
    expect(put.code).toBe(0)
    expect(JSON.parse(put.out)).toMatchObject({ result: { ok: true, value: null }, view: 0, seq: 1 })
    expect((JSON.parse(put.out) as { replies: number }).replies).toBeGreaterThanOrEqual(2)
    expect(JSON.parse((await run('submit', '--cluster', manifest, 'incr', 'n', '-5', '--json')).out)).toMatchObject({
      result: { ok: true, value: -5 },
    })
    const refused = await run('submit', '--cluster', manifest, 'cas', 'k', 'other', 'new', '--json')
    expect([refused.code, JSON.parse(refused.out)]).toMatchObject([1, { result: { ok: false, error: 'mismatch' } }])
    const status = await run('status', '--cluster', manifest, '--json')
    expect(status.code).toBe(0)
    expect(JSON.parse(status.out)).toMatchObject({ verdict: { state: 'healthy' }, view: 0, primary: 0 })
  })
})

describe('demo', () => {
  it('exits 0 when every step held', async () => {
    const [taken, read] = [join(folder, 'demo.pbftrun'), join(folder, 'demo.html')]
    const { code, out } = await run('demo', '--export', taken, '--report', read, '--lang', 'zh-CN', '--json')
    const report = JSON.parse(out) as { steps: { holds: boolean }[]; holds: boolean }
    expect([code, report.holds, report.steps.every(({ holds }) => holds)]).toEqual([0, true, true])
    // What was asked for can be looked at without the cluster, which is gone.
    expect(report).toMatchObject({ export: { file: taken }, report: { file: read } })
    const shown = JSON.parse((await run('run', 'show', taken, '--json')).out) as { run: object; processes: { replayable: boolean }[] }
    expect(shown).toMatchObject({ run: { kind: 'scenario', verdict: 'held' } })
    expect(shown.processes.every(({ replayable }) => replayable)).toBe(true)
    const page = readFileSync(read, 'utf8')
    expect(page).toContain('data-verdict="held"')
    expect(page).toContain('被隔离')
    expect(await run('demo', '--report', read)).toMatchObject({ code: 2, out: '' })
  })

  it('exits 1 when the replicas never give up on their primary', async () => {
    const { code, out } = await ended(start(['demo', '--json'], { PBFT_PANEL_TEST_DISABLE_VIEW_TIMER: '1' }))
    expect([code, (JSON.parse(out) as { holds: boolean }).holds]).toEqual([1, false])
  })
})

it('simulate exits 0 without a violation', async () => {
  const { code, out } = await run('simulate', '--seeds', '2', '--steps', '500', '--json')
  expect([code, JSON.parse(out)]).toMatchObject([0, { seeds: 2, violations: [] }])
})

describe('serve', () => {
  const data = join(folder, 'data')

  it('answers by HTTP what happens in its cluster', async () => {
    const ready = await serve('--data', data)
    expect(ready.replicas.map(({ id }) => id)).toEqual([0, 1, 2, 3])
    expect(new Set(ready.replicas.map(({ pid }) => pid)).size).toBe(4)
    expect(new Set(ready.replicas.map(({ port }) => port)).size).toBe(4)
    const ask = api(ready)
    const put = await ask('POST', 'requests', { operation: { type: 'put', key: 'k', value: 'v' }, timeoutMs: 20_000 })
    expect(put).toMatchObject({ status: 200, json: { result: { ok: true }, view: 0, seq: 1 } })

    const fault = await ask('POST', 'faults', { type: 'isolate', replica: 0, durationMs: null })
    expect(fault).toMatchObject({ status: 200, json: { type: 'isolate', replica: 0 } })
    const again = await ask('POST', 'requests', { operation: { type: 'put', key: 'k', value: 'w' }, timeoutMs: 30_000 })
    expect(again.json).toMatchObject({ result: { ok: true } })
    expect(Number(again.json['view'])).toBeGreaterThan(0)
    expect((await ask('GET', 'faults')).json).toMatchObject({ faults: [{ id: fault.json['id'] }] })
    expect((await ask('DELETE', `faults/${String(fault.json['id'])}`)).status).toBe(200)

    await until(async () => {
      const { json } = await ask('GET', 'status')
      const replicas = json['replicas'] as unknown as { stateDigest: string; state: string; lastExecuted: number }[]
      return new Set(replicas.map(({ stateDigest, lastExecuted }) => `${stateDigest} ${lastExecuted}`)).size === 1
    })
    await until(async () => ((await ask('GET', 'log')).json['entries'] as unknown as unknown[]).length >= 2)
    const { json: page } = await ask('GET', 'log?after=0&limit=100')
    const entries = page['entries'] as unknown as { seq: number; requests: unknown[]; time: string; replicas: object }[]
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_entry, index) => index + 1))
    expect(entries[0]).toMatchObject({
      requests: [{ operation: { type: 'put', key: 'k', value: 'v' }, result: { ok: true, value: null } }],
    })
    expect(entries[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    expect((await ask('GET', 'log/1')).json).toMatchObject({ seq: 1, quorum: 3, primary: 0 })
    expect((await ask('GET', 'views')).json).toMatchObject({
      views: expect.arrayContaining([expect.objectContaining({ view: 0 })]) as unknown,
    })
    expect((await ask('GET', 'checkpoints')).json).toHaveProperty('checkpoints')
    const before = (await ask('GET', 'replicas/3')).json['pid']
    expect((await ask('POST', 'replicas/3/restart')).status).toBe(200)
    await until(async () => {
      const { json } = await ask('GET', 'replicas/3')
      return json['pid'] !== before && json['state'] === ('live' as never)
    })
  })

  it('is one per data folder', async () => {
    await serve('--data', data)
    const second = await run('serve', '--data', data, '--json')
    expect([second.code, JSON.parse(second.out)]).toMatchObject([1, { error: { code: 'cluster-in-use' } }])
  })

  it('leaves no process and no port when it is killed, and the next one has the log', async () => {
    const ready = await serve('--data', data)
    const put = await api(ready)('POST', 'requests', { operation: { type: 'put', key: 'before', value: 'the kill' }, timeoutMs: 20_000 })
    expect(put.status).toBe(200)
    const family = readChildren(ready.pid)
    expect(family).toEqual(expect.arrayContaining(ready.replicas.map(({ pid }) => pid)))
    process.kill(ready.pid, 'SIGKILL')
    await until(() => ![ready.pid, ...family].some(isAlive), 5_000, 'the end of its processes')
    for (const { port } of ready.replicas) expect(await isFree(port)).toBe(true)

    const next = api(await serve('--data', data))
    const seq = Number(put.json['seq'])
    await until(async () => (await next('GET', `log/${seq}`)).status === 200)
    expect((await next('GET', `log/${seq}`)).json).toMatchObject({ requests: [{ operation: { key: 'before', value: 'the kill' } }] })
    const get = await next('POST', 'requests', { operation: { type: 'get', key: 'before' } })
    expect(get.json).toMatchObject({ result: { ok: true, value: 'the kill' } })
  })

  it('ends in order on a signal', async () => {
    const child = start(['serve', '--json', '--data', data])
    const whole = ended(child)
    const ready = JSON.parse(await firstLine(child)) as Ready
    child.kill('SIGINT')
    expect((await whole).code).toBe(0)
    expect(ready.replicas.some(({ pid }) => isAlive(pid))).toBe(false)
  })

  it('ends when the process that wanted it so is gone', async () => {
    const child = spawn(process.execPath, [cli, 'serve', '--json', '--data', data], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
    children.add(child)
    await firstLine(child)
    const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
    child.disconnect()
    expect(await exited).toBe(0)
  })
})

/** The processes that one started, by Linux's /proc. */
const readChildren = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
