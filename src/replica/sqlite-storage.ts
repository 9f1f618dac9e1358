/**
 * The log on disk: one SQLite database per replica, in WAL mode, one transaction per flush (group commit). Every row has a
 * checksum of its own, since a database that opens can still hold a page that rotted.
 *
 *   records      the ordered log; `executed` rows point to `history` so that a batch is not stored twice
 *   partitions   the state of the last checkpoint, by index
 *   history      executed batches with their results: needed above the stable checkpoint, kept below it for the panel
 */
import Database from 'better-sqlite3'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { HistoryEntry } from '../contract/control.ts'
import type { LogRecord, PartitionBytes, Persisted } from '../pbft/protocol/records.ts'
import { decodeRecord, encodeRecord } from '../pbft/wire/index.ts'
import { diskHistory, historyEntryOf, StorageError, type HistoryBounds, type HistoryRange, type Storage } from './storage.ts'

export interface SqliteOptions {
  /** Holds `replica.db`; created when missing. */
  readonly folder: string
  readonly clusterId: string
  readonly replica: number
  /** full: each commit is on the platter; process: it is with the operating system, which survives kill -9. */
  readonly durability: 'full' | 'process'
  readonly history?: HistoryBounds
}

export const databaseName = 'replica.db'

const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB, sum INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, seq);
  CREATE TABLE IF NOT EXISTS partitions (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL);
