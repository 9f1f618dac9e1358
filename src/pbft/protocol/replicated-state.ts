/**
 * Everything that replicas agree on: the service's state, the reply cache and the agreed time, as the leaves of one
 * partition tree. Leaves: the service's partitions, then the reply cache's, then one of the core's own with the time.
 */
import { assertThat } from './assert.ts'
import { ByteReader, ByteWriter } from './bytes.ts'
import type { Copied } from './copy.ts'
import type { Digest, SeqNo } from './ids.ts'
import type { Batch, Request } from './messages.ts'
import { PartitionTree, type DigestFunction, type TreeSnapshot } from './partition-tree.ts'
import type { PartitionBytes } from './records.ts'
import { REPLY_PARTITIONS, ReplyCache, type ReplyBounds } from './reply-cache.ts'
import type { Service } from './service.ts'

/**
 * Results of one batch together, bytes: they make one record. Many clients may ask for large values at once.
 * Results up to `RESULT_BYTES_ALWAYS` each are given also beyond it.
 */
export const RESULT_BYTES_PER_BATCH_MAX = 8_388_608
const RESULT_BYTES_ALWAYS = 256

/**
 * How far a request's timestamp may be ahead of agreed time, ms: a day. A floor must not rise so far that a principal's good clocks
 * stay below it; clocks that are set back a few hours, replicas' or clients', must stop nobody.
 */
export const TIMESTAMP_AHEAD_MAX_MS = 86_400_000

const NO_BYTES = new Uint8Array(0)

/** Time 0 is the empty partition, as every empty state is. */
const saveTime = (timeMs: number): Uint8Array => {
  if (timeMs === 0) return NO_BYTES
  const writer = new ByteWriter(8)
  writer.u53(timeMs)
  return writer.finish()
}

const loadTime = (bytes: Uint8Array): number | null => {
  if (bytes.length === 0) return 0
  const reader = new ByteReader(bytes)
  const timeMs = reader.u53()
  return reader.atEnd && timeMs > 0 ? timeMs : null
}

/** What a copy begins with. */
interface Known {
  readonly replies: ReplyCache
  readonly tree: PartitionTree
}

/** What a request would be answered if its batch were executed next. */
export interface TentativeResult {
  readonly request: Request
  readonly result: Uint8Array
}

export class ReplicatedState {
  readonly service: Service
  readonly replies: ReplyCache
  readonly #tree: PartitionTree
  readonly #timeLeaf: number
  readonly #digest: DigestFunction
  readonly #bounds: ReplyBounds
  /** Leaves that changed since the last checkpoint record. */
  readonly #changed = new Set<number>()
  #timeMs = 0
  #timeSaved = 0

  /** `service` is in its empty state: its partitions as they are now make the genesis. */
  constructor(digest: DigestFunction, service: Service, bounds: ReplyBounds, known?: Known) {
    this.service = service
    this.replies = known?.replies ?? new ReplyCache(bounds)
    this.#timeLeaf = service.partitionCount + REPLY_PARTITIONS
    this.#bounds = bounds
    this.#digest = digest
    if (known !== undefined) {
      this.#tree = known.tree
      return
    }
    const leaves: Uint8Array[] = []
    for (let index = 0; index < service.partitionCount; index++) leaves.push(service.savePartition(index))
    for (let index = 0; index <= REPLY_PARTITIONS; index++) leaves.push(NO_BYTES)
    service.takeDirtyPartitions()
    this.#tree = new PartitionTree(digest, leaves)
  }

