/**
 * The committed log as the panel shows it: content read from replicas, kept in the recorder and (the newest part) in memory,
 * joined with who got how far from the ledger.
 */
import type { LogFilter, LogMoment } from '../contract/api.ts'
import type { HistoryEntry } from '../contract/control.ts'
import type { LedgerRow, LogEntry, LogEntryDetail, LogPage, LogRequest } from '../contract/model.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { sha256 } from '../link/index.ts'
import { asView } from '../pbft/protocol/ids.ts'
import { primaryOf, quorumSize } from '../pbft/protocol/quorum.ts'
import { decodeOperation, decodeResult } from '../pbft/service/index.ts'
import { decodeBatch } from '../pbft/wire/index.ts'
import { latencyOf, phasesOf, rowsAsOf, type Ledger } from './model/ledger.ts'
import type { LoggedRequest, Monitors } from './monitors.ts'
import type { Recording } from './recording.ts'
import { filterProblem, hasRegex, matcherOf } from './recorder/match.ts'
import type { RecordedEntry, RecordedEntryWithLedger } from './recorder/protocol.ts'

const cachedEntriesMax = 5_000
const cachedBytesMax = 16 * 1_048_576

export interface LogOptions {
  readonly n: number
  readonly ledger: Ledger
  readonly monitors: Monitors
  readonly recording: Recording
}

export class Log {
  readonly #options: LogOptions
  #cache: { readonly entry: RecordedEntry; readonly bytes: number }[] = []
  #cachedBytes = 0
  #first = 0
  #last = 0

  constructor(options: LogOptions) {
    this.#options = options
  }

  get first(): number {
    return this.#first
  }

  /** Highest seq whose content is known. */
  get last(): number {
    return this.#last
  }

  /** What the journal holds of earlier runs. */
  restore(first: number, last: number): void {
    this.#first = first
    this.#last = last
    this.#options.monitors.restored(last)
  }

  /** Starts anew: the cluster has no memory of what was recorded. */
  forget(): void {
    this.#cache = []
    this.#cachedBytes = 0
    this.#first = 0
    this.#last = 0
    this.#options.monitors.forget()
    this.#options.recording.write({ kind: 'forget-log' })
  }

