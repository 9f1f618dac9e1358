/**
 * The run over time, in the journal: the whole status at least every five seconds and at every change, faults with their ends, and what
 * happened when. Read by time, through indices: a moment costs a few rows however long the run is. Bounded in bytes and rows.
 */
import type Database from 'better-sqlite3'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { ValidParams } from '../../contract/api.ts'
import type { ActiveFault } from '../../contract/faults.ts'
import type { Alarm, ClusterStatus, Sample } from '../../contract/model.ts'
import {
  markShownAfterMs,
  recordedForMs,
  type FaultBand,
  type Mark,
  type MarkKind,
  type Moment,
  type Timeline,
} from '../../contract/timeline.ts'
import type { JournalRecord } from './protocol.ts'
import type { Statements } from './statements.ts'

export const historySchema = `
  CREATE TABLE IF NOT EXISTS statuses (at REAL PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS marks (kind TEXT NOT NULL, key TEXT NOT NULL, at REAL NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key))
    WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS marks_at ON marks (at);
  CREATE INDEX IF NOT EXISTS marks_visited ON marks (at) WHERE kind <> 'checkpoint';
  CREATE TABLE IF NOT EXISTS faults (id TEXT PRIMARY KEY, since REAL NOT NULL, until REAL, body TEXT NOT NULL) WITHOUT ROWID;
`
/** Compressed; some 50,000 statuses of four replicas: 14 hours under load, days when idle. */
const statusBytesMax = 64 * 1_048_576
const rowsMax = 20_000
const marksMax = 400
const bandsMax = 200
const samplesBeforeMs = 300_000
/** The rarer and weightier first: when there are too many for one window, the last ones are thinned out. */
const markOrder: readonly MarkKind[] = ['evidence', 'view', 'alarm', 'checkpoint']

interface Row {
  readonly at: number
  readonly body: string
}

export class History {
  readonly #db: Database.Database
  readonly #statement: Statements

  /** The database has `historySchema`. Faults of a run that ended without a word ended with it. */
  constructor(db: Database.Database, statement: Statements) {
    this.#db = db
    this.#statement = statement
    db.exec('UPDATE faults SET until = MAX(since, COALESCE((SELECT MAX(at) FROM statuses), since)) WHERE until IS NULL')
  }

  put(record: JournalRecord): void {
    switch (record.kind) {
      case 'status': {
        const body = deflateRawSync(JSON.stringify(record.status), { level: 3 })
        this.#statement('INSERT OR REPLACE INTO statuses (at, body) VALUES (?, ?)').run(record.status.at, body)
        break
      }
      case 'band':
        this.#putFault(record.band.fault, record.band.until)
        break
      case 'forget-log':
        this.#db.exec("DELETE FROM statuses; DELETE FROM marks WHERE kind IN ('view', 'checkpoint')")
        break
      default: {
        const marked = markOf(record)
        if (marked !== null) this.#putMark(marked.key, marked.mark)
      }
    }
  }

