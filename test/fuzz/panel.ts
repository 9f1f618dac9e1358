/** Hostile input at the panel: calls of the contract at a real host, and bytes at the browser shell's port. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { methods, type Method } from '../../src/contract/api.ts'
import { errorCodes } from '../../src/contract/result.ts'
import { createHost } from '../../src/cluster/host.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import type { Random } from '../../src/pbft/sim/index.ts'
import { startTestServer, type TestServer } from '../web/support/panel-server.ts'
import { entries } from '../../src/web/paths.ts'
import { mutateBytes, mutateJson } from './mutate.ts'
import { ownHeapMb, Tally, type Outcome } from './outcome.ts'

const heapGrowthMaxMb = 64
const callsAtOnce = 50

/** Valid parameters to begin with. */
const examples: Partial<Record<Method, readonly unknown[]>> = {
  createCluster: [{ name: 'a', replicas: 4, durability: 'full', authentication: 'signature', parameters: { viewTimeoutMs: 500 } }],
  openCluster: [{ name: 'none' }, { file: '/nowhere/cluster.json' }],
  replica: [{ id: 0 }],
  log: [{ after: 0, limit: 10, filter: { text: 'x', client: 'y', types: ['put'] } }, { filter: { text: '/(a+)+$/' } }],
  logEntry: [{ seq: 1 }],
  checkpoints: [{ limit: 5 }],
  samples: [{ since: 0 }],
  injectFault: [
    { fault: { type: 'isolate', replica: 1, durationMs: 10 } },
    { fault: { type: 'partition', groups: [[0], [1, 2]], durationMs: null } },
    { fault: { type: 'byzantine', replica: 1, behaviour: 'starve', victim: 2 } },
  ],
  healFault: [{ id: 'x' }],
  controlReplica: [{ id: 1, action: 'restart' }],
  submit: [{ operation: { type: 'put', key: 'k', value: 'v' }, id: 'x', readOnly: false, timeoutMs: 1_000 }],
  cancelRequest: [{ id: 'x' }],
  requests: [{ limit: 3 }],
  startLoad: [{ clients: 1, durationMs: 100, ratePerSecond: 1, keys: 1, valueBytes: 1 }],
}

/** These would end the cluster that the others are tried on, or load it for a day. */
const notWhileOpen: readonly Method[] = ['openCluster', 'closeCluster', 'controlReplica', 'startLoad']

const drawCall = (random: Random, among: readonly Method[] = methods): { method: Method; params: unknown } => {
  const method = random.chance(0.95) ? random.pick(among) : (random.pick(['', '__proto__', 'constructor', 'shutdown']) as Method)
  const params = random.pick(examples[method] ?? [{}])
  return { method, params: random.chance(0.8) ? mutateJson(random, params) : params }
}

/** Methods with random parameters, at a host with a cluster or without one: a typed result, never a defect, never a throw. */
export const fuzzContract = async (random: Random, inputs: number, isOpen: boolean): Promise<Outcome> => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-fuzz-'))
  const host = createHost({
    dataFolder: join(folder, 'data'),
    logsFolder: join(folder, 'logs'),
    scenariosFolder: join(folder, 'scenarios'),
    sampleRun: join(folder, 'sample.pbftrun'),
    shell: 'browser',
    version: '0.0.0',
    locale: 'en',
    launch: launchByNode,
    entries,
  })
  const tally = new Tally()
  if (isOpen) {
    await host.call('createCluster', { name: 'open', replicas: 1, durability: 'process' })
    const opened = await host.call('openCluster', { name: 'open' })
    if (!opened.ok) tally.problem(opened.error.message)
  }
  const among = isOpen ? methods.filter((method) => !notWhileOpen.includes(method)) : methods
  const before = ownHeapMb()
  const call = async (): Promise<void> => {
    const { method, params } = drawCall(random, among)
    const shown = `${method} ${JSON.stringify(params)?.slice(0, 300)}`
    try {
      const result = await host.call(method, params)
      if (result.ok) return tally.accept()
      tally.refuse(result.error.code)
      if (result.error.code === 'internal' || !errorCodes.includes(result.error.code)) tally.problem(`${shown}: ${result.error.message}`)
    } catch (error) {
      tally.problem(`${shown} threw ${String(error)}`)
    }
  }
  for (let done = 0; done < inputs; done += callsAtOnce)
    await Promise.all(Array.from({ length: Math.min(callsAtOnce, inputs - done) }, call))
  await host.close()
  rmSync(folder, { recursive: true, force: true })
  return tally.outcome(isOpen ? 'contract, a cluster open' : 'contract', inputs, [before, ownHeapMb()], heapGrowthMaxMb)
}

