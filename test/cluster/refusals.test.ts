import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manifestSchema, type Manifest } from '../../src/contract/manifest.ts'
import { methods } from '../../src/contract/api.ts'
import * as v from 'valibot'
import type { Child } from '../../src/cluster/launch.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import { saveManifest } from '../../src/cluster/folder.ts'
import { dial, directoryOf, generateKey, loadPrivateKey, publicKeyOf, savePrivateKey, type DialerIdentity } from '../../src/link/index.ts'
import { entries, eventually, openTestHost, type TestHost } from './support/host.ts'

const readManifest = (file: string): Manifest => v.parse(manifestSchema, JSON.parse(readFileSync(file, 'utf8')))

describe('a broken manifest', () => {
  let test: TestHost
  let good: Manifest
  const file = (): string => join(test.folder, 'broken.json')
  beforeAll(async () => {
    test = openTestHost()
    const { folder } = await test.call('createCluster', { name: 'good', replicas: 4 })
    good = readManifest(join(folder, 'cluster.json'))
  })
  afterAll(() => test.dispose())

  it.each([
    ['no JSON', () => '{"format": 1,', /is no JSON/],
    ['a missing field', () => ({ ...good, clusterId: undefined }), /clusterId/],
    ['an unknown field', () => ({ ...good, extra: 1 }), /extra/],
    [
      'two replicas of one address',
      () => ({ ...good, replicas: good.replicas.map((member) => ({ ...member, port: 7_000 })) }),
      /same address/,
    ],
    ['three replicas', () => ({ ...good, replicas: good.replicas.slice(0, 3) }), /at least 4/],
    [
      'a key that is none',
      () => ({ ...good, principals: [{ name: 'operator', operator: true, publicKey: '00'.repeat(32) }] }),
      /public key/,
    ],
  ])('is refused with what is wrong: %s', async (_, content, problem) => {
    const made = content()
    writeFileSync(file(), typeof made === 'string' ? made : JSON.stringify(made))
    const opened = await test.host.call('openCluster', { file: file() })
    expect(opened).toMatchObject({ ok: false, error: { code: 'bad-manifest' } })
    expect(opened.ok ? '' : opened.error.message).toMatch(problem)
    expect(await test.call('host', {})).toMatchObject({ phase: 'closed', error: { code: 'bad-manifest' } })
  })

  it('or does not exist, or has no operator key beside it', async () => {
    expect(await test.host.call('openCluster', { file: join(test.folder, 'none.json') })).toMatchObject({
      ok: false,
      error: { code: 'bad-manifest' },
    })
    expect(await test.host.call('openCluster', { name: 'nobody' })).toMatchObject({ ok: false, error: { code: 'not-found' } })
    writeFileSync(file(), JSON.stringify(good))
    expect(await test.host.call('openCluster', { file: file() })).toMatchObject({ ok: false, error: { code: 'unauthorized' } })
  })
})

describe('calls that do not fit the contract', () => {
  let test: TestHost
  beforeAll(() => {
    test = openTestHost()
  })
  afterAll(() => test.dispose())

  it.each([
    ['submit', { operation: { type: 'put', key: 'k' } }, 'operation.value'],
    ['submit', { operation: { type: 'get', key: 'k' }, extra: 1 }, 'extra'],
    ['openCluster', { name: '../etc' }, 'name'],
    ['openCluster', {}, 'name'],
    ['createCluster', { name: 'x', replicas: 3 }, 'replicas'],
    ['injectFault', { fault: { type: 'explode' } }, 'fault.type'],
    ['log', { limit: 0 }, 'limit'],
    ['about', null, ''],
  ] as const)('%s %j', async (method, params, path) => {
    const result = await test.host.call(method, params)
    if (params === null) expect(result.ok).toBe(true)
    else expect(result).toMatchObject({ ok: false, error: { code: 'bad-request', details: [{ path }] } })
  })

  it('answers every method without a cluster, and knows no others', async () => {
    for (const method of methods) {
      const result = await test.host.call(method, {})
      if (!result.ok) expect(['no-cluster', 'bad-request'], method).toContain(result.error.code)
    }
    expect(await test.host.call('shutdown' as 'about', {})).toMatchObject({ ok: false, error: { code: 'bad-request' } })
  })
})