  timeline({ from, to, bins }: ValidParams<'timeline'>): Timeline {
    const { first, last } = this.#statement('SELECT MIN(at) AS first, MAX(at) AS last FROM statuses').get() as {
      first: number | null
      last: number | null
    }
    // A run from a file has no statuses: its seconds tell how long it was.
    const seconds =
      first === null ? this.#statement("SELECT MIN(at) AS first, MAX(at) AS last FROM documents WHERE kind = 'sample'").get() : null
    const span = (seconds ?? { first, last }) as { first: number | null; last: number | null }
    return {
      ...span,
      requests: this.#requests(from, to, bins),
      gaps: this.#gaps(from, to),
      ...this.#bands(from, to),
      ...this.#marks(from, to),
    }
  }

  moment(at: number): Moment {
    const row = this.#statement('SELECT at, body FROM statuses WHERE at <= ? ORDER BY at DESC LIMIT 1').get(at) as
      { readonly at: number; readonly body: Buffer } | undefined
    const isThere = row !== undefined && at - row.at <= recordedForMs
    return {
      at,
      status: isThere ? (JSON.parse(inflateRawSync(row.body).toString()) as ClusterStatus) : null,
      samples: this.#samples(at - samplesBeforeMs, at),
      before: row?.at ?? null,
      after: this.#one('SELECT MIN(at) AS at FROM statuses WHERE at > ?', at),
      previousMark: this.#visited('MAX', '<', at - markShownAfterMs - 1),
      nextMark: this.#visited('MIN', '>', at - markShownAfterMs + 1),
    }
  }

  /** Drops the oldest of everything beyond the bounds. */
  bound(): void {
    const { bytes, count } = this.#statement('SELECT SUM(LENGTH(body)) AS bytes, COUNT(*) AS count FROM statuses').get() as {
      bytes: number | null
      count: number
    }
    if ((bytes ?? 0) > statusBytesMax)
      this.#statement('DELETE FROM statuses WHERE at IN (SELECT at FROM statuses ORDER BY at LIMIT ?)').run(Math.ceil(count / 10))
    this.#statement('DELETE FROM marks WHERE at < (SELECT at FROM marks ORDER BY at DESC LIMIT 1 OFFSET ?)').run(rowsMax)
    this.#statement('DELETE FROM faults WHERE since < (SELECT since FROM faults ORDER BY since DESC LIMIT 1 OFFSET ?)').run(rowsMax)
  }

  #putFault(fault: ActiveFault, until: number | null): void {
    this.#statement('INSERT OR REPLACE INTO faults (id, since, until, body) VALUES (?, ?, ?, ?)').run(
      fault.id,
      fault.since,
      until,
      JSON.stringify(fault),
    )
  }

  #putMark(key: string, mark: Mark): void {
    this.#statement('INSERT OR REPLACE INTO marks (kind, key, at, body) VALUES (?, ?, ?, ?)').run(
      mark.kind,
      key,
      mark.at,
      JSON.stringify(mark),
    )
  }

  #one(query: string, ...values: number[]): number | null {
    return (this.#statement(query).get(...values) as { readonly at: number | null }).at
  }

  #samples(from: number, to: number): Sample[] {
    const rows = this.#statement("SELECT at, body FROM documents WHERE kind = 'sample' AND at >= ? AND at <= ? ORDER BY at").all(from, to)
    return (rows as Row[]).map(({ body }) => JSON.parse(body) as Sample)
  }

  #requests(from: number, to: number, bins: number): number[] {
    const requests = new Array<number>(bins).fill(0)
    const rows = this.#statement(
      `SELECT CAST((at - ?) * ? / ? AS INTEGER) AS bin, SUM(json_extract(body, '$.requests')) AS sum FROM documents
         WHERE kind = 'sample' AND at >= ? AND at < ? GROUP BY bin`,
    ).all(from, bins, to - from, from, to) as { readonly bin: number; readonly sum: number }[]
    for (const { bin, sum } of rows) requests[bin] = sum
    return requests
  }

  #gaps(from: number, to: number): { from: number; to: number }[] {
    return this.#statement(
      `SELECT * FROM (SELECT LAG(at) OVER (ORDER BY at) AS "from", at AS "to" FROM statuses WHERE at >= ? AND at <= ?)
         WHERE "to" - "from" > ? LIMIT 1000`,
    ).all(
      this.#one('SELECT MAX(at) AS at FROM statuses WHERE at < ?', from) ?? from,
      this.#one('SELECT MIN(at) AS at FROM statuses WHERE at >= ?', to) ?? to,
      recordedForMs,
    ) as { from: number; to: number }[]
  }

  #bands(from: number, to: number): Pick<Timeline, 'faults' | 'faultsOf'> {
    const where = 'FROM faults WHERE since < ? AND COALESCE(until, ?) >= ?'
    const faultsOf = (this.#statement(`SELECT COUNT(*) AS count ${where}`).get(to, to, from) as { readonly count: number }).count
    const rows = this.#statement(`SELECT until, body ${where} ORDER BY since LIMIT ${bandsMax}`).all(to, to, from) as {
      until: number | null
      body: string
    }[]
    return { faults: rows.map(({ until, body }): FaultBand => ({ fault: JSON.parse(body) as ActiveFault, until })), faultsOf }
  }

  #marks(from: number, to: number): Pick<Timeline, 'marks' | 'marksOf'> {
    const rows = this.#statement('SELECT kind, COUNT(*) AS count FROM marks WHERE at >= ? AND at < ? GROUP BY kind').all(from, to)
    const counts = new Map((rows as { kind: MarkKind; count: number }[]).map(({ kind, count }) => [kind, count]))
    const marks: Mark[] = []
    for (const kind of markOrder) {
      const count = counts.get(kind) ?? 0
      const room = marksMax - marks.length
      if (count === 0 || room === 0) continue
      const every = Math.ceil(count / room)
      const found = this.#statement(
        `SELECT body FROM (SELECT body, ROW_NUMBER() OVER (ORDER BY at) AS number FROM marks WHERE kind = ? AND at >= ? AND at < ?)
           WHERE number % ? = 0`,
      ).all(kind, from, to, every) as Row[]
      marks.push(...found.map(({ body }) => JSON.parse(body) as Mark))
    }
    return { marks: marks.sort((a, b) => a.at - b.at), marksOf: [...counts.values()].reduce((sum, count) => sum + count, 0) }
  }

  /** Checkpoints are too frequent under load to go from one to the next. The nearest mark, beginning or end of a fault beyond `at`, as the moment that shows it. */
  #visited(least: 'MIN' | 'MAX', beyond: '<' | '>', at: number): number | null {
    const order = least === 'MIN' ? 'ASC' : 'DESC'
    const mark = this.#statement(`SELECT at FROM marks WHERE at ${beyond} ? AND kind <> 'checkpoint' ORDER BY at ${order} LIMIT 1`).get(at)
    const times = [
      (mark as { readonly at: number } | undefined)?.at ?? null,
      this.#one(`SELECT ${least}(since) AS at FROM faults WHERE since ${beyond} ?`, at),
      this.#one(`SELECT ${least}(until) AS at FROM faults WHERE until ${beyond} ?`, at),
    ].filter((time) => time !== null)
    return times.length === 0 ? null : (least === 'MIN' ? Math.min(...times) : Math.max(...times)) + markShownAfterMs
  }
}

