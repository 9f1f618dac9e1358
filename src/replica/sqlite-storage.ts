/**
 * The log on disk: one SQLite database per replica, in WAL mode, one transaction per flush (group commit). Every record has
 * a checksum of its own, since a database that opens can still hold a page that rotted. Partitions need none: their checkpoint's digest
 * tells whether they are whole, and what is not the core fetches from its peers.
 *
 *   records      the ordered log; `executed` rows point to `history` so that a batch is not stored twice
 *   partitions   the state of the last checkpoint, by index
 *   history      executed batches with their results: needed above the stable checkpoint, kept below it for the panel
 */
import type Database from 'better-sqlite3'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { HistoryEntry } from '../contract/control.ts'
import { singularKinds, type LogRecord, type Persisted } from '../pbft/protocol/records.ts'
import { decodeRecord, encodeRecord } from '../pbft/wire/index.ts'
import { damaged, gone, guarded, openDatabase, type DatabaseOwner } from './sqlite-database.ts'
import { diskHistory, historyEntryOf, type HistoryBounds, type HistoryRange, type Storage } from './storage.ts'

export interface SqliteOptions extends DatabaseOwner {
  /** Holds `replica.db`; created when missing. */
  readonly folder: string
  /** full: each commit is on the platter; process: it is with the operating system, which survives kill -9. */
  readonly durability: 'full' | 'process'
  readonly history?: HistoryBounds
}

export const databaseName = 'replica.db'

interface RecordRow {
  readonly id: number
  readonly kind: LogRecord['kind']
  readonly seq: number
  /** null: in `history`. */
  readonly bytes: Buffer | null
  readonly sum: number
}
interface PartitionRow {
  readonly number: number
  readonly bytes: Buffer
}
interface HistoryRow {
  readonly seq: number
  readonly bytes: Buffer
  readonly sum: number
}

/** The sequence number that garbage collection goes by; 0 where it does not matter. */
const seqOf = (record: LogRecord): number => {
  switch (record.kind) {
    case 'view-change':
    case 'new-view':
    case 'born':
    case 'disks':
    case 'stopped':
    case 'started':
      return 0
    case 'checkpoint':
      return record.message.seq
    case 'stable':
      return record.stable.seq
    default:
      return record.seq
  }
}

const sizeOf = (path: string): number => {
  try {
    return statSync(path).size
  } catch {
    // There is no write-ahead log yet.
    return 0
  }
}

/** null: there is no such file. */
const inodeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null

const prepareAll = (database: Database.Database) => ({
  insertRecord: database.prepare<[string, number, Uint8Array | null, number]>(
    'INSERT INTO records (kind, seq, bytes, sum) VALUES (?, ?, ?, ?)',
  ),
  insertHistory: database.prepare<[number, Uint8Array, number]>('INSERT OR REPLACE INTO history (seq, bytes, sum) VALUES (?, ?, ?)'),
  insertPartition: database.prepare<[number, Uint8Array]>('INSERT OR REPLACE INTO partitions (number, bytes) VALUES (?, ?)'),
  lastCheckpoint: database.prepare<[], { seq: number }>(`SELECT seq FROM records WHERE kind = 'checkpoint' ORDER BY id DESC LIMIT 1`),
  dropSlots: database.prepare<[number]>(`DELETE FROM records WHERE kind IN ('pre-prepared', 'prepared', 'executed', 'batch') AND seq <= ?`),
  dropCheckpoints: database.prepare<[number]>(`DELETE FROM records WHERE kind = 'checkpoint' AND seq < ?`),
  dropAllButLast: database.prepare<[string, string]>(
    'DELETE FROM records WHERE kind = ? AND id < (SELECT max(id) FROM records WHERE kind = ?)',
  ),
  dropHistory: database.prepare<[number]>('DELETE FROM history WHERE seq = ?'),
  records: database.prepare<[], RecordRow>('SELECT id, kind, seq, bytes, sum FROM records ORDER BY id'),
  partitions: database.prepare<[], PartitionRow>('SELECT number, bytes FROM partitions ORDER BY number'),
  executed: database.prepare<[number], HistoryRow>('SELECT seq, bytes, sum FROM history WHERE seq = ?'),
  historyAfter: database.prepare<[number], HistoryRow>('SELECT seq, bytes, sum FROM history WHERE seq > ? ORDER BY seq'),
  oldest: database.prepare<[], { seq: number; size: number }>('SELECT seq, length(bytes) AS size FROM history ORDER BY seq LIMIT 1'),
  newest: database.prepare<[], { seq: number }>('SELECT seq FROM history ORDER BY seq DESC LIMIT 1'),
  totals: database.prepare<[], { count: number; bytes: number | null }>(
    'SELECT count(*) AS count, sum(length(bytes)) AS bytes FROM history',
  ),
})

class SqliteStorage implements Storage {
  readonly instant = false
  readonly #file: string
  readonly #bounds: HistoryBounds
  readonly #database: Database.Database
  readonly #inode: number | null
  readonly #statements: ReturnType<typeof prepareAll>
  readonly #writeAll: (records: readonly LogRecord[]) => void
  #historyCount: number
  #historyBytes: number
  #range: HistoryRange

