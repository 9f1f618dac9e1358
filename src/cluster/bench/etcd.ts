/** Three nodes of etcd on loopback, with fsync: an outside peer, when it is installed. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { findFreePorts } from '../ports.ts'
import type { CaseSettings } from './cases.ts'
import type { SystemUnderTest } from './system-under-test.ts'

const readyWithinMs = 20_000
const pollMs = 50
const stopWithinMs = 3_000

/** Its version, or null when there is none on the PATH. */
export const etcdVersion = (): string | null => {
  const { status, stdout } = spawnSync('etcd', ['--version'], { encoding: 'utf8', timeout: 5_000 })
  return status === 0 ? (/etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'of unknown version') : null
}

const isHealthy = (url: string): Promise<boolean> =>
  new Promise((resolve) => {
    const sent = request(`${url}/health`, { agent: false, timeout: 1_000 }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => (text += chunk.toString()))
      response.once('end', () => resolve(text.includes('"true"')))
    })
    sent.once('error', () => resolve(false))
    sent.end()
  })

const untilHealthy = async (urls: readonly string[]): Promise<void> => {
  const deadline = Date.now() + readyWithinMs
  while (!(await Promise.all(urls.map(isHealthy))).every(Boolean)) {
    if (Date.now() > deadline) throw new Error(`etcd was not healthy within ${readyWithinMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, pollMs))
  }
}

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return resolve()
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    child.once('exit', () => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
  })

/** Starts the nodes; throws an Error that says what went wrong, and nothing is left then. */
export const startEtcd = async (temporary: string, settings: CaseSettings): Promise<SystemUnderTest> => {
  const folder = mkdtempSync(join(temporary, 'pbft-bench-etcd-'))
  const children: ChildProcess[] = []
  const close = async (): Promise<void> => {
    await Promise.all(children.map(end))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const n = settings.replicas
    const ports = await findFreePorts('127.0.0.1', 2 * n)
    const clientUrls = ports.slice(0, n).map((port) => `http://127.0.0.1:${port}`)
    const peerUrls = ports.slice(n).map((port) => `http://127.0.0.1:${port}`)
    const members = peerUrls.map((url, id) => `node-${id}=${url}`).join(',')
    for (let id = 0; id < n; id++) {
      const [client = '', peer = ''] = [clientUrls[id], peerUrls[id]]
      const args = ['--name', `node-${id}`, '--data-dir', join(folder, `node-${id}`), '--log-level', 'error']
      args.push('--listen-client-urls', client, '--advertise-client-urls', client)
      args.push('--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer)
      args.push('--initial-cluster', members, '--initial-cluster-state', 'new')
      const log = openSync(join(folder, `node-${id}.log`), 'a')
      // A session of its own, as our replicas have: schedulers share a busy machine out by sessions.
      children.push(spawn('etcd', args, { stdio: ['ignore', log, log], detached: true, windowsHide: true }))
      closeSync(log)
    }
    await untilHealthy(clientUrls)
    const nodes = children.map((child, id) => ({
      name: `etcd ${id}`,
      pid: child.pid ?? 0,
      kill: () => void child.kill('SIGKILL'),
      stop: () => void child.kill('SIGSTOP'),
      onEnd: (listener: (how: string) => void) => void child.once('exit', (code, signal) => listener(String(signal ?? code))),
    }))
    return { nodes, folder, target: { kind: 'etcd', urls: clientUrls }, close }
  } catch (error) {
    await close()
    throw error
  }
}
