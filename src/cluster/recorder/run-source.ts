/** What one run left in a journal: the part of the log and the documents that fall into it. */
import Database from 'better-sqlite3'
import type { DocumentKind, DocumentOf, RunRecord } from '../runs/schemas.ts'
import { figuresOf, type RunFacts } from '../runs/figures.ts'
import type { RunFigures } from '../../contract/runs.ts'
import { bandBodies, statusBodies } from './history.ts'
import { entryOf, selectEntries, type EntryRow } from './journal-rows.ts'
import type { RecordedEntryWithLedger, RunPlace } from './protocol.ts'

/** Entries that are read at a time. */
const handfulMax = 500

/** When a document's moment is, ms since the epoch; null: it has none yet. */
const momentOf: { readonly [K in DocumentKind]: (document: DocumentOf<K>) => number | null } = {
  view: ({ began, started }) => began ?? started,
  checkpoint: ({ at }) => at,
  request: ({ stages }) => stages[0]?.at ?? null,
  alarm: ({ at }) => at,
  evidence: ({ at }) => at,
  fault: ({ at }) => at,
  sample: ({ at }) => at,
  status: ({ at }) => at,
  band: ({ fault }) => fault.since,
}
/** The latest of them go into a file. */
const statusesMax = 5_000
/** A second's sample is stamped with its start, and belongs to the run that it ends in. */
const sampleMs = 1_000

export class RunSource {
  readonly record: RunRecord
  readonly #db: Database.Database
  readonly #from: number
  readonly #to: number

  constructor(db: Database.Database, record: RunRecord) {
    this.#db = db
    this.record = record
    this.#from = record.head.info.began
    this.#to = record.head.info.ended ?? Number.MAX_SAFE_INTEGER
  }

  /** In the order of their moments. */
  documents<K extends DocumentKind>(kind: K): DocumentOf<K>[] {
    const early = kind === 'sample' ? sampleMs : 0
    return this.#bodies(kind)
      .map((body) => JSON.parse(body) as DocumentOf<K>)
      .filter((document) => {
        const at = momentOf[kind](document)
        return at !== null && at > this.#from - early && at <= this.#to
      })
  }

  #bodies(kind: DocumentKind): string[] {
    if (kind === 'status') return statusBodies(this.#db, this.#from, this.#to).slice(-statusesMax)
    if (kind === 'band') return bandBodies(this.#db)
    const rows = this.#db.prepare('SELECT body FROM documents WHERE kind = ? ORDER BY at').all(kind) as { body: string }[]
    return rows.map(({ body }) => body)
  }

  /** Ascending, some at a time. */
  *entries(): Generator<RecordedEntryWithLedger[]> {
    const read = this.#db.prepare(`${selectEntries} WHERE entries.seq > ? AND entries.seq <= ? ORDER BY entries.seq LIMIT ?`)
    for (let after = this.record.after; ;) {
      const entries = (read.all(after, this.#upto, handfulMax) as EntryRow[]).map(entryOf)
      const last = entries.at(-1)
      if (last === undefined) return
      yield entries
      after = last.seq
    }
  }

  facts(): RunFacts {
    const row = this.#db
      .prepare(
        'SELECT MIN(seq) AS first, MAX(seq) AS last, COUNT(*) AS batches, SUM(json_array_length(requests)) AS requests FROM entries WHERE seq > ? AND seq <= ?',
      )
      .get(this.record.after, this.#upto) as { first: number | null; last: number | null; batches: number; requests: number | null }
    const log = { first: row.first ?? 0, last: row.last ?? 0, batches: row.batches, requests: row.requests ?? 0 }
    return {
      log,
      documents: {
        view: this.documents('view'),
        checkpoint: this.documents('checkpoint'),
        request: this.documents('request'),
        alarm: this.documents('alarm'),
        evidence: this.documents('evidence'),
        fault: this.documents('fault'),
        sample: this.documents('sample'),
      },
    }
  }

  figures(): RunFigures {
    return figuresOf(this.facts())
  }

  get #upto(): number {
    return this.record.upto ?? Number.MAX_SAFE_INTEGER
  }
}

/** Opens the journal of a run for reading, and closes it afterwards. Throws SQLite's error: SQLITE_BUSY while a panel has it. */
export const withRunSource = async <T>({ record, journal }: RunPlace, use: (source: RunSource) => Promise<T> | T): Promise<T> => {
  const db = new Database(journal, { readonly: true, fileMustExist: true, timeout: 0 })
  try {
    return await use(new RunSource(db, record))
  } finally {
    db.close()
  }
}
