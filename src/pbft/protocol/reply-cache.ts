/**
 * The reply cache: each client session's last timestamp and reply. It is part of the replicated state, in partitions of its own, so
 * that exactly-once holds across state transfer. Bounded: of each principal so many sessions and bytes are remembered, and when one
 * goes, the principal's floor rises to its timestamp. What an unknown session asks with a timestamp at or below the floor may have
 * been executed before, so it is not executed again.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Copied } from './copy.ts'
import { asClientId, asClientTimestamp, asSeqNo, principalOf, type ClientId, type ClientTimestamp, type SeqNo } from './ids.ts'
import { UndoLog } from './undo-log.ts'

export const REPLY_PARTITIONS = 64

/** Of one partition, bytes: with the largest result on top it still fits into one message of a state transfer. */
export const REPLY_PARTITION_BYTES_MAX = 16_777_216

/** What an entry costs beside its result, at most, bytes. */
const ENTRY_BYTES = 420

export interface ReplyBounds {
  readonly sessionsPerPrincipalMax: number
  /** A single result above it stays all the same: it is one. */
  readonly replyBytesPerPrincipalMax: number
}

export interface CachedReply {
  readonly client: ClientId
  timestamp: ClientTimestamp
  /** Where the request was executed. */
  seq: SeqNo
  result: Uint8Array
}

/** An entry with the place that it has, which spares the look-ups. */
interface PlacedReply extends CachedReply {
  readonly principal: Principal
}

interface Principal {
  readonly name: string
  /** Index of its partition. */
  readonly partition: number
  /** Highest timestamp of a forgotten session; -1: none was. */
  floor: number
  bytes: number
  readonly sessions: Map<ClientId, PlacedReply>
}

interface Partition {
  bytes: number
  readonly principals: Map<string, Principal>
}

