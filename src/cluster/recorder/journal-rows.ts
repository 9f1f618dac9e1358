/** The log's rows in a journal. */
import type { LedgerRow, LogRequest } from '../../contract/model.ts'
import type { RecordedEntryWithLedger } from './protocol.ts'

export interface EntryRow {
  readonly seq: number
  readonly view: number
  readonly digest: string
  readonly time_ms: number
  readonly requests: string
  readonly rows: string | null
}

export const selectEntries =
  'SELECT entries.seq, view, digest, time_ms, requests, ledger.rows AS rows FROM entries LEFT JOIN ledger ON ledger.seq = entries.seq'

export const entryOf = (row: EntryRow): RecordedEntryWithLedger => ({
  seq: row.seq,
  view: row.view,
  digest: row.digest,
  timeMs: row.time_ms,
  requests: JSON.parse(row.requests) as LogRequest[],
  rows: row.rows === null ? [] : (JSON.parse(row.rows) as LedgerRow[]),
})
