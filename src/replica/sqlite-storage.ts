/**
 * The log on disk: one SQLite database per replica, in WAL mode, and a journal in front of it (journal.ts). A flush is one block of the
 * journal; the database gets what has gathered there in one transaction when a checkpoint becomes stable, when the journal is full and at
 * the end, and need not take what that checkpoint has made superfluous. Every record has a checksum of its own, since a database that
 * opens can still hold a page that rotted. Partitions need none: their checkpoint's digest tells whether they are whole, and what is not
 * the core fetches from its peers.
 *
 *   records      the ordered log; `executed` rows point to `history` so that a batch is not stored twice
 *   partitions   the state of the last checkpoint, by index
 *   history      executed batches with their results: needed above the stable checkpoint, kept below it for the panel
 *   meta         whose it is, and the nonce of the journal; none after an orderly end
 */
import type Database from 'better-sqlite3'
import { randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { HistoryEntry } from '../contract/control.ts'
import { singularKinds, type LogRecord, type Persisted } from '../pbft/protocol/records.ts'
import { decodeRecord, encodeRecord } from '../pbft/wire/index.ts'
import { Journal, type Entry } from './journal.ts'
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
export const journalName = 'replica.journal'

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
  readonly bytes: Uint8Array
  readonly sum: number
}

/** A record on its way into the database. */
interface Pending extends Entry {
  readonly kind: LogRecord['kind']
  readonly seq: number
}

const pendingOf = (record: LogRecord): Pending => ({
  kind: record.kind,
  seq: seqOf(record),
  bytes: encodeRecord(record),
  partitions: record.kind === 'checkpoint' ? record.partitions : [],
})