  /** A copy that goes its own way, around `service`, a copy of this one's. */
  copy(copied: Copied, service: Service): ReplicatedState {
    const copy = new ReplicatedState(this.#digest, service, this.#bounds, { replies: copied(this.replies), tree: this.#tree.copy() })
    for (const index of this.#changed) copy.#changed.add(index)
    copy.#timeMs = this.#timeMs
    copy.#timeSaved = this.#timeSaved
    return copy
  }

  /** Agreed time of the last executed batch, ms. */
  get timeMs(): number {
    return this.#timeMs
  }

  get partitionCount(): number {
    return this.#timeLeaf + 1
  }

  /**
   * Executes a batch and returns the results in the order of its requests. A request whose timestamp is not above its
   * client's last is not executed again; its result is the cached one, or empty when a later one has replaced that.
   */
  execute(seq: SeqNo, batch: Batch): Uint8Array[] {
    if (batch.timeMs > this.#timeMs) this.#timeMs = batch.timeMs
    const results: Uint8Array[] = []
    let room = RESULT_BYTES_PER_BATCH_MAX
    for (const request of batch.requests) {
      const known = this.replies.get(request.client)
      if (known !== undefined && request.timestamp <= known.timestamp) {
        results.push(request.timestamp === known.timestamp ? known.result : NO_BYTES)
        continue
      }
      if (known === undefined && this.replies.isExpired(request.client, request.timestamp)) {
        results.push(this.service.refusal('expired'))
        continue
      }
      const resultBytesMax = Math.max(room, RESULT_BYTES_ALWAYS)
      // Remembered like any other, so that it stays unexecuted also when its time has come.
      const isAhead = request.timestamp > (this.#timeMs + TIMESTAMP_AHEAD_MAX_MS) * 1_000
      const result = isAhead
        ? this.service.refusal('clock-ahead')
        : this.service.execute(request.operation, { client: request.client, timeMs: this.#timeMs, resultBytesMax })
      room -= result.length
      this.replies.put(request.client, request.timestamp, seq, result)
      results.push(result)
    }
    return results
  }

  /**
   * What the requests of a batch would be answered if it were executed now. Executes it and takes it back at once, so that nobody ever
   * sees the state that nothing has committed. Requests that were executed before, or that a later one of their client follows, are left out.
   */
  executeTentatively(seq: SeqNo, batch: Batch): TentativeResult[] {
    const timeMs = this.#timeMs
    const results = this.service.takingBack(() =>
      this.replies.takingBack(() => {
        this.execute(seq, batch)
        return batch.requests.flatMap((request) => {
          const cached = this.replies.get(request.client)
          return cached?.seq === seq && cached.timestamp === request.timestamp ? [{ request, result: cached.result }] : []
        })
      }),
    )
    this.#timeMs = timeMs
    return results
  }

  /** Brings the tree up to date with the state. */
  #refresh(): void {
    for (const index of this.service.takeDirtyPartitions()) this.#put(index, this.service.savePartition(index))
    for (const index of this.replies.takeDirty()) this.#put(this.service.partitionCount + index, this.replies.save(index))
    if (this.#timeSaved !== this.#timeMs) {
      this.#timeSaved = this.#timeMs
      this.#put(this.#timeLeaf, saveTime(this.#timeMs))
    }
  }

  #put(index: number, bytes: Uint8Array): void {
    this.#tree.set(index, bytes)
    this.#changed.add(index)
  }

  root(): Digest {
    this.#refresh()
    return this.#tree.root()
  }

  snapshot(): TreeSnapshot {
    this.#refresh()
    return this.#tree.snapshot()
  }

  /** Partitions that changed since the last call, for a checkpoint record. */
  takeChanged(): PartitionBytes[] {
    this.#refresh()
    const changed = [...this.#changed].sort((a, b) => a - b).map((index) => ({ index, bytes: this.#tree.leaf(index) }))
    this.#changed.clear()
    return changed
  }

  /**
   * Puts back one partition from disk, where it may have been damaged: bytes that are no partition leave it as it was. Whether the
   * state is right only the root tells. Until `forgetChanges` the next checkpoint record rewrites every partition that was put back.
   */
  load(index: number, bytes: Uint8Array): void {
    if (this.#parse(index, bytes)) this.#put(index, bytes)
    else if (index <= this.#timeLeaf) this.#changed.add(index)
  }

  /** False, and nothing changed, when the bytes are not those of this partition. */
  #parse(index: number, bytes: Uint8Array): boolean {
    const replies = index - this.service.partitionCount
    if (replies < 0) return this.service.loadPartition(index, bytes)
    if (index < this.#timeLeaf) return this.replies.load(replies, bytes)
    const timeMs = loadTime(bytes)
    if (timeMs === null || index !== this.#timeLeaf) return false
    this.#timeMs = timeMs
    this.#timeSaved = timeMs
    return true
  }

  /** Makes the state that of `target`, loading only what differs from the tree. */
  loadAll(target: readonly Uint8Array[], digests: readonly Digest[]): void {
    this.#refresh()
    target.forEach((bytes, index) => {
      if (this.#tree.leafDigest(index) === digests[index]) return
      assertThat(this.#parse(index, bytes), 'a verified partition loads')
      this.#put(index, bytes)
    })
    // Loading may mark partitions as dirty in the service; saving them again would be work for nothing.
    this.service.takeDirtyPartitions()
    this.replies.takeDirty()
  }

  /** What was restored from disk is no change against the disk. */
  forgetChanges(): void {
    this.#refresh()
    this.#changed.clear()
  }
}
