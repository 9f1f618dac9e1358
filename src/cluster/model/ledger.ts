/**
 * Who got how far with which sequence number, and when: the last so many of them, in flat arrays (100,000 seqs of a replica
 * cost about 5 MB). Times are ms since the epoch on the host's clock; 0 stands for "not observed".
 */
import type { SlotObservation } from '../../contract/control.ts'
import type { LogMoment } from '../../contract/api.ts'
import type { LedgerRow, SlotPhase } from '../../contract/model.ts'
import { hundredths } from './metrics.ts'

const seqsMax = 100_000
/** Keeps a large cluster's ledger to about 60 MB. */
const cellsMax = 1_200_000

interface Column {
  readonly seq: Float64Array
  readonly view: Float64Array
  readonly prePreparedAt: Float64Array
  readonly preparedAt: Float64Array
  readonly committedAt: Float64Array
  readonly executedAt: Float64Array
  readonly transferred: Uint8Array
  readonly digest: string[]
}

const newColumn = (size: number): Column => ({
  seq: new Float64Array(size),
  view: new Float64Array(size),
  prePreparedAt: new Float64Array(size),
  preparedAt: new Float64Array(size),
  committedAt: new Float64Array(size),
  executedAt: new Float64Array(size),
  transferred: new Uint8Array(size),
  digest: [],
})

export class Ledger {
  readonly #n: number
  readonly #size: number
  #columns: readonly Column[]
  readonly #dirty = new Set<number>()
  /** Highest seq with any observation. */
  #last = 0
  /** Lowest seq with any observation: what came before this host began to watch is not its matter. */
  #lowest = Infinity
  #executed = 0

  constructor(n: number) {
    this.#n = n
    this.#size = Math.min(seqsMax, Math.floor(cellsMax / n))
    this.#columns = Array.from({ length: n }, () => newColumn(this.#size))
  }

  get last(): number {
    return this.#last
  }

  /** Highest seq executed anywhere. */
  get lastExecuted(): number {
    return this.#executed
  }