/** FNV-1a over the code units of the principal: the same at every replica. */
export const replyPartitionOf = (client: ClientId): number => {
  const name = principalOf(client)
  let hash = 0x811c9dc5
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % REPLY_PARTITIONS
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
const costOf = (entry: CachedReply): number => ENTRY_BYTES + entry.result.length

export class ReplyCache {
  readonly #replies = new Map<ClientId, PlacedReply>()
  readonly #partitions: Partition[] = Array.from({ length: REPLY_PARTITIONS }, () => ({ bytes: 0, principals: new Map() }))
  readonly #dirty = new Set<number>()
  readonly #undo = new UndoLog()
  readonly #bounds: ReplyBounds

  constructor(bounds: ReplyBounds) {
    this.#bounds = bounds
  }

  /** A copy that goes its own way. */
  copy(copied: Copied): ReplyCache {
    const cache = new ReplyCache(this.#bounds)
    for (const [client, entry] of this.#replies) cache.#replies.set(client, copied(entry))
    this.#partitions.forEach((partition, index) => (cache.#partitions[index] = copied(partition)))
    for (const index of this.#dirty) cache.#dirty.add(index)
    return cache
  }

  get(client: ClientId): CachedReply | undefined {
    return this.#replies.get(client)
  }

  /** Whether an unknown session's request may have been executed and forgotten. */
  isExpired(client: ClientId, timestamp: ClientTimestamp): boolean {
    if (this.#replies.has(client)) return false
    return timestamp <= (this.#partition(replyPartitionOf(client)).principals.get(principalOf(client))?.floor ?? -1)
  }

  /** Remembers a reply. */
  put(client: ClientId, timestamp: ClientTimestamp, seq: SeqNo, result: Uint8Array): void {
    const known = this.#replies.get(client)
    const before = known === undefined ? 0 : costOf(known)
    const entry = known ?? this.#add(client, timestamp, seq)
    const { principal } = entry
    const partition = this.#partition(principal.partition)
    if (this.#undo.isOpen) this.#noteEntry(partition, principal, known, client)
    entry.timestamp = timestamp
    entry.seq = seq
    entry.result = result
    principal.bytes += costOf(entry) - before
    partition.bytes += costOf(entry) - before
    this.#dirty.add(principal.partition)
    this.#shrink(partition, principal, client)
  }

  #add(client: ClientId, timestamp: ClientTimestamp, seq: SeqNo): PlacedReply {
    const principal = this.#principal(replyPartitionOf(client), principalOf(client))
    const entry: PlacedReply = { client, timestamp, seq, result: new Uint8Array(0), principal }
    principal.sessions.set(client, entry)
    this.#replies.set(client, entry)
    return entry
  }

  /** Runs `body` and takes back what it made this cache remember and forget. */
  takingBack<T>(body: () => T): T {
    return this.#undo.takingBack(body)
  }

  #noteEntry(partition: Partition, principal: Principal, known: PlacedReply | undefined, client: ClientId): void {
    const before = known === undefined ? null : { ...known }
    this.#noteBytes(partition, principal)
    this.#undo.note(() => {
      if (known !== undefined) return void Object.assign(known, before)
      principal.sessions.delete(client)
      this.#replies.delete(client)
    })
  }

  #noteBytes(partition: Partition, principal: Principal): void {
    const [ofPartition, ofPrincipal] = [partition.bytes, principal.bytes]
    this.#undo.note(() => {
      partition.bytes = ofPartition
      principal.bytes = ofPrincipal
    })
  }

  #noteForgetting(partition: Partition, principal: Principal, oldest: PlacedReply): void {
    const { floor } = principal
    this.#noteBytes(partition, principal)
    this.#undo.note(() => {
      principal.sessions.set(oldest.client, oldest)
      this.#replies.set(oldest.client, oldest)
      principal.floor = floor
    })
  }

  /** `kept` stays, whatever else has to go. What goes depends on the content only, not on how it came together. */
  #shrink(partition: Partition, principal: Principal, kept: ClientId): void {
    const { sessionsPerPrincipalMax, replyBytesPerPrincipalMax } = this.#bounds
    while (principal.sessions.size > sessionsPerPrincipalMax || principal.bytes > replyBytesPerPrincipalMax) {
      if (!this.#forgetOldest(partition, principal, kept)) break
    }
    while (partition.bytes > REPLY_PARTITION_BYTES_MAX) {
      const largest = [...partition.principals.values()].sort((a, b) => b.bytes - a.bytes || compare(a.name, b.name))
      if (!largest.some((candidate) => this.#forgetOldest(partition, candidate, kept))) break
    }
  }

  /** By (timestamp, client). False when there is none but `kept`. */
  #forgetOldest(partition: Partition, principal: Principal, kept: ClientId): boolean {
    let oldest: PlacedReply | null = null
    for (const entry of principal.sessions.values()) {
      if (entry.client === kept) continue
      const isOlder = oldest === null || entry.timestamp < oldest.timestamp
      if (isOlder || (entry.timestamp === oldest?.timestamp && entry.client < oldest.client)) oldest = entry
    }
    if (oldest === null) return false
    if (this.#undo.isOpen) this.#noteForgetting(partition, principal, oldest)
    principal.sessions.delete(oldest.client)
    this.#replies.delete(oldest.client)
    principal.bytes -= costOf(oldest)
    partition.bytes -= costOf(oldest)
    if (oldest.timestamp > principal.floor) principal.floor = oldest.timestamp
    return true
  }

  #partition(index: number): Partition {
    const partition = this.#partitions[index]
    if (partition === undefined) throw new Error('invariant broken: a reply partition lies in range')
    return partition
  }

  #principal(index: number, name: string): Principal {
    const { principals } = this.#partition(index)
    const known = principals.get(name)
    if (known !== undefined) return known
    const principal: Principal = { name, partition: index, floor: -1, bytes: 0, sessions: new Map() }
    principals.set(name, principal)
    if (this.#undo.isOpen) this.#undo.note(() => void principals.delete(name))
    return principal
  }

  /** Partitions that changed since the last call. */
  takeDirty(): number[] {
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    return dirty
  }

  /** Canonical bytes: principals ascending by name, each with its sessions ascending by client; an empty partition has none. */
  save(index: number): Uint8Array {
    const principals = [...this.#partition(index).principals.values()].sort((a, b) => compare(a.name, b.name))
    const writer = new ByteWriter(256)
    for (const { name, floor, sessions } of principals) {
      writer.text(name)
      writer.u53(floor + 1)
      writer.u32(sessions.size)
      for (const entry of [...sessions.values()].sort((a, b) => compare(a.client, b.client))) {
        writer.text(entry.client)
        writer.u53(entry.timestamp)
        writer.u53(entry.seq)
        writer.bytes(entry.result)
      }
    }
    return writer.finish()
  }

  /** Replaces a partition; false, with nothing changed, when the bytes are not canonical. */
  load(index: number, bytes: Uint8Array): boolean {
    const principals: Principal[] = []
    const reader = new ByteReader(bytes)
    while (!reader.failed && !reader.atEnd) {
      const principal = readPrincipal(reader, index)
      const last = principals.at(-1)
      if (principal === null || replyPartitionOf(asClientId(principal.name)) !== index) return false
      if (last !== undefined && last.name >= principal.name) return false
      principals.push(principal)
    }
    if (reader.failed) return false
    const partition = this.#partition(index)
    for (const { sessions } of partition.principals.values()) for (const client of sessions.keys()) this.#replies.delete(client)
    partition.principals.clear()
    partition.bytes = 0
    for (const principal of principals) {
      partition.principals.set(principal.name, principal)
      partition.bytes += principal.bytes
      for (const [client, entry] of principal.sessions) this.#replies.set(client, entry)
    }
    return true
  }
}

const readPrincipal = (reader: ByteReader, partition: number): Principal | null => {
  const principal: Principal = { name: reader.text(), partition, floor: reader.u53() - 1, bytes: 0, sessions: new Map() }
  const count = reader.u32()
  let last: string | null = null
  for (let i = 0; i < count && !reader.failed; i++) {
    const client = asClientId(reader.text())
    const entry = { client, timestamp: asClientTimestamp(reader.u53()), seq: asSeqNo(reader.u53()), result: reader.bytes(), principal }
    if (principalOf(client) !== principal.name || (last !== null && last >= client)) return null
    last = client
    principal.bytes += costOf(entry)
    principal.sessions.set(client, entry)
  }
  return reader.failed || (count === 0 && principal.floor < 0) ? null : principal
}
