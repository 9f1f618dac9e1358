/** How a replica process begins and ends, and what it refuses. */
import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { afterEach, describe, expect, it } from 'vitest'
import { keyFileOfReplica } from '../../src/contract/manifest.ts'
import { dial, generateKey, linkPath, savePrivateKey } from '../../src/link/index.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { databaseName } from '../../src/replica/sqlite-storage.ts'
import { prepareCluster, spawnReplica, type Running } from '../support/processes.ts'
import { until } from '../support/until.ts'

const running: Running[] = []
afterEach(async () => {
  for (const cluster of running.splice(0)) await cluster.close()
})
const prepare = async (n: number, changes: Parameters<typeof prepareCluster>[1] = {}): Promise<Running> => {
  const cluster = await prepareCluster(n, changes)
  running.push(cluster)
  return cluster
}

it('ends when its data is deleted under it, and says so', async () => {
  const cluster = await prepare(4)
  const replica = await cluster.start(1)
  const data = join(cluster.folder, 'data/replica-1')
  rmSync(data, { recursive: true })
  expect(await replica.exited).toEqual({ code: 3, signal: null })
  expect(replica.stderr()).toMatch(/replica\.db: it was deleted or replaced/)
  expect(replica.stderr().trimEnd().split('\n')).toHaveLength(1)
})

/** Runs a replica that has to end by itself. */
const refused = async (args: readonly string[], code: number, why: RegExp): Promise<void> => {
  const replica = spawnReplica(args)
  expect(await replica.exited).toEqual({ code, signal: null })
  expect(replica.stderr()).toMatch(why)
  expect(replica.stderr().trimEnd().split('\n')).toHaveLength(1)
}

describe('ends with one clear line', () => {
  it('on bad arguments', async () => {
    await refused([], 2, /--cluster and --id are needed/)
    await refused(['--cluster', 'x', '--id', '-1'], 2, /--id/)
    await refused(['--cluster', 'x', '--id', '1', '--surprise'], 2, /--surprise/)
    await refused(['--cluster', '/nowhere/cluster.json', '--id', '1'], 2, /does not exist/)
  })

  it('on a bad manifest or an id that is not in it', async () => {
    const cluster = await prepare(4)
    await refused(['--cluster', cluster.file, '--id', '4'], 2, /has replicas 0 to 3, no 4/)
    writeFileSync(cluster.file, JSON.stringify({ ...cluster.cluster.manifest, replicas: 7 }))
    await refused(['--cluster', cluster.file, '--id', '0'], 2, /replicas: /)
  })

  it('on a key that is missing, readable by others, or not its own', async () => {
    const cluster = await prepare(4)
    await refused(
      ['--cluster', cluster.file, '--id', '0', '--key', join(cluster.folder, keyFileOfReplica(1))],
      2,
      /is not the key of replica 0/,
    )
    const key = join(cluster.folder, keyFileOfReplica(0))
    chmodSync(key, 0o644)
    await refused(['--cluster', cluster.file, '--id', '0'], 2, /chmod 600/)
    rmSync(key)
    await refused(['--cluster', cluster.file, '--id', '0'], 2, /does not exist/)
  })

  it('on a port that is taken', async () => {
    const cluster = await prepare(1)
    const port = cluster.cluster.manifest.replicas[0]?.port
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    await refused(['--cluster', cluster.file, '--id', '0'], 2, /the port is taken/)
    await new Promise((resolve) => server.close(resolve))
  })

  it('on a data folder that another process uses, or that is damaged', async () => {
    const cluster = await prepare(1)
    const replica = await cluster.start(0)
    await refused(['--cluster', cluster.file, '--id', '0'], 2, /another process is using it/)
    // Ended in order, so that everything is in the database and nothing in its write-ahead log.
    replica.child.kill('SIGTERM')
    await replica.exited
    const database = join(cluster.folder, 'data/replica-0', databaseName)
    writeFileSync(database, readFileSync(database).fill(0x5a, 0, 200))
    await refused(['--cluster', cluster.file, '--id', '0'], 3, /damaged/)
  })
})