describe('strangers', () => {
  let test: TestHost
  let folder = ''
  let manifest: Manifest
  const children: Child[] = []

  beforeAll(async () => {
    test = openTestHost()
    folder = (await test.call('createCluster', { name: 'closed', replicas: 4, durability: 'process' })).folder
    const file = join(folder, 'cluster.json')
    const guest = generateKey()
    savePrivateKey(join(folder, 'keys/guest.key'), guest)
    const made = readManifest(file)
    saveManifest(file, { ...made, principals: [...made.principals, { name: 'guest', publicKey: publicKeyOf(guest), operator: false }] })
    await test.call('openCluster', { name: 'closed' })
    manifest = readManifest(file)
  })
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL')
    await test.dispose()
  })

  const rejectionsOf = async (id: number): Promise<Readonly<Record<string, number>>> => (await test.call('replica', { id })).rejections

  /** Dials replica 0 and returns why it did not let us in. */
  const tryDial = (identity: DialerIdentity): Promise<{ reason: string | null; detail: string }> =>
    new Promise((resolve, reject) => {
      const dialer = dial({
        directory: directoryOf(manifest),
        identity,
        to: manifest.replicas[0] as Manifest['replicas'][number],
        onLink: () => {
          dialer.close()
          reject(new Error('the link was accepted'))
          return { onMessages: () => undefined, onClose: () => undefined }
        },
        onFailed: (reason, detail) => {
          dialer.close()
          resolve({ reason, detail })
        },
      })
    })

  it('with a key that is not the operator get no control link, and are counted', async () => {
    const refused = await tryDial({ role: 'control', name: 'operator', key: generateKey() })
    expect(refused.reason).toMatch(/wrong-key|bad-signature/)
    await eventually('it is counted', async () =>
      Object.keys(await rejectionsOf(0)).some((reason) => /wrong-key|bad-signature/.test(reason)),
    )
  })

  it('who may only submit get no control link, and are counted', async () => {
    const key = loadPrivateKey(join(folder, 'keys/guest.key'))
    if (!key.ok) throw new Error(key.error.message)
    const refused = await tryDial({ role: 'control', name: 'guest', key: key.value })
    expect(refused).toMatchObject({ reason: 'not-operator' })
    await eventually('it is counted', async () => (await rejectionsOf(0))['not-operator'] === 1)
    expect((await test.call('alarms', {})).map(({ sentence }) => sentence)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^r0 refused 1 of what it was sent: not-operator/)]),
    )
  })

  it('in a replica’s place with another key: not started from here, refused by its peers and by the panel', async () => {
    await test.call('controlReplica', { id: 1, action: 'stop' })
    const stranger = mkdtempSync(join(tmpdir(), 'pbft-panel-stranger-'))
    mkdirSync(join(stranger, 'keys'))
    const key = generateKey()
    savePrivateKey(join(stranger, 'keys/replica-1.key'), key)
    cpSync(join(folder, 'cluster.json'), join(stranger, 'cluster.json'))
    const launch = (): Promise<Child> =>
      launchByNode(entries.replica, { args: ['--cluster', join(stranger, 'cluster.json'), '--id', '1'], logFile: join(stranger, 'log') })
    // With the true manifest it does not even start.
    const honest = await launch()
    const exit = await new Promise<{ code: number | null }>((resolve) => honest.onExit(resolve))
    expect(exit.code).toBe(2)
    expect(readFileSync(join(stranger, 'log'), 'utf8')).toMatch(/is not the key of replica 1/)
    // With a manifest of its own it runs, and nobody talks to it.
    const replicas = manifest.replicas.map((member) => (member.id === 1 ? { ...member, publicKey: publicKeyOf(key) } : member))
    saveManifest(join(stranger, 'cluster.json'), { ...manifest, replicas })
    const impostor = await launch()
    children.push(impostor)
    await eventually('its peers count what it tried', async () => {
      const counted = await Promise.all([0, 2, 3].map(rejectionsOf))
      return counted.some((rejections) => Object.keys(rejections).some((reason) => reason === 'wrong-key'))
    })
    await eventually('the panel says that it is not r1', async () =>
      (await test.call('alarms', {})).some((alarm) => alarm.key === 'alarm.replica.refused' && alarm.parameters['replica'] === 1),
    )
    impostor.kill('SIGKILL')
    rmSync(stranger, { recursive: true, force: true })
    const started = await test.call('controlReplica', { id: 1, action: 'start' })
    expect(started.local).toBe(true)
  })

  it('a local replica whose key was exchanged does not start, and the error says why', async () => {
    await test.call('controlReplica', { id: 2, action: 'stop' })
    const file = join(folder, 'keys/replica-2.key')
    const own = readFileSync(file, 'utf8')
    writeFileSync(file, `${Buffer.from(generateKey().seed).toString('hex')}\n`)
    const refused = await test.host.call('controlReplica', { id: 2, action: 'start' })
    expect(refused).toMatchObject({ ok: false, error: { code: 'start-failed' } })
    expect(refused.ok ? '' : refused.error.message).toMatch(/is not the key of replica 2/)
    writeFileSync(file, own)
    expect(await test.call('controlReplica', { id: 2, action: 'start' })).toMatchObject({ id: 2 })
  })

  it('did no harm: requests are answered by all', async () => {
    await test.call('submit', { operation: { type: 'put', key: 'k', value: 'v' }, timeoutMs: 10_000 })
    await test.until('all agree', (now) => now.replicas.every((r) => r.state === 'live' && r.lastExecuted === now.lastExecuted))
  })
})