const requestText = (server: TestServer, random: Random): Buffer => {
  const { method, params } = drawCall(random)
  const body = JSON.stringify(params) ?? ''
  const path = random.pick([
    '/api/v1/requests',
    '/api/v1/clusters',
    '/api/v1/faults',
    '/api/v1/log?after=1',
    `/api/v1/${method}`,
    '/',
    '/../x',
  ])
  const head = [
    `${random.pick(['GET', 'POST', 'DELETE', 'PUT'])} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${server.port}`,
    `Authorization: Bearer ${random.chance(0.8) ? server.token : 'x'}`,
    'Connection: close',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)
}

/** Sends bytes and takes what comes until the server hangs up; the status of the first answer, 0 for none. */
const sendRaw = (port: number, bytes: Uint8Array): Promise<number> =>
  new Promise((resolve) => {
    let text = ''
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => (text = (text + chunk.toString('latin1')).slice(0, 100)))
    socket.on('close', () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0)))
    socket.end(bytes)
  })

/** Frames on one WebSocket until the server has enough of it. */
const talk = (server: TestServer, frames: readonly (string | Uint8Array)[]): Promise<void> =>
  new Promise((resolve) => {
    const socket = server.socket(['pbft-panel', `token.${server.token}`])
    socket.on('error', () => undefined)
    socket.once('close', () => resolve())
    socket.once('open', () => {
      for (const frame of frames) socket.send(frame)
      socket.close()
    })
  })

const frame = (random: Random): string | Uint8Array => {
  const { method, params } = drawCall(random)
  const text = JSON.stringify({ id: random.whole(0, 9), method, params })
  if (random.chance(0.5)) return text
  const spoilt = mutateBytes(random, Buffer.from(text), Buffer.from(text))
  return random.chance(0.5) ? spoilt : Buffer.from(spoilt).toString('latin1')
}

/** HTTP and WebSocket bytes at the browser shell, with and without its token: no defect, and it answers honest calls afterwards. */
export const fuzzShell = async (random: Random, inputs: number): Promise<Outcome> => {
  const server = await startTestServer()
  const tally = new Tally()
  const before = ownHeapMb()
  let left = inputs
  const some = async (): Promise<void> => {
    for (left -= 1; left >= 0; left -= 1) {
      if (left % 4 === 0) {
        await talk(
          server,
          Array.from({ length: 3 }, () => frame(random)),
        )
        continue
      }
      const text = requestText(server, random)
      const bytes = random.chance(0.3) ? text : mutateBytes(random, text, text)
      const status = await sendRaw(server.port, bytes)
      if (status >= 500 && status !== 503 && status !== 504) tally.problem(`answered ${status} to ${Buffer.from(bytes).toString('latin1')}`)
      if (status >= 200 && status < 300) tally.accept()
      else tally.refuse(String(status))
    }
  }
  await Promise.all(Array.from({ length: 8 }, some))
  const defects = server.log.filter((line) => line.includes('failed'))
  for (const line of defects) tally.problem(line)
  const { refused } = server.counters()
  for (const [reason, count] of Object.entries(refused)) if (count > 0) tally.reasons[`counted ${reason}`] = count
  const answer = await server.ask('GET', '/api/v1/host')
  if (answer.status !== 200 && answer.status !== 429) tally.problem(`afterwards an honest call got ${answer.status}`)
  await server.stop()
  return tally.outcome('browser shell, HTTP and WebSocket', inputs, [before, ownHeapMb()], heapGrowthMaxMb)
}