  constructor(options: SqliteOptions) {
    this.#file = join(options.folder, databaseName)
    this.#bounds = options.history ?? diskHistory
    this.#database = openDatabase(this.#file, options, options.durability)
    this.#inode = inodeOf(this.#file)
    this.#statements = guarded(this.#file, () => prepareAll(this.#database))
    this.#writeAll = this.#database.transaction((records: readonly LogRecord[]) => {
      for (const record of records) this.#write(record)
    })
    const totals = guarded(this.#file, () => this.#statements.totals.get())
    this.#historyCount = totals?.count ?? 0
    this.#historyBytes = totals?.bytes ?? 0
    this.#range = guarded(this.#file, () => this.#readRange())
  }

  load(): Persisted {
    return guarded(this.#file, () => ({
      partitions: this.#statements.partitions.all().map(({ number, bytes }) => ({ index: number, bytes: new Uint8Array(bytes) })),
      records: this.#statements.records.all().map((row) => this.#recordOf(row)),
    }))
  }

  commit(records: readonly LogRecord[]): void {
    if (records.length === 0) return
    guarded(this.#file, () => {
      this.#writeAll(records)
      this.#noteRange(records)
    })
  }

  history(after: number, limit: number, bytesMax: number): HistoryEntry[] {
    return guarded(this.#file, () => this.#readHistory(after, limit, bytesMax))
  }

  historyRange(): HistoryRange {
    return this.#range
  }

  diskBytes(): number {
    return sizeOf(this.#file) + sizeOf(`${this.#file}-wal`)
  }

  check(): void {
    guarded(this.#file, () => {
      if (inodeOf(this.#file) !== this.#inode) throw gone(this.#file)
    })
  }

  close(): void {
    guarded(this.#file, () => this.#database.close())
  }

  #write(record: LogRecord): void {
    const { insertRecord, insertHistory, insertPartition } = this.#statements
    const bytes = encodeRecord(record)
    const sum = crc32(bytes)
    if (record.kind === 'executed') {
      insertRecord.run(record.kind, record.seq, null, sum)
      insertHistory.run(record.seq, bytes, sum)
      this.#historyCount += 1
      this.#historyBytes += bytes.length
      return
    }
    insertRecord.run(record.kind, seqOf(record), bytes, sum)
    if (record.kind === 'checkpoint') {
      for (const partition of record.partitions) insertPartition.run(partition.index, partition.bytes)
    }
    if (record.kind === 'stable') this.#collectGarbage(record.stable.seq)
  }

  /** What lies above the state on disk stays, whatever is stable: a restart goes on from that state. */
  #collectGarbage(stableSeq: number): void {
    const through = Math.min(stableSeq, this.#statements.lastCheckpoint.get()?.seq ?? 0)
    this.#statements.dropSlots.run(through)
    this.#statements.dropCheckpoints.run(through)
    for (const kind of singularKinds) this.#statements.dropAllButLast.run(kind, kind)
    this.#trimHistory(through)
  }

  /** Batches that recovery does not need are only for the panel; the oldest go when there are too many. */
  #trimHistory(through: number): void {
    while (this.#historyCount > this.#bounds.batchesMax || this.#historyBytes > this.#bounds.bytesMax) {
      const oldest = this.#statements.oldest.get()
      if (oldest === undefined || oldest.seq > through) return
      this.#statements.dropHistory.run(oldest.seq)
      this.#historyCount -= 1
      this.#historyBytes -= oldest.size
    }
  }

  /** The database is asked only when something may have left the history. */
  #noteRange(records: readonly LogRecord[]): void {
    for (const record of records) {
      if (record.kind === 'stable' || this.#range.first === 0) {
        this.#range = this.#readRange()
        return
      }
      if (record.kind === 'executed' && record.seq > this.#range.last) this.#range = { first: this.#range.first, last: record.seq }
    }
  }

  #readRange(): HistoryRange {
    return { first: this.#statements.oldest.get()?.seq ?? 0, last: this.#statements.newest.get()?.seq ?? 0 }
  }

  #readHistory(after: number, limit: number, bytesMax: number): HistoryEntry[] {
    const entries: HistoryEntry[] = []
    let taken = 0
    for (const row of this.#statements.historyAfter.iterate(after)) {
      taken += row.bytes.length
      if (entries.length === limit || (entries.length > 0 && taken > bytesMax)) break
      const record = this.#decode(row.bytes, row.sum, `batch ${row.seq}`)
      if (record.kind !== 'executed') throw damaged(this.#file, `batch ${row.seq} is a ${record.kind} record`)
      entries.push(historyEntryOf(record))
    }
    return entries
  }

  #recordOf(row: RecordRow): LogRecord {
    const what = `record ${row.id} (${row.kind} ${row.seq})`
    if (row.bytes !== null) return this.#decode(row.bytes, row.sum, what)
    const stored = this.#statements.executed.get(row.seq)
    if (stored === undefined) throw damaged(this.#file, `${what} has lost its batch`)
    return this.#decode(stored.bytes, row.sum, what)
  }

  #decode(bytes: Buffer, sum: number, what: string): LogRecord {
    if (crc32(bytes) !== sum) throw damaged(this.#file, `the checksum of ${what} does not match`)
    const decoded = decodeRecord(bytes)
    if (!decoded.ok) throw damaged(this.#file, `${what} cannot be read (${decoded.reason})`)
    return decoded.value
  }
}

/** Opens (or makes) the database of a replica. Throws StorageError. */
export const openSqliteStorage = (options: SqliteOptions): Storage => new SqliteStorage(options)
