import Database from 'better-sqlite3'
import { spawn } from 'node:child_process'
import fc from 'fast-check'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/link/keys.ts'
import { asClientId, asClientTimestamp, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { Checkpoint } from '../../src/pbft/protocol/messages.ts'
import type { LogRecord } from '../../src/pbft/protocol/records.ts'
import { decodeBatch, encodeBatch } from '../../src/pbft/wire/index.ts'
import { createMemoryStorage } from '../../src/replica/memory-storage.ts'
import { databaseName, journalName, openSqliteStorage, type SqliteOptions } from '../../src/replica/sqlite-storage.ts'
import { StorageError, type Storage } from '../../src/replica/storage.ts'
import { until } from '../support/until.ts'

let folder = ''
const open: Storage[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-storage-'))
})
afterEach(() => {
  for (const storage of open.splice(0)) storage.close()
  rmSync(folder, { recursive: true })
})

const openStorage = (changes: Partial<SqliteOptions> = {}): Storage => {
  const storage = openSqliteStorage({ folder, clusterId: 'ab'.repeat(16), replica: 1, durability: 'full', ...changes })
  open.push(storage)
  return storage
}
const reopened = (storage: Storage, changes: Partial<SqliteOptions> = {}): Storage => {
  storage.close()
  return openStorage(changes)
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const signature = new Uint8Array(64).fill(3)
const view = asView(0)

const batchOf = (seq: number) =>
  encodeBatch(1_000 + seq, [
    {
      type: 'request',
      client: asClientId('operator/1'),
      timestamp: asClientTimestamp(seq),
      operation: bytes(`operation ${seq}`),
      readOnly: false,
      replier: null,
      authentication: { kind: 'signature', signature },
    },
  ])
const prePrepared = (seq: number): LogRecord => {
  const batch = batchOf(seq)
  return { kind: 'pre-prepared', view, seq: asSeqNo(seq), digest: sha256(batch.bytes), batch, signature }
}
const prepared = (seq: number): LogRecord => ({ kind: 'prepared', view, seq: asSeqNo(seq), digest: sha256(batchOf(seq).bytes) })
const executed = (seq: number): LogRecord => {
  const batch = batchOf(seq)
  return { kind: 'executed', view, seq: asSeqNo(seq), digest: sha256(batch.bytes), batch, results: [bytes(`result ${seq}`)] }
}
const digestAt = (seq: number) => sha256(bytes(`state ${seq}`))
const checkpointMessage = (seq: number): Checkpoint => ({
  type: 'checkpoint',
  seq: asSeqNo(seq),
  digest: digestAt(seq),
  replica: asReplicaId(1),
  signature,
})
const checkpoint = (seq: number, partitions: readonly (readonly [number, string])[], transferred = false): LogRecord => ({
  kind: 'checkpoint',
  message: checkpointMessage(seq),
  timeMs: 1_000 + seq,
  partitions: partitions.map(([index, text]) => ({ index, bytes: bytes(text) })),
  transferred,
})
const stable = (seq: number): LogRecord => ({
  kind: 'stable',
  stable: { seq: asSeqNo(seq), digest: digestAt(seq), proof: [checkpointMessage(seq)] },
})
const slot = (seq: number): LogRecord[] => [prePrepared(seq), prepared(seq), executed(seq)]
const shape = (records: readonly LogRecord[]): string[] =>
  records.map((record) => {
    if (record.kind === 'checkpoint') return `checkpoint ${record.message.seq}`
    if (record.kind === 'stable') return `stable ${record.stable.seq}`
    return 'seq' in record ? `${record.kind} ${record.seq}` : record.kind
  })

describe('what was committed', () => {
  it('comes back in order and whole after a restart', () => {
    const storage = openStorage()
    expect(storage.load()).toEqual({ partitions: [], records: [] })
    const records = [
      ...slot(1),
      prePrepared(2),
      checkpoint(1, [
        [3, 'three'],
        [0, 'zero'],
      ]),
    ]
    storage.commit(records)
    storage.commit([prepared(2)])
    const loaded = reopened(storage).load()
    expect(loaded.records).toEqual([...records.map((r) => (r.kind === 'checkpoint' ? { ...r, partitions: [] } : r)), prepared(2)])
    expect(loaded.partitions).toEqual([
      { index: 0, bytes: bytes('zero') },
      { index: 3, bytes: bytes('three') },
    ])
  })

  it('keeps the last bytes of each partition', () => {
    const storage = openStorage()
    storage.commit([
      checkpoint(1, [
        [0, 'a'],
        [1, 'b'],
      ]),
    ])
    storage.commit([checkpoint(2, [[1, 'c']])])
    const second = reopened(storage)
    expect(second.load().partitions.map((p) => Buffer.from(p.bytes).toString())).toEqual(['a', 'c'])
    // A transfer brings what differed; the rest was right already.
    second.commit([checkpoint(9, [[0, 'd']], true)])
    expect(
      reopened(second)
        .load()
        .partitions.map((p) => Buffer.from(p.bytes).toString()),
    ).toEqual(['d', 'c'])
  })

  it('loses only what a stable checkpoint made superfluous', () => {
    const storage = openStorage()
    storage.commit([...slot(1), ...slot(2), checkpoint(2, []), ...slot(3), prePrepared(4), stable(2)])
    expect(shape(storage.load().records)).toEqual([
      'checkpoint 2',
      'pre-prepared 3',
      'prepared 3',
      'executed 3',
      'pre-prepared 4',
      'stable 2',
    ])
    // A checkpoint that is stable elsewhere, above the state on this disk, lets nothing go that leads there.
    storage.commit([executed(3), stable(4)])
    expect(shape(storage.load().records)).toContain('executed 3')
    storage.commit([checkpoint(4, []), stable(4)])
    expect(shape(storage.load().records)).toEqual(['checkpoint 4', 'stable 4'])
    // For the panel all four stay.
    expect(storage.history(0, 10, 1_000_000).map((entry) => entry.seq)).toEqual([1, 2, 3])
  })

  it('survives kill -9 in both durabilities', async () => {
    for (const durability of ['full', 'process'] as const) {
      const child = spawn(process.execPath, [
        join(import.meta.dirname, '../support/storage-child.ts'),
        join(folder, durability),
        durability,
      ])
      let said = ''
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
      await until(() => said.includes('\n'))
      child.kill('SIGKILL')
      await new Promise((resolve) => child.once('exit', resolve))
      const acknowledged = Number(said.trim().split('\n').at(-1))
      const storage = openStorage({ folder: join(folder, durability), durability })
      const records = storage.load().records
      expect(records.length).toBeGreaterThanOrEqual(acknowledged)
      expect(acknowledged).toBeGreaterThan(0)
    }
  })
})

describe('what is only in the journal', () => {
  /** As a process that is killed now would leave it. */
  const crashed = (name: string): string => {
    const copy = join(folder, name)
    for (const file of [databaseName, `${databaseName}-wal`, journalName]) cpSync(join(folder, file), join(copy, file))
    return copy
  }

  it('is there after a crash at any place, as if every commit had gone to the database', () => {
    const script = fc.array(fc.constantFrom('slot', 'slot', 'slot', 'early', 'checkpoint', 'stable', 'started'), { maxLength: 14 })
    let run = 0
    fc.assert(
      fc.property(script, (steps) => {
        run += 1
        const ours = openStorage({ folder: join(folder, `ours-${run}`) })
        let seq = 0
        let taken = 0
        const commits = steps.map((step): LogRecord[] => {
          if (step === 'slot') return slot(++seq)
          if (step === 'early') return [prePrepared(seq + 1), prepared(seq + 1)]
          if (step === 'started') return [{ kind: 'started' }, { kind: 'stopped' }]
          if (step === 'stable') return [stable(taken + (seq % 2))]
          taken = seq
          return [checkpoint(seq, [[seq % 3, `state ${seq}`]])]
        })
        const folded = { storage: openStorage({ folder: join(folder, `theirs-${run}`) }) }
        for (const commit of commits) {
          ours.commit(commit)
          folded.storage.commit(commit)
          folded.storage = reopened(folded.storage, { folder: join(folder, `theirs-${run}`) })
        }
        const expected = folded.storage
        expect(ours.history(0, 100, 1e9)).toEqual(expected.history(0, 100, 1e9))
        expect(ours.history(2, 3, 1e9)).toEqual(expected.history(2, 3, 1e9))
        expect(ours.historyRange()).toEqual(expected.historyRange())
        const copy = join(folder, `copy-${run}`)
        cpSync(join(folder, `ours-${run}`), copy, { recursive: true })
        const after = openStorage({ folder: copy })
        expect(after.load()).toEqual(expected.load())
        expect(after.history(0, 100, 1e9)).toEqual(expected.history(0, 100, 1e9))
        expect(after.historyRange()).toEqual(expected.historyRange())
        for (const storage of [ours, expected, after]) storage.close()
      }),
      { numRuns: 25 },
    )
  }, 120_000)

  it('is missed when the journal is gone, and not needed after an orderly end', () => {
    const storage = openStorage()
    storage.commit(slot(1))
    expect(openStorage({ folder: crashed('whole') }).load().records).toHaveLength(3)
    const copy = crashed('without')
    rmSync(join(copy, journalName))
    expect(problemOf(() => openStorage({ folder: copy }))).toBe('corrupted')
    storage.close()
    rmSync(join(folder, journalName))
    expect(shape(openStorage().load().records)).toEqual(['pre-prepared 1', 'prepared 1', 'executed 1'])
  })

  it('is refused when a block before the last has rotted', () => {
    const storage = openStorage()
    for (let seq = 1; seq <= 3; seq += 1) storage.commit(slot(seq))
    const copy = crashed('rotten')
    const journal = readFileSync(join(copy, journalName))
    const at = journal.indexOf('operation 2')
    expect(at).toBeGreaterThan(0)
    journal[at]! ^= 1
    writeFileSync(join(copy, journalName), journal)
    expect(problemOf(() => openStorage({ folder: copy }))).toBe('corrupted')
  })
})

describe('history', () => {
  it('comes in pages bounded by count and bytes', () => {
    const storage = openStorage()
    for (let seq = 1; seq <= 20; seq += 1) storage.commit([executed(seq)])
    expect(storage.historyRange()).toEqual({ first: 1, last: 20 })
    const page = storage.history(5, 3, 1_000_000)
    expect(page.map((entry) => entry.seq)).toEqual([6, 7, 8])
    const batch = decodeBatch(Buffer.from(page[0]?.batch ?? '', 'base64'))
    expect(batch.ok && Buffer.from(batch.value.requests[0]?.operation ?? []).toString()).toBe('operation 6')
    expect(page[0]?.results).toEqual([Buffer.from('result 6').toString('base64')])
    expect(storage.history(0, 100, 1)).toHaveLength(1)
    expect(storage.history(20, 100, 1_000_000)).toEqual([])
  })

  it('is bounded, but never above the stable checkpoint', () => {
    const storage = openStorage({ history: { batchesMax: 5, bytesMax: 1_000_000 } })
    for (let seq = 1; seq <= 20; seq += 1) storage.commit([executed(seq)])
    expect(storage.historyRange()).toEqual({ first: 1, last: 20 })
    storage.commit([checkpoint(10, []), stable(10)])
    expect(storage.historyRange()).toEqual({ first: 11, last: 20 })
    storage.commit([checkpoint(20, []), stable(20)])
    expect(storage.historyRange()).toEqual({ first: 16, last: 20 })
    expect(reopened(storage).historyRange()).toEqual({ first: 16, last: 20 })
  })

  it('in memory it is bounded by count and bytes', () => {
    const storage = createMemoryStorage({ batchesMax: 3, bytesMax: 1_000_000 })
    for (let seq = 1; seq <= 10; seq += 1) storage.commit(slot(seq))
    expect(storage.historyRange()).toEqual({ first: 8, last: 10 })
    expect(storage.history(8, 10, 1_000_000).map((entry) => entry.seq)).toEqual([9, 10])
    const tiny = createMemoryStorage({ batchesMax: 3, bytesMax: 1 })
    tiny.commit(slot(1))
    tiny.commit(slot(2))
    expect(tiny.historyRange()).toEqual({ first: 2, last: 2 })
    expect(storage.load()).toEqual({ partitions: [], records: [] })
  })
})

const problemOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    if (error instanceof StorageError) {
      expect(error.message).toContain(folder)
      return error.problem
    }
    throw error
  }
  return 'none'
}