`

interface Row {
  readonly id: number
  readonly kind: LogRecord['kind']
  readonly seq: number
  readonly bytes: Buffer | null
  readonly sum: number
}
interface PartitionRow {
  readonly number: number
  readonly bytes: Buffer
  readonly sum: number
}
interface HistoryRow {
  readonly seq: number
  readonly bytes: Buffer
  readonly sum: number
}

/** The sequence number that garbage collection goes by; 0 for kinds of which only the last counts. */
const seqOf = (record: LogRecord): number => {
  switch (record.kind) {
    case 'view-change':
    case 'new-view':
      return 0
    case 'checkpoint':
      return record.message.seq
    case 'stable':
      return record.stable.seq
    default:
      return record.seq
  }
}

const problemOf = (code: string | undefined): StorageError['problem'] => {
  if (code === undefined) return 'failed'
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'in-use'
  return code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB') ? 'corrupted' : 'failed'
}

const sentenceOf: Readonly<Record<StorageError['problem'], string>> = {
  'in-use': 'another process is using it',
  foreign: 'it belongs to another replica',
  corrupted: 'it is damaged; restore it, or wipe this replica so that it fetches the state from its peers',
  failed: 'the disk does not take or give what it should',
}

/** Opens (or makes) the database of a replica. Throws StorageError. */
export const openSqliteStorage = (options: SqliteOptions): Storage => {
  const file = join(options.folder, databaseName)
  const bounds = options.history ?? diskHistory
  let closed = false

  const damaged = (detail: string): StorageError => new StorageError('corrupted', `${file}: ${detail}; ${sentenceOf.corrupted}`)
  /** Runs database work; whatever it throws becomes a StorageError that names the file. */
  const guarded = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (error instanceof StorageError) throw error
      const problem = problemOf((error as { code?: string }).code)
      throw new StorageError(problem, `${file}: ${sentenceOf[problem]} (${(error as Error).message})`, error)
    }
  }

  const open = (): Database.Database => {
    mkdirSync(options.folder, { recursive: true, mode: 0o700 })
    const opened = new Database(file, { timeout: 1_000 })
    try {
      // Set before the first access: then no other process can open the database while this one lives, and no
      // shared-memory file is needed.
      opened.pragma('locking_mode = EXCLUSIVE')
      opened.pragma('journal_mode = WAL')
      opened.pragma(`synchronous = ${options.durability === 'full' ? 'FULL' : 'OFF'}`)
      opened.pragma('journal_size_limit = 67108864')
      opened.transaction(() => opened.exec(schema)).immediate()
      return opened
    } catch (error) {
      opened.close()
      throw error
    }
  }

  const database = guarded(open)
  const prepare = <Parameters extends unknown[], Result = unknown>(sql: string): Database.Statement<Parameters, Result> =>
    database.prepare<Parameters, Result>(sql)

  const claim = (): void => {
    const mine = { format: '1', clusterId: options.clusterId, replica: String(options.replica) }
    const read = prepare<[string], { value: string }>('SELECT value FROM meta WHERE name = ?')
    const write = prepare<[string, string]>('INSERT INTO meta (name, value) VALUES (?, ?)')
    for (const [name, value] of Object.entries(mine)) {
      const found = read.get(name)
      if (found === undefined) write.run(name, value)
      else if (found.value !== value) {
        throw new StorageError('foreign', `${file}: has ${name} ${found.value}, not ${value}; ${sentenceOf.foreign}`)
      }
    }
  }
  try {
    guarded(() => database.transaction(claim).immediate())
  } catch (error) {
    database.close()
    throw error
  }

  const insertRecord = prepare<[string, number, Uint8Array | null, number]>(
    'INSERT INTO records (kind, seq, bytes, sum) VALUES (?, ?, ?, ?)',
  )
  const insertHistory = prepare<[number, Uint8Array, number]>('INSERT OR REPLACE INTO history (seq, bytes, sum) VALUES (?, ?, ?)')
  const insertPartition = prepare<[number, Uint8Array, number]>('INSERT OR REPLACE INTO partitions (number, bytes, sum) VALUES (?, ?, ?)')
  const dropBelow = prepare<[number]>(`DELETE FROM records WHERE kind IN ('pre-prepared', 'prepared', 'executed', 'batch') AND seq <= ?`)
  const dropCheckpoints = prepare<[number]>(`DELETE FROM records WHERE kind = 'checkpoint' AND seq < ?`)
  const dropAllButLast = prepare<[string, string]>(
    'DELETE FROM records WHERE kind = ? AND id < (SELECT max(id) FROM records WHERE kind = ?)',
  )
  const selectRange = prepare<[], { first: number | null; last: number | null }>(
    'SELECT (SELECT min(seq) FROM history) AS first, (SELECT max(seq) FROM history) AS last',
  )
  const selectHistory = prepare<[number], HistoryRow>('SELECT seq, bytes, sum FROM history WHERE seq > ? ORDER BY seq')
  const selectExecuted = prepare<[number], HistoryRow>('SELECT seq, bytes, sum FROM history WHERE seq = ?')
  const oldestHistory = prepare<[], { seq: number; size: number }>('SELECT seq, length(bytes) AS size FROM history ORDER BY seq LIMIT 1')
  const dropHistory = prepare<[number]>('DELETE FROM history WHERE seq = ?')
  const totals = guarded(
    () =>
      prepare<[], { count: number; bytes: number | null }>('SELECT count(*) AS count, sum(length(bytes)) AS bytes FROM history').get() ?? {
        count: 0,
        bytes: 0,
      },
  )
  let historyCount = totals.count
  let historyBytes = totals.bytes ?? 0
  const readRange = (): HistoryRange => {
    const row = selectRange.get()
    return { first: row?.first ?? 0, last: row?.last ?? 0 }
  }
  let range = guarded(readRange)

  /** Batches up to the stable checkpoint are only for the panel; the oldest go when there are too many. */
  const trimHistory = (stableSeq: number): void => {
    while (historyCount > bounds.batchesMax || historyBytes > bounds.bytesMax) {
      const oldest = oldestHistory.get()
      if (oldest === undefined || oldest.seq > stableSeq) return
      dropHistory.run(oldest.seq)
      historyCount -= 1
      historyBytes -= oldest.size
    }
  }

  const collectGarbage = (stableSeq: number): void => {
    dropBelow.run(stableSeq)
    dropCheckpoints.run(stableSeq)
    for (const kind of ['view-change', 'new-view', 'stable']) dropAllButLast.run(kind, kind)
    trimHistory(stableSeq)
  }

  const writePartitions = (partitions: readonly PartitionBytes[]): void => {
    for (const { index, bytes } of partitions) insertPartition.run(index, bytes, crc32(bytes, index))
  }

  const write = (record: LogRecord): void => {
    const bytes = encodeRecord(record)
    const sum = crc32(bytes)
    if (record.kind === 'executed') {
      insertRecord.run(record.kind, record.seq, null, sum)
      insertHistory.run(record.seq, bytes, sum)
      historyCount += 1
      historyBytes += bytes.length
      return
    }
    insertRecord.run(record.kind, seqOf(record), bytes, sum)
    if (record.kind === 'checkpoint') writePartitions(record.partitions)
    if (record.kind === 'stable') collectGarbage(record.stable.seq)
  }

  const writeAll = database.transaction((records: readonly LogRecord[]) => {
    for (const record of records) write(record)
  })

  const decode = (bytes: Buffer, sum: number, what: string): LogRecord => {
    if (crc32(bytes) !== sum) throw damaged(`the checksum of ${what} does not match`)
    const decoded = decodeRecord(bytes)
    if (!decoded.ok) throw damaged(`${what} cannot be read (${decoded.reason})`)
    return decoded.value
  }

  const decodeRow = (row: Row): LogRecord => {
    const what = `record ${row.id} (${row.kind} ${row.seq})`
    if (row.bytes !== null) return decode(row.bytes, row.sum, what)
    const stored = selectExecuted.get(row.seq)
    if (stored === undefined) throw damaged(`${what} has lost its batch`)
    return decode(stored.bytes, row.sum, what)
  }

  const loadPartition = (row: PartitionRow): PartitionBytes => {
    if (crc32(row.bytes, row.number) !== row.sum) throw damaged(`the checksum of partition ${row.number} does not match`)
    return { index: row.number, bytes: new Uint8Array(row.bytes) }
  }

  const load = (): Persisted => {
    const rows = prepare<[], Row>('SELECT id, kind, seq, bytes, sum FROM records ORDER BY id').all()
    const partitions = prepare<[], PartitionRow>('SELECT number, bytes, sum FROM partitions ORDER BY number').all()
    return { partitions: partitions.map(loadPartition), records: rows.map(decodeRow) }
  }

  const readHistory = (after: number, limit: number, bytesMax: number): HistoryEntry[] => {
    const entries: HistoryEntry[] = []
    let taken = 0
    for (const row of selectHistory.iterate(after)) {
      taken += row.bytes.length
      if (entries.length === limit || (entries.length > 0 && taken > bytesMax)) break
      const record = decode(row.bytes, row.sum, `batch ${row.seq}`)
      if (record.kind !== 'executed') throw damaged(`batch ${row.seq} is a ${record.kind} record`)
      entries.push(historyEntryOf(record))
    }
    return entries
  }

  const sizeOf = (path: string): number => {
    try {
      return statSync(path).size
    } catch {
      // No WAL yet.
      return 0
    }
  }

  return {
    load: () => guarded(load),
    commit(records) {
      if (records.length === 0) return
      guarded(() => writeAll(records))
      range = guarded(readRange)
    },
    history: (after, limit, bytesMax) => guarded(() => readHistory(after, limit, bytesMax)),
    historyRange: () => range,
    diskBytes: () => sizeOf(file) + sizeOf(`${file}-wal`),
    close() {
      if (closed) return
      closed = true
      guarded(() => database.close())
    },
  }
}
