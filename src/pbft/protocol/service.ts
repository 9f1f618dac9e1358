/**
 * The replicated service as the core sees it: deterministic, partitioned so that a checkpoint costs what changed
 * (TOCS 2002, section 6.1). Implementations live in `pbft/service`.
 */
import type { ClientId } from './ids.ts'

export interface ExecutionContext {
  readonly client: ClientId
  /** Agreed time of the batch, ms since the epoch; never decreases. */
  readonly timeMs: number
  /**
   * Bytes that the results of this batch may still take. An operation whose result would be longer changes nothing and yields an
   * error result, unless it carries as many bytes itself (those bound the batch anyhow).
   */
  readonly resultBytesMax: number
}

/** expired: it may have been executed before, and is not again. clock-ahead: the client's clock is too far ahead of agreed time. */
export type Refusal = 'expired' | 'clock-ahead'

export interface Service {
  /** The result of a request that the core does not execute. The same bytes for the same reason, always. */
  refusal(reason: Refusal): Uint8Array
  /**
   * Runs one operation and returns its result. Total: bytes that are no operation yield an error result, never a throw,
   * because every correct replica has to execute what was ordered.
   */
  execute(operation: Uint8Array, context: ExecutionContext): Uint8Array
  /**
   * Runs `body`, which executes, and takes back all that this changed: afterwards the state, and so every partition's bytes, is what it
   * was before. Partitions that were touched may count as changed. One at a time.
   */
  takingBack<T>(body: () => T): T
  /** Answers a read without changing state; null when the operation is not a read (the client then has to have it ordered). */
  query(operation: Uint8Array, context: ExecutionContext): Uint8Array | null
  /** Number of partitions, fixed for the service's life. Every piece of state belongs to exactly one. 1..65,536. */
  readonly partitionCount: number
  /** Partitions that may have changed since the last call; calling it clears the set. Ascending. */
  takeDirtyPartitions(): number[]
  /** Canonical bytes of one partition: equal states give equal bytes, whatever the history. Empty state is zero bytes. */
  savePartition(index: number): Uint8Array
  /** Replaces one partition by saved bytes. Returns false, and changes nothing, when the bytes are not canonical. */
  loadPartition(index: number, bytes: Uint8Array): boolean
}
