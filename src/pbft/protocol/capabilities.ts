/** What the core needs from outside and must not do itself. All functions are pure: same arguments, same result. */
import type { Digest } from './ids.ts'
import type { Batch, NewView, PrePrepare, Checkpoint, Request, Signature, Unsigned, ViewChange } from './messages.ts'

export interface Capabilities {
  /** SHA-256. */
  digest(bytes: Uint8Array): Digest
  /** The canonical encoding of (time, requests), from `pbft/wire`. */
  encodeBatch(timeMs: number, requests: readonly Request[]): Batch
  /** Signs with this replica's own key over the canonical bytes of the message without its signature. Deterministic. */
  sign(message: Unsigned<PrePrepare> | Unsigned<Checkpoint> | Unsigned<ViewChange> | Unsigned<NewView>): Signature
}
