/** Opening a replica's database: settings, tables, whose it is; and what SQLite's errors mean to a replica. */
import Database from 'better-sqlite3'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { dataInUse } from '../contract/control.ts'
import { StorageError } from './storage.ts'

const schema = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB, sum INTEGER NOT NULL);
  CREATE INDEX IF NOT EXISTS records_by_kind ON records (kind, seq);
  CREATE TABLE IF NOT EXISTS partitions (number INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
  CREATE TABLE IF NOT EXISTS history (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL, sum INTEGER NOT NULL);
`

const problemOf = (code: string | undefined): StorageError['problem'] => {
  if (code === undefined) return 'failed'
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'in-use'
  return code.startsWith('SQLITE_CORRUPT') || code.startsWith('SQLITE_NOTADB') ? 'corrupted' : 'failed'
}

const sentenceOf: Readonly<Record<StorageError['problem'], string>> = {
  'in-use': dataInUse,
  foreign: 'it belongs to another replica',
  corrupted: 'it is damaged; restore it, or wipe this replica so that it fetches the state from its peers',
  failed: 'the disk does not take or give what it should',
}

/** The file holds what was never written. */
export const damaged = (file: string, detail: string): StorageError =>
  new StorageError('corrupted', `${file}: ${detail}; ${sentenceOf.corrupted}`)

/** The open file has no name any more: what is written to it nobody will find. */
export const gone = (file: string): StorageError =>
  new StorageError('failed', `${file}: it was deleted or replaced while this replica was using it`)

/** Runs database work; whatever it throws becomes a StorageError that names the file. */
export const guarded = <T>(file: string, work: () => T): T => {
  try {
    return work()
  } catch (error) {
    if (error instanceof StorageError) throw error
    const problem = problemOf((error as { code?: string }).code)
    throw new StorageError(problem, `${file}: ${sentenceOf[problem]} (${(error as Error).message})`, error)
  }
}

export interface DatabaseOwner {
  readonly clusterId: string
  readonly replica: number
}

/** Writes whose database this is into a new one; refuses another's. */
const claim = (database: Database.Database, file: string, owner: DatabaseOwner): void => {
  const mine = { format: '1', clusterId: owner.clusterId, replica: String(owner.replica) }
  const read = database.prepare<[string], { value: string }>('SELECT value FROM meta WHERE name = ?')
  const write = database.prepare<[string, string]>('INSERT INTO meta (name, value) VALUES (?, ?)')
  for (const [name, value] of Object.entries(mine)) {
    const found = read.get(name)
    if (found === undefined) write.run(name, value)
    else if (found.value !== value) {
      throw new StorageError('foreign', `${file}: has ${name} ${found.value}, not ${value}; ${sentenceOf.foreign}`)
    }
  }
}

/** Opens or makes the database; no other process can open it until it is closed. Throws StorageError. */
export const openDatabase = (file: string, owner: DatabaseOwner, durability: 'full' | 'process'): Database.Database =>
  guarded(file, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    const database = new Database(file, { timeout: 1_000 })
    try {
      // Set before the first access, it holds for the life of the connection, and needs no shared-memory file.
      database.pragma('locking_mode = EXCLUSIVE')
      database.pragma('journal_mode = WAL')
      database.pragma(`synchronous = ${durability === 'full' ? 'FULL' : 'OFF'}`)
      database.pragma('journal_size_limit = 67108864')
      database
        .transaction(() => {
          database.exec(schema)
          claim(database, file, owner)
        })
        .immediate()
      return database
    } catch (error) {
      database.close()
      throw error
    }
  })
