/** Disks that are full, rotten or half-written, a port that is taken: one replica ends with a clear line or recovers, the others go on. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import { readJournal } from '../../src/replica/journal.ts'
import { databaseName, journalName } from '../../src/replica/sqlite-storage.ts'
import { entries, eventually, openTestHost, type TestHost } from './support/host.ts'

const victim = 2

let test: TestHost
let folder = ''
let count = 0
/** Replicas that start now may write no file larger than this, KiB. */
let limitKb: number | null = null

/** Starts under `ulimit -f` while there is a limit. */
const launch: typeof launchByNode = async (entry, options) => {
  if (limitKb === null || entry !== entries.replica) return launchByNode(entry, options)
  const script = join(test.folder, 'limited.sh')
  // Of the shell's blocks, which are 512 bytes.
  writeFileSync(script, `#!/bin/sh\nulimit -f ${limitKb * 2}\nexec '${process.execPath}' "$@"\n`)
  chmodSync(script, 0o755)
  process.env['PBFT_PANEL_NODE'] = script
  try {
    return await launchByNode(entry, options)
  } finally {
    delete process.env['PBFT_PANEL_NODE']
  }
}

const dataFolder = (): string => join(folder, 'data', `replica-${victim}`)
const database = (): string => join(dataFolder(), databaseName)
const control = (action: 'start' | 'stop' | 'kill' | 'wipe') => test.call('controlReplica', { id: victim, action })
const start = () => test.host.call('controlReplica', { id: victim, action: 'start' })

const increment = async (times: number): Promise<void> => {
  for (let i = 0; i < times; i += 1) {
    count += 1
    const { result } = await test.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 30_000 })
    expect(result).toEqual({ ok: true, value: count })
  }
}
const fill = (index: number) =>
  test.call('submit', { operation: { type: 'put', key: `k${index}`, value: 'x'.repeat(100_000) }, timeoutMs: 30_000 })
const alarmed = (key: string) =>
  eventually(key, async () => (await test.call('alarms', {})).find((alarm) => alarm.key === key && alarm.parameters['replica'] === victim))

/** All four in one place, and nothing that was acknowledged is lost: the counter goes on from where clients saw it. */
const whole = async (): Promise<void> => {
  // Past two checkpoints: one that lost what it had voted may keep quiet until then.
  await increment(20)
  const status = await test.until(
    'all are in step',
    ({ replicas, lastExecuted }) =>
      replicas.every((r) => r.state === 'live' && r.lastExecuted === lastExecuted && r.stateDigest === replicas[0]?.stateDigest),
    40_000,
  )
  expect(status.monitors.filter(({ state }) => state === 'violated')).toEqual([])
}

beforeEach(async () => {
  count = 0
  limitKb = null
  test = openTestHost(undefined, launch)
  await test.call('createCluster', {
    name: 'disk',
    replicas: 4,
    durability: 'process',
    parameters: { checkpointInterval: 8, logWindow: 16 },
  })
  folder = (await test.call('openCluster', { name: 'disk' })).folder
  await increment(3)
})
afterEach(() => test.dispose())

/** Fills it up until the victim ends; the others answer all the time. */
const untilFull = async (): Promise<void> => {
  for (let i = 0; ; i += 1) {
    await fill(i)
    const { state, exit } = await test.call('replica', { id: victim })
    if (state !== 'stopped') {
      expect(i).toBeLessThan(300)
      continue
    }
    expect(exit).toMatchObject({
      code: 3,
      message: expect.stringMatching(/replica\.db: the disk does not take or give what it should/) as unknown,
    })
    break
  }
  await alarmed('alarm.replica.exited')
  await increment(3)
}