  /** Lowest seq that can still be held. */
  get first(): number {
    return Math.max(1, this.#last - this.#size + 1)
  }

  /** Takes one observation of a replica whose clock is `offsetMs` ahead of the host's. Older than what is kept: ignored. */
  observe(replica: number, slot: SlotObservation, offsetMs: number): void {
    const column = this.#columns[replica]
    if (column === undefined || slot.seq < this.first || slot.seq === 0) return
    this.#last = Math.max(this.#last, slot.seq)
    this.#lowest = Math.min(this.#lowest, slot.seq)
    const at = this.#claim(column, slot.seq)
    // A later view agrees once more on what was executed in an earlier one; what counts is when it was executed.
    if (slot.executedAt === null && (column.executedAt[at] ?? 0) !== 0 && column.digest[at] === slot.digest) return
    const own = (time: number | null): number => (time === null ? 0 : time - offsetMs)
    column.view[at] = slot.view
    column.digest[at] = slot.digest
    column.prePreparedAt[at] = own(slot.prePreparedAt)
    column.preparedAt[at] = own(slot.preparedAt)
    column.committedAt[at] = own(slot.committedAt)
    column.executedAt[at] = own(slot.executedAt)
    if (slot.executedAt !== null) column.transferred[at] = 0
    if (slot.executedAt !== null) this.#executed = Math.max(this.#executed, slot.seq)
    this.#dirty.add(slot.seq)
  }

  /** A replica reports to be past `upTo`: seqs it was not seen to execute came with a state transfer (or before it was watched). */
  passed(replica: number, upTo: number): void {
    const column = this.#columns[replica]
    if (column === undefined) return
    for (let seq = Math.min(upTo, this.#last); seq >= Math.max(this.first, this.#lowest); seq -= 1) {
      const at = this.#claim(column, seq)
      if (column.transferred[at] === 1 || column.executedAt[at] !== 0) break
      column.transferred[at] = 1
      this.#dirty.add(seq)
    }
  }

  /** Another log begins: what was seen belongs to the one before. */
  forget(): void {
    this.#columns = this.#columns.map(() => newColumn(this.#size))
    this.#dirty.clear()
    this.#last = 0
    this.#lowest = Infinity
    this.#executed = 0
  }

  row(replica: number, seq: number): LedgerRow | null {
    const column = this.#columns[replica]
    const at = seq % this.#size
    if (column === undefined || seq < this.first || column.seq[at] !== seq) return null
    const time = (value: number | undefined): number | null => (value === undefined || value === 0 ? null : value)
    return {
      replica,
      view: column.view[at] ?? 0,
      digest: column.digest[at] ?? '',
      prePreparedAt: time(column.prePreparedAt[at]),
      preparedAt: time(column.preparedAt[at]),
      committedAt: time(column.committedAt[at]),
      executedAt: time(column.executedAt[at]),
      transferred: column.transferred[at] === 1,
    }
  }

  /** The rows of one seq, by replica; those without any word are left out. */
  rows(seq: number): LedgerRow[] {
    const rows: LedgerRow[] = []
    for (let replica = 0; replica < this.#n; replica += 1) {
      const row = this.row(replica, seq)
      if (row !== null) rows.push(row)
    }
    return rows
  }

  /** The lowest seq above the last executed one that some replica pre-prepared, and how many have got how far with it. */
  frontier(): { seq: number; phase: 'pre-prepared' | 'prepared'; have: number } | null {
    for (let seq = this.#executed + 1; seq <= this.#last; seq += 1) {
      const rows = this.rows(seq)
      const prepared = rows.filter((row) => row.preparedAt !== null).length
      const prePrepared = rows.filter((row) => row.prePreparedAt !== null).length
      if (prepared > 0) return { seq, phase: 'prepared', have: prepared }
      if (prePrepared > 0) return { seq, phase: 'pre-prepared', have: prePrepared }
    }
    return null
  }

  /** Seqs that changed since the last call, ascending. */
  takeDirty(): number[] {
    const seqs = [...this.#dirty].filter((seq) => seq >= this.first).sort((a, b) => a - b)
    this.#dirty.clear()
    return seqs
  }

  #claim(column: Column, seq: number): number {
    const at = seq % this.#size
    if (column.seq[at] !== seq) {
      column.seq[at] = seq
      column.view[at] = 0
      column.digest[at] = ''
      column.prePreparedAt[at] = column.preparedAt[at] = column.committedAt[at] = column.executedAt[at] = 0
      column.transferred[at] = 0
    }
    return at
  }
}

/** How far a replica got, by its row. */
const phaseOf = (row: LedgerRow): SlotPhase | null => {
  if (row.executedAt !== null) return 'executed'
  if (row.transferred) return 'transferred'
  if (row.committedAt !== null) return 'committed'
  if (row.preparedAt !== null) return 'prepared'
  return row.prePreparedAt === null ? null : 'pre-prepared'
}

/** Phases by replica id. */
export const phasesOf = (rows: readonly LedgerRow[]): Record<string, SlotPhase> => {
  const phases: Record<string, SlotPhase> = {}
  for (const row of rows) {
    const phase = phaseOf(row)
    if (phase !== null) phases[row.replica] = phase
  }
  return phases
}

/** First pre-prepare to first execution, ms; null when either was not observed. Never negative, whatever the clocks say. */
export const latencyOf = (rows: readonly LedgerRow[]): number | null => {
  const earliest = (times: readonly (number | null)[]): number => Math.min(...times.map((time) => time ?? Infinity))
  const latency = earliest(rows.map((row) => row.executedAt)) - earliest(rows.map((row) => row.prePreparedAt))
  return Number.isFinite(latency) ? hundredths(Math.max(0, latency)) : null
}

/** What was so at a moment. Of what a replica fetched it is not known when: it had it once it said to have executed as far. */
export const rowsAsOf = (seq: number, rows: readonly LedgerRow[], { at, executed }: LogMoment): LedgerRow[] => {
  const until = (time: number | null): number | null => (time !== null && time <= at ? time : null)
  return rows
    .map((row) => ({
      ...row,
      prePreparedAt: until(row.prePreparedAt),
      preparedAt: until(row.preparedAt),
      committedAt: until(row.committedAt),
      executedAt: until(row.executedAt),
      transferred: row.transferred && seq <= (executed[row.replica] ?? 0),
    }))
    .filter((row) => phaseOf(row) !== null)
}