/** Kinds of which a stable checkpoint makes all up to it superfluous. */
const slotKinds: ReadonlySet<LogRecord['kind']> = new Set(['pre-prepared', 'prepared', 'executed', 'batch'])

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
  journal: database.prepare<[], { value: string }>(`SELECT value FROM meta WHERE name = 'journal'`),
  setJournal: database.prepare<[string]>(`INSERT OR REPLACE INTO meta (name, value) VALUES ('journal', ?)`),
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
  readonly #writeAll: (records: readonly Pending[], nonce: string) => void
  readonly #journal: Journal
  /** What is in the journal and not in the database. */
  #pending: Pending[] = []
  /** Executed batches among it, by seq: the last one counts. */
  readonly #pendingHistory = new Map<number, HistoryRow>()
  #historyCount: number
  #historyBytes: number
  #range: HistoryRange

  constructor(options: SqliteOptions) {
    this.#file = join(options.folder, databaseName)
    this.#bounds = options.history ?? diskHistory
    this.#database = openDatabase(this.#file, options, options.durability)
    this.#inode = inodeOf(this.#file)
    this.#statements = guarded(this.#file, () => prepareAll(this.#database))
    this.#writeAll = this.#database.transaction((records: readonly Pending[], nonce: string) => {
      this.#write(records)
      this.#statements.setJournal.run(nonce)
    })
    const totals = guarded(this.#file, () => this.#statements.totals.get())
    this.#historyCount = totals?.count ?? 0
    this.#historyBytes = totals?.bytes ?? 0
    this.#range = guarded(this.#file, () => this.#readRange())
    const journalFile = join(options.folder, journalName)
    this.#journal = guarded(journalFile, () => this.#openJournal(journalFile, options.durability === 'full'))
  }

  /** With what was committed before a process ended in the midst of it, which the database then has. */
  #openJournal(file: string, flushes: boolean): Journal {
    const known = this.#statements.journal.get()?.value ?? ''
    if (known !== '' && !existsSync(file)) throw damaged(file, 'it is not there')
    const journal = new Journal(file, flushes)
    try {
      const commits = known === '' ? [] : journal.read(Buffer.from(known, 'hex'))
      if (commits === null) throw damaged(file, 'a block among others does not match its checksum')
      const pending = commits.flat().map(({ bytes, partitions }) => ({
        ...pendingOf(this.#decode(bytes, crc32(bytes), 'a record in the journal')),
        partitions,
      }))
      journal.restart(this.#fold(pending))
      return journal
    } catch (error) {
      journal.close()
      this.#database.close()
      throw error
    }
  }

  /** Writes them into the database, and returns the nonce under which the journal begins anew. */
  #fold(pending: readonly Pending[]): Buffer {
    const nonce = randomBytes(8)
    this.#writeAll(pending, nonce.toString('hex'))
    this.#range = this.#readRange()
    return nonce
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
      const pending = records.map(pendingOf)
      this.#pending.push(...pending)
      if (this.#journal.fits(pending) && !records.some(({ kind }) => kind === 'stable')) {
        this.#journal.append(pending)
        for (const one of pending) if (one.kind === 'executed') this.#noteExecuted(one)
        return
      }
      this.#journal.restart(this.#fold(this.#pending))
      this.#pending = []
      this.#pendingHistory.clear()
    })
  }

  #noteExecuted({ seq, bytes }: Pending): void {
    this.#pendingHistory.set(seq, { seq, bytes, sum: crc32(bytes) })
    const { first, last } = this.#range
    this.#range = { first: first === 0 ? seq : Math.min(first, seq), last: Math.max(last, seq) }
  }

  history(after: number, limit: number, bytesMax: number): HistoryEntry[] {
    return guarded(this.#file, () => this.#readHistory(after, limit, bytesMax))
  }

  historyRange(): HistoryRange {
    return this.#range
  }

  diskBytes(): number {
    return sizeOf(this.#file) + sizeOf(`${this.#file}-wal`) + this.#journal.bytes
  }

  check(): void {
    guarded(this.#file, () => {
      if (inodeOf(this.#file) !== this.#inode || !this.#journal.isThere) throw gone(this.#file)
    })
  }

  close(): void {
    if (!this.#database.open) return
    guarded(this.#file, () => {
      try {
        this.#writeAll(this.#pending, '')
      } finally {
        this.#journal.close()
        this.#database.close()
      }
    })
  }

  /** What the last stable checkpoint among them would drop again is not written at all. */
  #write(records: readonly Pending[]): void {
    const lastStable = records.findLastIndex(({ kind }) => kind === 'stable')
    const lastCheckpoint = records.slice(0, Math.max(lastStable, 0)).findLast(({ kind }) => kind === 'checkpoint')?.seq
    const through = lastStable < 0 ? 0 : this.#collectedThrough(records[lastStable]?.seq ?? 0, lastCheckpoint)
    for (const [index, record] of records.entries()) {
      const isSuperfluous = index < lastStable && slotKinds.has(record.kind) && record.seq <= through
      this.#insert(record, isSuperfluous)
    }
    if (lastStable >= 0) this.#collectGarbage(through)
  }

  #insert({ kind, seq, bytes, partitions }: Pending, onlyHistory: boolean): void {
    const { insertRecord, insertHistory, insertPartition } = this.#statements
    const isExecuted = kind === 'executed'
    if (!onlyHistory || isExecuted) {
      const sum = crc32(bytes)
      if (!onlyHistory) insertRecord.run(kind, seq, isExecuted ? null : bytes, sum)
      if (isExecuted) insertHistory.run(seq, bytes, sum)
    }
    if (isExecuted) {
      this.#historyCount += 1
      this.#historyBytes += bytes.length
    }
    for (const partition of partitions) insertPartition.run(partition.index, partition.bytes)
  }

  /** What lies above the state on disk stays, whatever is stable: a restart goes on from that state. */
  #collectedThrough(stableSeq: number, lastCheckpoint: number | undefined): number {
    return Math.min(stableSeq, lastCheckpoint ?? this.#statements.lastCheckpoint.get()?.seq ?? 0)
  }

  #collectGarbage(through: number): void {
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

  #readRange(): HistoryRange {
    return { first: this.#statements.oldest.get()?.seq ?? 0, last: this.#statements.newest.get()?.seq ?? 0 }
  }

  #readHistory(after: number, limit: number, bytesMax: number): HistoryEntry[] {
    const entries: HistoryEntry[] = []
    let taken = 0
    for (const row of this.#historyAfter(after)) {
      taken += row.bytes.length
      if (entries.length === limit || (entries.length > 0 && taken > bytesMax)) break
      const record = this.#decode(row.bytes, row.sum, `batch ${row.seq}`)
      if (record.kind !== 'executed') throw damaged(this.#file, `batch ${row.seq} is a ${record.kind} record`)
      entries.push(historyEntryOf(record))
    }
    return entries
  }

  /** Of the database and of what is on its way there, ascending. */
  *#historyAfter(after: number): Generator<HistoryRow> {
    const fresh = [...this.#pendingHistory.values()].filter(({ seq }) => seq > after).sort((a, b) => a.seq - b.seq)
    let next = 0
    for (const row of this.#statements.historyAfter.iterate(after)) {
      for (let one = fresh[next]; one !== undefined && one.seq < row.seq; one = fresh[++next]) yield one
      if (fresh[next]?.seq !== row.seq) yield row
    }
    yield* fresh.slice(next)
  }

  #recordOf(row: RecordRow): LogRecord {
    const what = `record ${row.id} (${row.kind} ${row.seq})`
    if (row.bytes !== null) return this.#decode(row.bytes, row.sum, what)
    const stored = this.#statements.executed.get(row.seq)
    if (stored === undefined) throw damaged(this.#file, `${what} has lost its batch`)
    return this.#decode(stored.bytes, row.sum, what)
  }

  #decode(bytes: Uint8Array, sum: number, what: string): LogRecord {
    if (crc32(bytes) !== sum) throw damaged(this.#file, `the checksum of ${what} does not match`)
    const decoded = decodeRecord(bytes)
    if (!decoded.ok) throw damaged(this.#file, `${what} cannot be read (${decoded.reason})`)
    return decoded.value
  }
}

/** Opens (or makes) the database of a replica. Throws StorageError. */
export const openSqliteStorage = (options: SqliteOptions): Storage => new SqliteStorage(options)
