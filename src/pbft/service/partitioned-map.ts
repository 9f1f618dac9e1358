/** Maps from text, split by a hash of the key into partitions that are saved and loaded one by one. */
import { FieldReader, FieldWriter, textBytes } from './fields.ts'
import type { UndoLog } from '../protocol/undo-log.ts'
import { keyUnitsMax } from './operations.ts'

/**
 * A partition takes no more bytes than this, so that it always fits into one message of a state transfer; whoever aims keys at
 * one partition is refused, not the replicas that have to copy it.
 */
export const partitionBytesMax = 16 * 1_048_576

/** How values are laid out in saved partitions. `read` fails the reader for what is not canonical. */
export interface ValueFormat<V> {
  bytes(value: V): number
  write(writer: FieldWriter, value: V): void
  read(reader: FieldReader): V
}

interface Entry<V> {
  value: V
  /** Of the entry's saved form. */
  bytes: number
}

interface Partition<V> {
  readonly entries: Map<string, Entry<V>>
  /** Of its saved form. */
  bytes: number
}

export class PartitionedMap<V> {
  readonly #partitions: Partition<V>[]
  readonly #dirty: boolean[]
  /** Partitions that no copy shares: only these may be changed. */
  readonly #own: boolean[]
  readonly #format: ValueFormat<V>
  readonly #undo: UndoLog

  constructor(partitionCount: number, format: ValueFormat<V>, undo: UndoLog) {
    this.#undo = undo
    this.#partitions = Array.from({ length: partitionCount }, () => ({ entries: new Map<string, Entry<V>>(), bytes: 0 }))
    this.#dirty = Array.from({ length: partitionCount }, () => false)
    this.#own = this.#dirty.map(() => true)
    this.#format = format
  }

  /** A copy that goes its own way. Costs little: partitions are shared until one of the two changes them. */
  copy(undo: UndoLog): PartitionedMap<V> {
    const map = new PartitionedMap<V>(0, this.#format, undo)
    map.#partitions.push(...this.#partitions)
    map.#dirty.push(...this.#dirty)
    this.#own.fill(false)
    map.#own.push(...this.#own)
    return map
  }

  /** The partition, to be changed. */
  #ownPartition(index: number): Partition<V> {
    const partition = this.#partitions[index]!
    if (this.#own[index]) return partition
    const entries = new Map<string, Entry<V>>()
    for (const [key, entry] of partition.entries) entries.set(key, { ...entry })
    this.#own[index] = true
    return (this.#partitions[index] = { entries, bytes: partition.bytes })
  }

  get(key: string): V | undefined {
    return this.#partitions[this.#indexOf(key)]!.entries.get(key)?.value
  }

  /** False, and nothing changed, when the partition would grow above its limit. */
  set(key: string, value: V): boolean {
    const index = this.#indexOf(key)
    const partition = this.#ownPartition(index)
    const entry = partition.entries.get(key)
    const bytes = textBytes(key) + this.#format.bytes(value)
    const total = partition.bytes - (entry?.bytes ?? 0) + bytes
    if (total > partitionBytesMax) return false
    if (this.#undo.isOpen) this.#note(partition, key, entry)
    if (entry === undefined) partition.entries.set(key, { value, bytes })
    else {
      entry.value = value
      entry.bytes = bytes
    }
    partition.bytes = total
    this.#dirty[index] = true
    return true
  }

  delete(key: string): void {
    const index = this.#indexOf(key)
    const partition = this.#ownPartition(index)
    const previous = partition.entries.get(key)
    if (previous === undefined) return
    if (this.#undo.isOpen) this.#note(partition, key, previous)
    partition.entries.delete(key)
    partition.bytes -= previous.bytes
    this.#dirty[index] = true
  }

  /** How `key` is to be put back. */
  #note(partition: Partition<V>, key: string, entry: Entry<V> | undefined): void {
    const { bytes } = partition
    const before = entry === undefined ? null : { ...entry }
    this.#undo.note(() => {
      partition.bytes = bytes
      if (before === null) partition.entries.delete(key)
      else partition.entries.set(key, before)
    })
  }

  /** Indices whose partition changed since the last call, ascending; clears the set. */
  takeDirty(): number[] {
    const list: number[] = []
    for (let index = 0; index < this.#dirty.length; index++) if (this.#dirty[index]) list.push(index)
    this.#dirty.fill(false)
    return list
  }

  /** The entries one after another, ascending by the key's UTF-16 units. */
  save(index: number): Uint8Array {
    const partition = this.#partitions[index]!
    const writer = new FieldWriter(partition.bytes)
    // toSorted() without a comparator orders strings by their UTF-16 units.
    for (const key of [...partition.entries.keys()].toSorted()) {
      writer.text(key)
      this.#format.write(writer, partition.entries.get(key)!.value)
    }
    return writer.bytes
  }

  /** False, and nothing changed, when the bytes are not what `save(index)` of some state gives. */
  load(index: number, bytes: Uint8Array): boolean {
    if (bytes.length > partitionBytesMax) return false
    const entries = new Map<string, Entry<V>>()
    const reader = new FieldReader(bytes)
    let previous = ''
    while (reader.more) {
      const key = reader.text(1, keyUnitsMax)
      const value = this.#format.read(reader)
      if (key <= previous || this.#indexOf(key) !== index) return false
      entries.set(key, { value, bytes: textBytes(key) + this.#format.bytes(value) })
      previous = key
    }
    if (!reader.complete) return false
    this.#partitions[index] = { entries, bytes: bytes.length }
    this.#own[index] = true
    this.#dirty[index] = true
    return true
  }

  /** Keys of a partition that are not in both maps with the same value, ascending. */
  differingKeys(index: number, other: PartitionedMap<V>): string[] {
    const [mine, theirs] = [this.#partitions[index]!.entries, other.#partitions[index]!.entries]
    const keys = new Set([...mine.keys(), ...theirs.keys()])
    return [...keys].filter((key) => mine.get(key)?.value !== theirs.get(key)?.value).toSorted()
  }

  #indexOf(key: string): number {
    return hashOf(key) % this.#partitions.length
  }
}

/** FNV-1a over the UTF-16 units, then MurmurHash3's finalizer, since FNV's low bits alone are weak. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < key.length; i++) {
    const unit = key.charCodeAt(i)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >> 8), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
