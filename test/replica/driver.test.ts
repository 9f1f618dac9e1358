/** The driver with the real core and the real database: what leaves when. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { generateKey, sha256, sign } from '../../src/link/keys.ts'
import { defaultProtocolConfig } from '../../src/pbft/protocol/config.ts'
import { asClientId, asClientTimestamp, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { PrePrepare, Request } from '../../src/pbft/protocol/messages.ts'
import { createReplica } from '../../src/pbft/protocol/replica.ts'
import { createService, encodeOperation } from '../../src/pbft/service/index.ts'
import { encodeBatch, signedBytes } from '../../src/pbft/wire/index.ts'
import { noRecording } from '../../src/replica/recording.ts'
import { createDriver, type Driver } from '../../src/replica/driver.ts'
import { openSqliteStorage } from '../../src/replica/sqlite-storage.ts'
import { StorageError, type Storage } from '../../src/replica/storage.ts'
import { until } from '../support/until.ts'

let folder = ''
const drivers: Driver[] = []
const storages: Storage[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-driver-'))
})
afterEach(() => {
  for (const driver of drivers.splice(0)) driver.stop()
  for (const storage of storages.splice(0)) storage.close()
  rmSync(folder, { recursive: true })
})

/** A replica whose every act is noted in order. */
const makeReplica = (n: number, id: number) => {
  const acts: string[] = []
  const fatal: unknown[] = []
  const disk = openSqliteStorage({ folder, clusterId: 'ab'.repeat(16), replica: id, durability: 'full' })
  storages.push(disk)
  const storage: Storage = {
    instant: false,
    load: () => disk.load(),
    history: (after, limit, bytesMax) => disk.history(after, limit, bytesMax),
    historyRange: () => disk.historyRange(),
    diskBytes: () => disk.diskBytes(),
    check: () => disk.check(),
    close: () => disk.close(),
    commit(records) {
      disk.commit(records)
      acts.push(`durable ${records.map((record) => record.kind).join(' ')}`)
    },
  }
  const key = generateKey()
  const capabilities = {
    digest: sha256,
    encodeBatch,
    sign: (message: Parameters<typeof signedBytes>[0]) => sign(key, signedBytes(message, 'ab'.repeat(16))),
  }
  const persisted = disk.load()
  const core = createReplica({ ...defaultProtocolConfig, n, id: asReplicaId(id) }, capabilities, createService(), persisted)
  const driver = createDriver({
    core,
    storage,
    recording: noRecording,
    send: (_to, message) => acts.push(`send ${message.type}`),
    reply: (reply) => acts.push(`reply ${reply.timestamp}`),
    wantSignature: (message) => acts.push(`wants ${message.timestamp} signed`),
    onDurable: () => undefined,
    checkSignatures: (message) => acts.push(`check ${message.seq}`),
    flush: () => undefined,
    onEvent: () => undefined,
    onFatal: (error) => fatal.push(error),
  })
  drivers.push(driver)
  driver.post({ type: 'start', disk: persisted.records.length === 0 ? 'genesis' : 'kept' })
  return { acts, fatal, driver, core, disk }
}

const requestAt = (timestamp: number): Request => ({
  type: 'request',
  client: asClientId(`operator/${timestamp}`),
  timestamp: asClientTimestamp(timestamp),
  operation: encodeOperation({ type: 'put', key: 'k', value: String(timestamp) }),
  readOnly: false,
  replier: null,
  authentication: { kind: 'signature', signature: new Uint8Array(64) },
})

it('a burst of requests is one transaction or few, and no reply leaves before it', async () => {
  const { acts, driver } = makeReplica(1, 0)
  for (let i = 1; i <= 50; i += 1) driver.post({ type: 'request', request: requestAt(i) })
  await until(() => acts.filter((act) => act.startsWith('reply')).length === 50)
  const commits = acts.filter((act) => act.startsWith('durable'))
  expect(commits.length).toBeLessThanOrEqual(5)
  expect(acts.findIndex((act) => act.includes('executed'))).toBeLessThan(acts.findIndex((act) => act.startsWith('reply')))
})