  /** The recorder that took over holds entries up to `last`: it is given again what it misses, as far as that is in memory. */
  rewrite(last: number): void {
    for (const { entry } of this.#cache) if (entry.seq > last) this.#options.recording.write({ kind: 'entry', entry })
  }

  /**
   * Takes what replica `source` gave as its history after `last`, ascending. `skipped`: the replica no longer holds what lies
   * between. False when something in it is not what it claims to be; what was before it is kept.
   */
  take(entries: readonly HistoryEntry[], source: number, skipped: boolean): boolean {
    for (const entry of entries) {
      if (entry.seq <= this.#last) continue
      const bytes = Buffer.from(entry.batch, 'base64')
      const batch = decodeBatch(bytes)
      if (sha256(bytes) !== entry.digest || !batch.ok) return false
      this.#options.monitors.committed(source, entry.seq, entry.digest)
      const logged: LoggedRequest[] = batch.value.requests.map((request, i) => ({
        client: request.client,
        timestamp: request.timestamp,
        result: entry.results[i] ?? '',
      }))
      const duplicates = this.#options.monitors.logged(entry.seq, logged, skipped)
      const requests: LogRequest[] = batch.value.requests.map((request, i) => ({
        client: request.client,
        timestamp: request.timestamp,
        operation: decodeOperation(request.operation),
        result: duplicates[i] === true ? null : decodeResult(Buffer.from(entry.results[i] ?? '', 'base64')),
      }))
      this.#add({ seq: entry.seq, view: entry.view, digest: entry.digest, timeMs: batch.value.timeMs, requests }, bytes.length)
    }
    return true
  }

  /** `asOf`: as it was then; null: as it is now. Errors: `bad-request` for a broken filter, or what keeps the recorder from answering. */
  async page(after: number, limit: number, filter: LogFilter, asOf: LogMoment | null): Promise<Result<LogPage>> {
    const problem = filterProblem(filter)
    if (problem !== null) return fail('bad-request', problem, [{ path: 'filter.text', message: problem }])
    const cachedFrom = this.#cache[0]?.entry.seq
    // An expression is tried in the recorder only: this process may not be kept busy by one.
    const here = !hasRegex(filter)
    if (here && (after >= this.#last || (cachedFrom !== undefined && after + 1 >= cachedFrom)))
      return ok(this.#cachedPage(after, limit, filter, asOf))
    const found = await this.#options.recording.query('log', { after, limit, filter, upTo: asOf?.seq ?? Number.MAX_SAFE_INTEGER })
    // Without a recorder: what is in memory, and `first` says how little that is.
    if (found === null && !here) return fail('busy', 'the recorder, which tries expressions, is not there: try again in a moment')
    if (found === null) return ok({ ...this.#cachedPage(after, limit, filter, asOf), first: cachedFrom ?? 0 })
    if (!found.ok) return found
    this.#first = found.value.first
    return ok({
      entries: found.value.entries.map((entry) => this.#withLedger(entry, entry.rows, asOf)),
      next: found.value.next,
      first: found.value.first,
      last: Math.min(Math.max(this.#last, found.value.last), asOf?.seq ?? Infinity),
    })
  }

  /** Error `not-found` when the entry is not (or no longer) known. */
  async entry(seq: number, asOf: LogMoment | null): Promise<Result<LogEntryDetail>> {
    if (asOf !== null && seq > asOf.seq) return fail('not-found', `there was no entry with seq ${seq} then: the log went to ${asOf.seq}`)
    const cached = this.#cache.find(({ entry }) => entry.seq === seq)?.entry
    if (cached !== undefined) return ok(this.#detail(cached, [], asOf))
    const found = await this.#options.recording.query('entry', { seq })
    if (found?.ok === false) return found
    if (found === null || found.value === null)
      return fail('not-found', `there is no entry with seq ${seq}: the log goes from ${this.#first} to ${this.#last}`)
    return ok(this.#detail(found.value, found.value.rows, asOf))
  }

  #add(entry: RecordedEntry, bytes: number): void {
    if (this.#first === 0) this.#first = entry.seq
    this.#last = entry.seq
    this.#cache.push({ entry, bytes })
    this.#cachedBytes += bytes
    while (this.#cache.length > cachedEntriesMax || (this.#cachedBytes > cachedBytesMax && this.#cache.length > 1)) {
      this.#cachedBytes -= this.#cache.shift()?.bytes ?? 0
    }
    this.#options.recording.write({ kind: 'entry', entry })
  }

  #cachedPage(after: number, limit: number, filter: LogFilter, asOf: LogMoment | null): LogPage {
    const matches = matcherOf(filter)
    const upTo = asOf?.seq ?? Infinity
    const found = this.#cache.filter(({ entry }) => entry.seq > after && entry.seq <= upTo && matches(entry)).map(({ entry }) => entry)
    const entries = found.slice(0, limit).map((entry) => this.#withLedger(entry, [], asOf))
    const next = found.length > limit ? (entries.at(-1)?.seq ?? null) : null
    return { entries, next, first: this.#first, last: Math.min(this.#last, upTo) }
  }

  #withLedger(entry: RecordedEntry, recorded: readonly LedgerRow[], asOf: LogMoment | null): LogEntry {
    const rows = this.#rows(entry.seq, recorded, asOf)
    const { seq, view, digest, timeMs, requests } = entry
    return { seq, view, digest, timeMs, requests, replicas: phasesOf(rows), latencyMs: latencyOf(rows) }
  }

  #detail(entry: RecordedEntry | RecordedEntryWithLedger, recorded: readonly LedgerRow[], asOf: LogMoment | null): LogEntryDetail {
    const { n } = this.#options
    return {
      ...this.#withLedger(entry, recorded, asOf),
      ledger: this.#rows(entry.seq, recorded, asOf),
      quorum: quorumSize(n),
      primary: primaryOf(asView(entry.view), n),
    }
  }

  /** What is observed now goes before what an earlier run observed, replica by replica. */
  #rows(seq: number, recorded: readonly LedgerRow[], asOf: LogMoment | null): LedgerRow[] {
    const live = this.#options.ledger.rows(seq)
    const known = new Set(live.filter((row) => !row.transferred).map((row) => row.replica))
    const earlier = recorded.filter((row) => !known.has(row.replica))
    const replaced = new Set(earlier.map((row) => row.replica))
    const rows = [...live.filter((row) => !replaced.has(row.replica)), ...earlier].sort((a, b) => a.replica - b.replica)
    return asOf === null ? rows : rowsAsOf(seq, rows, asOf)
  }
}