/** Of alarms: those that ask for attention and are not the shadow of another mark. */
const isMarked = ({ key, severity }: Alarm): boolean => severity !== 'info' && !/^alarm\.(view|fault|evidence)\./.test(key)

const markOf = (record: JournalRecord): { readonly key: string; readonly mark: Mark } | null => {
  switch (record.kind) {
    case 'view': {
      const { view, primary, began, started } = record.view
      const at = began ?? started
      return view === 0 || at === null ? null : { key: String(view), mark: { kind: 'view', at, view, primary } }
    }
    case 'checkpoint': {
      const { seq, stableAt } = record.checkpoint
      const times = Object.values(stableAt)
      return times.length === 0 ? null : { key: String(seq), mark: { kind: 'checkpoint', at: Math.min(...times), seq } }
    }
    case 'alarm':
      return isMarked(record.alarm) ? { key: record.alarm.id, mark: { kind: 'alarm', at: record.alarm.at, alarm: record.alarm } } : null
    case 'evidence': {
      const { id, at, signer, kind } = record.evidence
      return { key: id, mark: { kind: 'evidence', at, id, signer, evidence: kind } }
    }
    default:
      return null
  }
}

/** The statuses recorded in [from, to], ascending, in JSON. */
export const statusBodies = (db: Database.Database, from: number, to: number): string[] =>
  (db.prepare('SELECT body FROM statuses WHERE at >= ? AND at <= ? ORDER BY at').all(from, to) as { readonly body: Buffer }[]).map(
    ({ body }) => inflateRawSync(body).toString(),
  )

/** All fault bands, by their beginning, in JSON. */
export const bandBodies = (db: Database.Database): string[] =>
  (db.prepare('SELECT until, body FROM faults ORDER BY since').all() as { readonly until: number | null; readonly body: string }[]).map(
    ({ until, body }) => `{"fault":${body},"until":${until ?? 'null'}}`,
  )
