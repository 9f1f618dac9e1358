/**
 * The reply cache: each client's last timestamp and reply. It is part of the replicated state, in partitions of its own, so
 * that exactly-once holds across state transfer.
 */
import { ByteReader, ByteWriter } from './bytes.ts'
import { asClientId, asClientTimestamp, asSeqNo, type ClientId, type ClientTimestamp, type SeqNo } from './ids.ts'

export const REPLY_PARTITIONS = 64

/**
 * Most client sessions remembered per partition. Beyond it the session whose last request is oldest is forgotten, at the
 * same sequence number by every replica; a duplicate that a client sends after that would execute again.
 */
export const SESSIONS_PER_PARTITION_MAX = 4_096

export interface CachedReply {
  readonly client: ClientId
  readonly partition: number
  timestamp: ClientTimestamp
  /** Where the request was executed. */
  seq: SeqNo
  result: Uint8Array
}

/** FNV-1a over the code units: the same at every replica. */
export const replyPartitionOf = (client: ClientId): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < client.length; i++) hash = Math.imul(hash ^ client.charCodeAt(i), 0x01000193)
  return (hash >>> 0) % REPLY_PARTITIONS
}

const byClient = (a: CachedReply, b: CachedReply): number => (a.client < b.client ? -1 : a.client > b.client ? 1 : 0)

export class ReplyCache {
  readonly #replies = new Map<ClientId, CachedReply>()
  readonly #partitions: Map<ClientId, CachedReply>[] = Array.from({ length: REPLY_PARTITIONS }, () => new Map<ClientId, CachedReply>())
  readonly #dirty = new Set<number>()
  readonly #sessionsMax: number

  constructor(sessionsMax = SESSIONS_PER_PARTITION_MAX) {
    this.#sessionsMax = sessionsMax
  }

  get(client: ClientId): CachedReply | undefined {
    return this.#replies.get(client)
  }

  /** Remembers a reply; `known` spares the look-up when the caller has the client's entry at hand. */
  put(known: CachedReply | undefined, client: ClientId, timestamp: ClientTimestamp, seq: SeqNo, result: Uint8Array): void {
    if (known !== undefined) {
      known.timestamp = timestamp
      known.seq = seq
      known.result = result
      this.#dirty.add(known.partition)
      return
    }
    const partition = replyPartitionOf(client)
    const members = this.#partition(partition)
    if (members.size >= this.#sessionsMax) this.#forgetOldest(members)
    const entry: CachedReply = { client, partition, timestamp, seq, result }
    this.#replies.set(client, entry)
    members.set(client, entry)
    this.#dirty.add(partition)
  }

  #partition(index: number): Map<ClientId, CachedReply> {
    const members = this.#partitions[index]
    if (members === undefined) throw new Error('invariant broken: a reply partition lies in range')
    return members
  }

  /** By (seq, client), which replicas agree on; insertion order would differ after a state transfer. */
  #forgetOldest(members: Map<ClientId, CachedReply>): void {
    let oldest: CachedReply | null = null
    for (const entry of members.values()) {
      if (oldest === null || entry.seq < oldest.seq || (entry.seq === oldest.seq && entry.client < oldest.client)) oldest = entry
    }
    if (oldest === null) return
    members.delete(oldest.client)
    this.#replies.delete(oldest.client)
  }

  /** Partitions that changed since the last call. */
  takeDirty(): number[] {
    const dirty = [...this.#dirty]
    this.#dirty.clear()
    return dirty
  }

  /** Canonical bytes: entries ascending by client; an empty partition has none. */
  save(partition: number): Uint8Array {
    const entries = [...this.#partition(partition).values()].sort(byClient)
    const writer = new ByteWriter(entries.length * 96 + 16)
    for (const entry of entries) {
      writer.text(entry.client)
      writer.u53(entry.timestamp)
      writer.u53(entry.seq)
      writer.bytes(entry.result)
    }
    return writer.finish()
  }

  /** Replaces a partition; false, with nothing changed, when the bytes are not canonical. */
  load(partition: number, bytes: Uint8Array): boolean {
    const entries: CachedReply[] = []
    const reader = new ByteReader(bytes)
    while (!reader.failed && !reader.atEnd) {
      const client = asClientId(reader.text())
      const timestamp = asClientTimestamp(reader.u53())
      const seq = asSeqNo(reader.u53())
      const result = reader.bytes()
      const last = entries.at(-1)
      if (replyPartitionOf(client) !== partition || (last !== undefined && last.client >= client)) return false
      entries.push({ client, partition, timestamp, seq, result })
    }
    if (reader.failed) return false
    const members = this.#partition(partition)
    for (const client of members.keys()) this.#replies.delete(client)
    members.clear()
    for (const entry of entries) {
      members.set(entry.client, entry)
      this.#replies.set(entry.client, entry)
    }
    return true
  }
}