describe('a full disk', () => {
  it('as a limit on the size of files: the replica ends and says why, and comes back when there is room', async () => {
    await control('stop')
    limitKb = 2_048
    await control('start')
    await untilFull()
    limitKb = null
    await control('start')
    await whole()
  })

  const canMount = ((): boolean => {
    const place = join('/tmp', `pbft-mount-${process.pid}`)
    mkdirSync(place)
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', place]).status === 0
    if (mounted) spawnSync('umount', [place])
    rmSync(place, { recursive: true, force: true })
    return mounted
  })()

  it.skipIf(!canMount)('as a file system without room: the same', async () => {
    await control('stop')
    rmSync(dataFolder(), { recursive: true })
    mkdirSync(dataFolder())
    expect(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', dataFolder()]).status).toBe(0)
    try {
      await control('start')
      await untilFull()
      expect(spawnSync('mount', ['-o', 'remount,size=300m', dataFolder()]).status).toBe(0)
      await control('start')
      await whole()
      await control('stop')
    } finally {
      await control('kill')
      spawnSync('umount', [dataFolder()])
    }
  })
})

describe('a database that is not what was written', () => {
  it('a rotten page: it does not start and says why; wiped, it fetches the state', async () => {
    await increment(20)
    await control('stop')
    const content = readFileSync(database())
    content.fill(0x5a, Math.floor(content.length / 2), Math.floor(content.length / 2) + 8_192)
    writeFileSync(database(), content)
    const refused = await start()
    expect(refused).toMatchObject({ ok: false, error: { code: 'start-failed', details: { code: 3 } } })
    expect(refused.ok ? '' : refused.error.message).toMatch(/replica\.db.*damaged/)
    await alarmed('alarm.replica.startFailed')
    await increment(3)
    await control('wipe')
    await whole()
  })

  it('a damaged partition: it starts, says so and repairs its state from the others', async () => {
    await increment(20)
    await control('stop')
    const rotten = new Database(database())
    const changed = rotten.prepare("UPDATE partitions SET bytes = x'5a5a5a' WHERE length(bytes) > 0").run().changes
    rotten.close()
    expect(changed).toBeGreaterThan(0)
    await increment(1)
    expect((await control('start')).state).not.toBe('stopped')
    await alarmed('alarm.disk.damaged')
    await alarmed('alarm.disk.repaired')
    await whole()
    expect((await test.call('replica', { id: victim })).rejections).toMatchObject({ 'damaged-state': 1 })
  })

  /** The journal of the victim, which was killed, up to the end of its commits, and where the last one begins. */
  const journalOf = (): { readonly file: string; readonly content: Buffer; readonly last: number } => {
    const reader = new Database(database())
    const nonce = reader.prepare<[], { value: string }>("SELECT value FROM meta WHERE name = 'journal'").get()?.value ?? ''
    reader.close()
    const file = join(dataFolder(), journalName)
    const all = readFileSync(file)
    const content = all.subarray(0, readJournal(all, Buffer.from(nonce, 'hex'))?.end)
    expect(content.length).toBeGreaterThan(0)
    return { file, content, last: content.lastIndexOf(Buffer.from(nonce, 'hex')) - 12 }
  }

  it('a commit half-written at the end of the journal: it starts with all that was whole', async () => {
    await increment(20)
    const before = (await test.call('replica', { id: victim })).lastExecuted ?? 0
    await control('kill')
    const { file, content, last } = journalOf()
    // The last block once more, but only its first half.
    writeFileSync(file, Buffer.concat([content, content.subarray(last, (last + content.length) / 2)]))
    expect((await control('start')).lastExecuted).toBeGreaterThanOrEqual(before)
    await whole()
  })

  it('the end of the journal lost: it goes on from an older state, and nothing that was answered is lost', async () => {
    await increment(20)
    await control('kill')
    const { file, content } = journalOf()
    writeFileSync(file, content.subarray(0, content.length / 2))
    await control('start')
    await whole()
  })
})

it('a port that somebody else took meanwhile: it does not start and says why, and does when it is free', async () => {
  const { port } = await test.call('replica', { id: victim })
  await control('kill')
  // It hangs up on whoever looks for the replica there.
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const refused = await start()
  expect(refused).toMatchObject({ ok: false, error: { code: 'start-failed' } })
  expect(refused.ok ? '' : refused.error.message).toMatch(/the port is taken/)
  await alarmed('alarm.replica.startFailed')
  await increment(3)
  await new Promise((resolve) => server.close(resolve))
  await control('start')
  await whole()
})