describe('ends', () => {
  it('in order on SIGTERM and SIGINT', async () => {
    const cluster = await prepare(1)
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const replica = await cluster.start(0)
      replica.child.kill(signal)
      expect(await replica.exited).toEqual({ code: 0, signal: null })
    }
  })

  it('when its parent is killed', async () => {
    const cluster = await prepare(1)
    const parent = spawn(process.execPath, [join(import.meta.dirname, '../support/replica-parent.ts'), cluster.file], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    parent.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
    await until(() => said.includes('\n'))
    const pid = Number(said)
    parent.kill('SIGKILL')
    await until(() => {
      try {
        process.kill(pid, 0)
        return false
      } catch {
        return true
      }
    }, 5_000)
  })
})

describe('counts what it refuses', () => {
  it('a replica with a wrong key, on both sides', async () => {
    const cluster = await prepare(4)
    await cluster.start(0)
    const directory = directoryOf(cluster.cluster.manifest)
    const to = cluster.cluster.manifest.replicas[0] as { id: number; host: string; port: number }
    let said = ''
    const dialer = dial({
      directory,
      identity: { role: 'replica', name: '2', key: generateKey() },
      to,
      onLink: () => ({ onMessages: () => undefined, onClose: () => undefined }),
      onFailed: (reason, detail) => (said = `${reason}: ${detail}`),
    })
    await until(() => said !== '')
    dialer.close()
    expect(said).toBe('wrong-key: replica 0 refused this replica 2: wrong-key')
    expect((await cluster.report(0)).rejections['wrong-key']).toBeGreaterThan(0)
  })

  it('a replica that was started with a key of its own making', async () => {
    const cluster = await prepare(4)
    await cluster.start(0)
    // Its own copy of the manifest names its own key, so that it starts; the others know better.
    const impostor = generateKey()
    const other = join(cluster.folder, 'other.json')
    const replicas = cluster.cluster.manifest.replicas.map((member) =>
      member.id === 3 ? { ...member, publicKey: impostor.publicKey.hex } : member,
    )
    writeFileSync(other, JSON.stringify({ ...cluster.cluster.manifest, replicas }))
    const keyFile = join(cluster.folder, 'other.key')
    savePrivateKey(keyFile, impostor)
    const replica = spawnReplica(['--cluster', other, '--id', '3', '--key', keyFile, '--data', join(cluster.folder, 'other')])
    cluster.processes[3] = replica
    await until(() => replica.stdout().includes('replica 0 refused this replica 3: wrong-key'))
    await until(async () => ((await cluster.report(0)).rejections['wrong-key'] ?? 0) > 0)
  })

  it('malformed messages, foreign clients, forged requests', async () => {
    const cluster = await prepare(4)
    await cluster.start(0)
    const client = cluster.client('a')
    const request = client.request({ type: 'put', key: 'k', value: 'v' })
    const { manifest, guest } = cluster.cluster
    const dialer = dial({
      directory: directoryOf(manifest),
      identity: { role: 'client', name: 'guest', key: guest },
      to: manifest.replicas[0] as { id: number; host: string; port: number },
      onLink: () => ({ onMessages: () => undefined, onClose: () => undefined }),
    })
    await until(() => dialer.link !== null)
    dialer.link?.send(Buffer.from('garbage'))
    const { encodeMessage } = await import('../../src/pbft/wire/index.ts')
    dialer.link?.send(encodeMessage(request))
    dialer.link?.send(encodeMessage({ ...request, client: 'guest/1' as typeof request.client }))
    dialer.link?.send(
      encodeMessage({ ...request, client: 'guest/1' as typeof request.client, authentication: { kind: 'macs', macs: new Uint8Array(64) } }),
    )
    const control = cluster.control(0)
    await until(() => {
      const counts = control.reports.at(-1)?.rejections ?? {}
      return (
        counts['malformed-message'] === 1 &&
        counts['foreign-client'] === 1 &&
        counts['bad-signature'] === 1 &&
        counts['unsigned-request'] === 1
      )
    })
    dialer.close()
  })

  it('garbage instead of a handshake, web pages, plain HTTP', async () => {
    const cluster = await prepare(1)
    await cluster.start(0)
    const port = cluster.cluster.manifest.replicas[0]?.port
    const socket = new WebSocket(`ws://127.0.0.1:${port}${linkPath}`)
    socket.once('open', () => socket.send('garbage'))
    const page = new WebSocket(`ws://127.0.0.1:${port}${linkPath}`, { origin: 'http://evil.example' })
    page.on('error', () => undefined)
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
    await until(async () => {
      const counts = (await cluster.report(0)).rejections
      return counts.malformed === 1 && counts['not-a-link'] === 2
    })
  })
})
