/** The run's journal: one SQLite file, locked by its recorder, bounded in size; batched writes and queries over the log. */
import Database from 'better-sqlite3'
import { mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LogFilter, ValidParams } from '../../contract/api.ts'
import type { Alarm, CheckpointInfo, Evidence, RequestInfo, Sample, ViewInfo } from '../../contract/model.ts'
import type { RunRecord } from '../runs/schemas.ts'
import { entryOf, selectEntries, type EntryRow } from './journal-rows.ts'
import { History, historySchema } from './history.ts'
import { RunSource } from './run-source.ts'
import { hasRegex, matcherOf } from './match.ts'
import type { Moment, Timeline } from '../../contract/timeline.ts'
import { statementsOf, type Statements } from './statements.ts'
import { within } from './within.ts'
import type { Bounds, JournalRecord, RecordedEntryWithLedger, Restored } from './protocol.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY, view INTEGER NOT NULL, digest TEXT NOT NULL, time_ms INTEGER NOT NULL,
    requests TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS ledger (seq INTEGER PRIMARY KEY, rows TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS documents (kind TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (kind, key)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS documents_at ON documents (kind, at);
`
/** Written ones wait at most for this many others, or for the recorder's clock. */
const pendingMax = 500
/** Of each kind, beside the log. */
const documentsMax = 20_000
/** One a second: a day. */
const samplesMax = 86_400
const restoredMax = 1_000
/** Part of the log that goes when the file is too large. */
const droppedPart = 0.1
/** Bytes that one page of the log may hold, so that its message stays small. */
const pageBytesMax = 8 * 1_048_576

/**
 * Opens the journal; one that is damaged is put aside (`FILE.damaged-TIME`) and a new one begun, since the log can be read from
 * the replicas again. Throws like the constructor.
 */
export const openJournal = (file: string, bytesMax: number): { readonly journal: Journal; readonly damaged: string | null } => {
  try {
    return { journal: new Journal(file, bytesMax), damaged: null }
  } catch (error) {
    const code = String((error as { readonly code?: unknown }).code)
    if (!code.startsWith('SQLITE_CORRUPT') && !code.startsWith('SQLITE_NOTADB')) throw error
    const damaged = `${file}.damaged-${Date.now()}`
    renameSync(file, damaged)
    return { journal: new Journal(file, bytesMax), damaged }
  }
}

/** null: there is no such file. */
const inodeOf = (path: string): number | null => statSync(path, { throwIfNoEntry: false })?.ino ?? null

/** Entries that an expression is tried on at a time, and how long it may take for them. */
const handfulMax = 200
const matchMaxMs = 500

/** A filter's expression that does not come to an end. */
export class TooSlow extends Error {}

export class Journal {
  readonly #db: Database.Database
  readonly #history: History
  readonly #file: string
  readonly #inode: number | null
  readonly #bytesMax: number
  readonly #statement: Statements
  #pending: JournalRecord[] = []
  #flushes = 0

  /** Opens or makes the file and locks it. Throws SQLite's error: SQLITE_BUSY while another process has it. */
  constructor(file: string, bytesMax: number) {
    mkdirSync(dirname(file), { recursive: true })
    this.#db = new Database(file, { timeout: 0 })
    this.#statement = statementsOf(this.#db)
    this.#file = file
    this.#bytesMax = bytesMax
    try {
      // Exclusive before WAL: then there is no shared-memory file, and the lock holds from the first read to the end.
      this.#db.pragma('locking_mode = EXCLUSIVE')
      this.#db.pragma('journal_mode = WAL')
      this.#db.pragma('synchronous = NORMAL')
      this.#db.exec('BEGIN IMMEDIATE')
      this.#db.exec(schema)
      this.#db.exec(historySchema)
      this.#history = new History(this.#db, this.#statement)
      this.#db.exec('COMMIT')
      this.#inode = inodeOf(file)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  /** Whether the file is still there: the system keeps a deleted one for those who have it open. */
  get there(): boolean {
    return inodeOf(this.#file) === this.#inode
  }

  /** Queues records; written by the next `flush`, at the latest when many wait. */
  write(records: readonly JournalRecord[]): void {
    this.#pending.push(...records)
    if (this.#pending.length >= pendingMax) this.flush()
  }

  /** Writes what waits, in one transaction. */
  flush(): void {
    if (this.#pending.length === 0) return
    const records = this.#pending
    this.#pending = []
    this.#db.transaction(() => records.forEach((record) => this.#put(record)))()
    this.#flushes += 1
    if (this.#flushes % 100 === 0) this.#bound()
  }

  bounds(): Bounds {
    this.flush()
    const row = this.#statement('SELECT MIN(seq) AS first, MAX(seq) AS last FROM entries').get() as {
      first: number | null
      last: number | null
    }
    return { first: row.first ?? 0, last: row.last ?? 0 }
  }

  /** The latest documents of each kind, or `all` of them. */
  restore(all: boolean): Omit<Restored, 'damaged'> {
    const bounds = this.bounds()
    const documents = <Body>(kind: string): Body[] => this.#documents<Body>(kind, all ? -1 : restoredMax)
    return {
      ...bounds,
      lastDigest: this.entry(bounds.last)?.digest ?? '',
      views: documents<ViewInfo>('view'),
      checkpoints: documents<CheckpointInfo>('checkpoint'),
      requests: documents<RequestInfo>('request'),
      alarms: documents<Alarm>('alarm'),
      evidence: documents<Evidence>('evidence'),
      samples: documents<Sample>('sample'),
    }
  }

  entry(seq: number): RecordedEntryWithLedger | null {
    this.flush()
    const row = this.#statement(`${selectEntries} WHERE entries.seq = ?`).get(seq) as EntryRow | undefined
    return row === undefined ? null : entryOf(row)
  }

  timeline(params: ValidParams<'timeline'>): Timeline {
    this.flush()
    return this.#history.timeline(params)
  }

  moment(at: number): Moment {
    this.flush()
    return this.#history.moment(at)
  }

  /**
   * Entries after `after` and up to `upTo` that match, ascending; `next` is where the following page starts, null when there is none. Throws
   * `TooSlow` when the filter's expression takes longer than `matchMaxMs` over one handful of entries.
   */
  log(
    after: number,
    limit: number,
    filter: LogFilter,
    upTo = Number.MAX_SAFE_INTEGER,
  ): { entries: RecordedEntryWithLedger[]; next: number | null } & Bounds {
    const bounds = this.bounds()
    const matches = matcherOf(filter)
    const bounded = hasRegex(filter)
    const handful = bounded ? handfulMax : 1_000
    const entries: RecordedEntryWithLedger[] = []
    const read = this.#statement(`${selectEntries} WHERE entries.seq > ? AND entries.seq <= ? ORDER BY entries.seq LIMIT ?`)
    let bytes = 0
    for (let from = after; ;) {
      const rows = read.all(from, upTo, handful) as EntryRow[]
      const found = rows.map((row) => ({ entry: entryOf(row), bytes: row.requests.length }))
      const test = (): boolean[] => found.map(({ entry }) => matches(entry))
      const passed = bounded ? within(matchMaxMs, test) : test()
      if (passed === null) throw new TooSlow(`the regular expression takes too long on the entries after seq ${from}: make it simpler`)
      for (const [i, { entry, bytes: size }] of found.entries()) {
        if (passed[i] !== true) continue
        if (entries.length === limit || (bytes > pageBytesMax && entries.length > 0)) {
          return { entries, next: entries.at(-1)?.seq ?? null, ...bounds }
        }
        bytes += size
        entries.push(entry)
      }
      const last = found.at(-1)?.entry.seq
      if (last === undefined || rows.length < handful) return { entries, next: null, ...bounds }
      from = last
    }
  }

  /** The part of it that belongs to one run. */
  run(record: RunRecord): RunSource {
    this.flush()
    return new RunSource(this.#db, record)
  }

  get file(): string {
    return this.#file
  }

  close(): void {
    this.flush()
    this.#db.close()
  }

  #put(record: JournalRecord): void {
    this.#history.put(record)
    switch (record.kind) {
      case 'entry': {
        const { seq, view, digest, timeMs, requests } = record.entry
        this.#statement('INSERT OR REPLACE INTO entries (seq, view, digest, time_ms, requests) VALUES (?, ?, ?, ?, ?)').run(
          seq,
          view,
          digest,
          timeMs,
          JSON.stringify(requests),
        )
        break
      }
      case 'ledger':
        this.#statement('INSERT OR REPLACE INTO ledger (seq, rows) VALUES (?, ?)').run(record.seq, JSON.stringify(record.rows))
        break
      case 'view':
        this.#putDocument('view', String(record.view.view), record.view.view, record.view)
        break
      case 'checkpoint':
        this.#putDocument('checkpoint', String(record.checkpoint.seq), record.checkpoint.seq, record.checkpoint)
        break
      case 'request':
        this.#putDocument('request', record.request.id, record.at, record.request)
        break
      case 'alarm':
        this.#putDocument('alarm', record.alarm.id, record.alarm.at, record.alarm)
        break
      case 'evidence':
        this.#putDocument('evidence', record.evidence.id, record.evidence.at, record.evidence)
        break
      case 'fault':
        this.#putDocument('fault', `${record.fault.id}-${record.fault.what}`, record.fault.at, record.fault)
        break
      case 'band':
      case 'status':
        break
      case 'sample':
        this.#putDocument('sample', String(record.sample.at), record.sample.at, record.sample)
        break
      case 'forget-log':
        this.#db.exec("DELETE FROM entries; DELETE FROM ledger; DELETE FROM documents WHERE kind IN ('view', 'checkpoint')")
        break
    }
  }

  #putDocument(kind: string, key: string, at: number, body: unknown): void {
    this.#statement('INSERT OR REPLACE INTO documents (kind, key, at, body) VALUES (?, ?, ?, ?)').run(kind, key, at, JSON.stringify(body))
  }

  /** The latest `limit`, ascending; -1: all. */
  #documents<Body>(kind: string, limit: number): Body[] {
    const rows = this.#statement('SELECT body FROM documents WHERE kind = ? ORDER BY at DESC LIMIT ?').all(kind, limit) as {
      body: string
    }[]
    return rows.map((row) => JSON.parse(row.body) as Body).reverse()
  }

  /** Drops the oldest of everything beyond the bounds. Freed pages are used again, so the file stops growing. */
  #bound(): void {
    const used =
      (this.#db.pragma('page_count', { simple: true }) as number) - (this.#db.pragma('freelist_count', { simple: true }) as number)
    if (used * (this.#db.pragma('page_size', { simple: true }) as number) > this.#bytesMax) {
      const { first, last } = this.bounds()
      const upTo = first + Math.ceil((last - first + 1) * droppedPart)
      this.#statement('DELETE FROM entries WHERE seq < ?').run(upTo)
      this.#statement('DELETE FROM ledger WHERE seq < ?').run(upTo)
    }
    for (const { kind } of this.#statement('SELECT DISTINCT kind FROM documents').all() as { kind: string }[]) {
      this.#statement(
        'DELETE FROM documents WHERE kind = ? AND at < (SELECT at FROM documents WHERE kind = ? ORDER BY at DESC LIMIT 1 OFFSET ?)',
      ).run(kind, kind, kind === 'sample' ? samplesMax : documentsMax)
    }
    this.#history.bound()
  }
}
