/**
 * A replica's disk: what is appended is in memory until a flush; a crash keeps what was flushed and, as a real one may, some of
 * what was on its way. Records go through the codec both ways.
 */
import type { LogRecord, PartitionBytes, Persisted } from '../protocol/records.ts'
import type { DiskOrigin } from '../protocol/steps.ts'
import { decodeRecord, encodeRecord } from '../wire/index.ts'
import type { Random } from './random.ts'

interface Stored {
  readonly bytes: Uint8Array
  readonly partitions: readonly PartitionBytes[]
}

export interface DiskCopy {
  readonly log: readonly Stored[]
  readonly partitions: ReadonlyMap<number, Uint8Array>
}

export class SimDisk {
  readonly #random: Random
  /** What is durable, after compaction. */
  #log: Stored[] = []
  readonly #partitions = new Map<number, Uint8Array>()
  #buffer: Stored[] = []
  #appended = 0
  #durable = 0
  #wasBorn = false

  constructor(random: Random) {
    this.#random = random
  }

  /** What a start finds. Empty is genesis only as long as nothing has ever become durable: the first leave to begin is used up then. */
  get origin(): DiskOrigin {
    if (this.#log.length > 0) return 'kept'
    return this.#wasBorn ? 'lost' : 'genesis'
  }

  /** How many records were appended and how many of them would survive a crash, since the last start. */
  get appended(): number {
    return this.#appended
  }

  get durable(): number {
    return this.#durable
  }

  append(record: LogRecord): void {
    this.#buffer.push({ bytes: encodeRecord(record), partitions: record.kind === 'checkpoint' ? record.partitions : [] })
    this.#appended++
  }

  /** Makes everything durable that was among the first `position` records. */
  flush(position: number): void {
    let compact = false
    for (; this.#durable < position; this.#durable++) {
      const stored = this.#buffer.shift()!
      this.#log.push(stored)
      this.#wasBorn = true
      for (const partition of stored.partitions) this.#partitions.set(partition.index, partition.bytes)
      compact ||= readRecord(stored.bytes).kind === 'stable'
    }
    // Dropping is allowed, not required, and may come late.
    if (compact && this.#random.chance(0.7)) this.#compact()
  }

  /** The process dies: some part of the buffer, from its start, may have reached the disk. Returns how many records survive. */
  crash(): number {
    if (this.#random.chance(0.3)) this.flush(this.#durable + this.#random.whole(0, this.#buffer.length))
    const survive = this.#durable
    this.#buffer = []
    this.#appended = 0
    this.#durable = 0
    return survive
  }

  /** Nothing is left, not even the leave to begin. */
  wipe(): void {
    this.crash()
    this.#log = []
    this.#partitions.clear()
    this.#wasBorn = true
  }

  /** Keeps what would survive a crash now; null when nothing would. */
  copy(): DiskCopy | null {
    return this.#log.length === 0 ? null : { log: this.#log.slice(), partitions: new Map(this.#partitions) }
  }

  putBack(copy: DiskCopy): void {
    this.wipe()
    this.#log = copy.log.slice()
    for (const [index, bytes] of copy.partitions) this.#partitions.set(index, bytes)
  }

  load(): Persisted {
    return {
      partitions: [...this.#partitions].toSorted(([a], [b]) => a - b).map(([index, bytes]) => ({ index, bytes })),
      records: this.#log.map((stored) => readRecord(stored.bytes)),
    }
  }

  /** Drops what records.ts lets go. */
  #compact(): void {
    const records = this.#log.map((stored) => readRecord(stored.bytes))
    const lastOf = (kind: LogRecord['kind']): number => records.findLastIndex((record) => record.kind === kind)
    const lastStable = records[lastOf('stable')]
    if (lastStable?.kind !== 'stable') return
    const base = records[lastOf('checkpoint')]
    const through = Math.min(lastStable.stable.seq, base?.kind === 'checkpoint' ? base.message.seq : 0)
    const isKept = (record: LogRecord, index: number): boolean => {
      switch (record.kind) {
        case 'pre-prepared':
        case 'prepared':
        case 'executed':
        case 'batch':
          return record.seq > through
        case 'checkpoint':
          return true
        default:
          return index === lastOf(record.kind)
      }
    }
    this.#log = this.#log.filter((_, index) => isKept(records[index]!, index))
  }
}

function readRecord(bytes: Uint8Array): LogRecord {
  const decoded = decodeRecord(bytes)
  if (!decoded.ok) throw new Error(`a record that was written does not read: ${decoded.reason}`)
  return decoded.value
}