it('a backup promises only what is durable', async () => {
  const { acts, driver } = makeReplica(4, 1)
  const batch = encodeBatch(Date.now(), [requestAt(1)])
  const at = { view: asView(0), seq: asSeqNo(1), digest: sha256(batch.bytes) }
  const prePrepare: PrePrepare = { type: 'pre-prepare', ...at, batch, signature: new Uint8Array(64) }
  driver.post({ type: 'message', from: asReplicaId(0), message: prePrepare })
  await until(() => acts.includes('send prepare'))
  const durable = acts.findIndex((act) => act.startsWith('durable') && act.endsWith('pre-prepared'))
  expect(durable).toBeGreaterThanOrEqual(0)
  expect(durable).toBeLessThan(acts.indexOf('send prepare'))
  for (const from of [2, 3]) {
    driver.post({ type: 'message', from: asReplicaId(from), message: { type: 'prepare', ...at, replica: asReplicaId(from) } })
  }
  await until(() => acts.includes('send commit'))
  expect(acts.indexOf('durable prepared')).toBeGreaterThanOrEqual(0)
  expect(acts.indexOf('durable prepared')).toBeLessThan(acts.indexOf('send commit'))
})

it('nothing leaves any more when the disk fails', async () => {
  const { acts, fatal, driver, disk } = makeReplica(1, 0)
  driver.post({ type: 'request', request: requestAt(1) })
  await until(() => acts.includes('reply 1'))
  disk.close()
  driver.post({ type: 'request', request: requestAt(2) })
  await until(() => fatal.length > 0)
  driver.post({ type: 'request', request: requestAt(3) })
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
  expect(fatal).toHaveLength(1)
  expect(fatal[0]).toBeInstanceOf(StorageError)
  expect(acts.filter((act) => act.startsWith('reply'))).toEqual(['reply 1'])
})

it('goes on from its disk', async () => {
  const first = makeReplica(1, 0)
  first.driver.post({ type: 'request', request: requestAt(1) })
  await until(() => first.acts.includes('reply 1'))
  const digest = first.core.stateDigest()
  first.driver.stop()
  first.disk.close()
  const second = makeReplica(1, 0)
  expect(second.core.stateDigest()).toBe(digest)
  expect(second.core.snapshot().lastExecuted).toBe(1)
  second.driver.post({ type: 'request', request: requestAt(1) })
  await until(() => second.acts.includes('reply 1'))
  expect(second.core.snapshot().lastExecuted).toBe(1)
})

it('what nothing waits for has no transaction of its own, and is written when it stops', async () => {
  const { acts, driver, disk } = makeReplica(4, 1)
  const batch = encodeBatch(Date.now(), [requestAt(1)])
  const at = { view: asView(0), seq: asSeqNo(1), digest: sha256(batch.bytes) }
  const hear = (from: number, type: 'prepare' | 'commit'): void =>
    driver.post({ type: 'message', from: asReplicaId(from), message: { type, ...at, replica: asReplicaId(from) } })
  driver.post({
    type: 'message',
    from: asReplicaId(0),
    message: { type: 'pre-prepare', ...at, batch, signature: new Uint8Array(64) },
  })
  for (const from of [0, 2]) hear(from, 'prepare')
  await until(() => acts.includes('send commit'))
  for (const from of [0, 2]) hear(from, 'commit')
  await until(() => acts.includes('reply 1'))
  driver.stop()
  const written = acts.filter((act) => act.startsWith('durable'))
  expect(written.at(-1)).toBe('durable executed')
  expect(acts.indexOf('durable executed')).toBeGreaterThan(acts.indexOf('reply 1'))
  expect(disk.historyRange()).toEqual({ first: 1, last: 1 })
})
