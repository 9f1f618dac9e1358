/** The log as a file: JSON as the HTTP API gives it, or CSV with a line per request. */
import type { LogEntry } from '../../contract/model.ts'

const csvColumns = ['seq', 'view', 'digest', 'time', 'latencyMs', 'client', 'timestamp', 'operation', 'result'] as const

/** Quotes as RFC 4180 says; a leading character that spreadsheets take for a formula is disarmed with an apostrophe. */
export function csvCell(value: string | number | null): string {
  if (value === null) return ''
  if (typeof value === 'number') return String(value)
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export const csvHeader = `${csvColumns.join(',')}\r\n`

/** 0 stands for no time, and a traitor may have proposed one that no calendar holds. */
const isoTime = (ms: number): string | null => (ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : null)

/** One entry in JSON, with its agreed time as the HTTP API has it: ISO 8601 in UTC, null for a null request. */
export const jsonEntry = ({ timeMs, ...entry }: LogEntry): string => JSON.stringify({ ...entry, time: isoTime(timeMs) })

/** The lines of one entry; a null request has one line without a client. */
export function csvLines(entry: LogEntry): string {
  const head = [entry.seq, entry.view, entry.digest, isoTime(entry.timeMs), entry.latencyMs].map(csvCell).join(',')
  if (entry.requests.length === 0) return `${head},,,,\r\n`
  return entry.requests
    .map((request) => {
      const result = request.result === null ? null : JSON.stringify(request.result)
      const rest = [request.client, request.timestamp, JSON.stringify(request.operation), result].map(csvCell).join(',')
      return `${head},${rest}\r\n`
    })
    .join('')
}

/** Lets the browser save `parts` as a file. */
export function saveFile(name: string, type: string, parts: readonly BlobPart[]): void {
  const url = URL.createObjectURL(new Blob([...parts], { type }))
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  // The download has begun by then; the browser keeps the blob until it is done.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