describe('refuses', () => {
  const file = (): string => join(folder, databaseName)

  it('a folder that another process uses', () => {
    const storage = openStorage()
    expect(problemOf(() => openStorage())).toBe('in-use')
    storage.close()
    expect(problemOf(() => openStorage())).toBe('none')
  })

  it('a folder of another replica or cluster', () => {
    openStorage().close()
    expect(problemOf(() => openStorage({ replica: 2 }))).toBe('foreign')
    expect(problemOf(() => openStorage({ clusterId: 'cd'.repeat(16) }))).toBe('foreign')
    expect(problemOf(() => openStorage())).toBe('none')
  })

  it('what is no database', () => {
    writeFileSync(file(), 'no database at all, but long enough to be looked at'.repeat(100))
    expect(problemOf(() => openStorage())).toBe('corrupted')
  })

  it('a truncated database', () => {
    const storage = openStorage()
    for (let seq = 1; seq <= 200; seq += 1) storage.commit(slot(seq))
    storage.close()
    truncateSync(file(), Math.floor(statSync(file()).size / 2 / 4_096) * 4_096)
    expect(problemOf(() => openStorage().load())).toBe('corrupted')
  })

  it('a flipped bit in any record', () => {
    for (const [table, what] of [
      ['records', 'pre-prepared'],
      ['history', 'executed'],
    ] as const) {
      const place = join(folder, table)
      const storage = openStorage({ folder: place })
      storage.commit([...slot(1), checkpoint(1, [[0, 'some state']])])
      storage.close()
      const database = new Database(join(place, databaseName))
      const row = database
        .prepare<[], { bytes: Buffer; id: number }>(`SELECT rowid AS id, bytes FROM ${table} WHERE bytes IS NOT NULL LIMIT 1`)
        .get()
      if (row === undefined) throw new Error('no row')
      row.bytes[row.bytes.length - 1] = (row.bytes[row.bytes.length - 1] as number) ^ 1
      database.prepare(`UPDATE ${table} SET bytes = ? WHERE rowid = ?`).run(row.bytes, row.id)
      database.close()
      const damaged = openStorage({ folder: place })
      expect(problemOf(() => damaged.load())).toBe('corrupted')
      expect(() => damaged.load()).toThrow(what)
      damaged.close()
    }
  })

  it('a page that rotted on the disk', () => {
    const storage = openStorage()
    for (let seq = 1; seq <= 200; seq += 1) storage.commit(slot(seq))
    storage.close()
    const content = readFileSync(file())
    const at = content.indexOf('operation 150')
    expect(at).toBeGreaterThan(0)
    content[at] = (content[at] as number) ^ 0x40
    writeFileSync(file(), content)
    expect(problemOf(() => openStorage().load())).toBe('corrupted')
  })
})

it('notices that its file was deleted or replaced', () => {
  const storage = openStorage()
  expect(() => storage.check()).not.toThrow()
  const file = join(folder, databaseName)
  rmSync(file)
  expect(() => storage.check()).toThrow(StorageError)
  // Linux may give a new file the number of one that nobody has open, but this one is open.
  writeFileSync(file, '')
  expect(() => storage.check()).toThrow(/deleted or replaced/)
  const other = openStorage({ folder: join(folder, 'other') })
  rmSync(join(folder, 'other', journalName))
  expect(() => other.check()).toThrow(/deleted or replaced/)
})
