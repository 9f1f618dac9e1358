/**
 * The messages of PBFT (TOCS 2002, sections 4 to 6) as plain data. `pbft/wire` turns them into bytes and back.
 *
 * A message that reaches the core has been authenticated by the driver: MACed ones came over the link of their sender, every
 * signature (also those nested in proofs and new-views) has been verified. Only with the requests of a pre-prepare it is otherwise: of MACs each
 * replica can check its own one alone, and signatures may be left to others to check. `Input` says what is not proven.
 */
import type { ClientId, ClientTimestamp, Digest, ReplicaId, SeqNo, View } from './ids.ts'

/** Ed25519, 64 bytes (RFC 8032); in the simulator whatever its own key scheme makes. */
export type Signature = Uint8Array

export type RequestAuthentication =
  | { readonly kind: 'signature'; readonly signature: Signature }
  /**
   * `MAC_BYTES` for each replica, one after another by replica id; zeros where the client had no key at hand. Settled by asking for a
   * signature when replicas cannot verify theirs.
   */
  | { readonly kind: 'macs'; readonly macs: Uint8Array }

export const MAC_BYTES = 16

/** What a client asks for. Signed, or MACed, over all fields but `authentication`. */
export interface Request {
  readonly type: 'request'
  readonly client: ClientId
  readonly timestamp: ClientTimestamp
  readonly operation: Uint8Array
  readonly readOnly: boolean
  /** The replica that answers with the full result while the others send its digest; null: all send it in full. */
  readonly replier: ReplicaId | null
  readonly authentication: RequestAuthentication
}

/**
 * What is agreed under one sequence number. The digest of `bytes` covers the agreed time and every request with its
 * authentication. The null request is the batch with time 0 and no requests; its bytes are the same everywhere.
 */
export interface Batch {
  /** The primary's clock in ms since the epoch when it made the batch: the agreed non-determinism. */
  readonly timeMs: number
  readonly requests: readonly Request[]
  /** The exact canonical encoding; what is hashed, stored and sent on. */
  readonly bytes: Uint8Array
}

export interface PrePrepare {
  readonly type: 'pre-prepare'
  readonly view: View
  readonly seq: SeqNo
  readonly digest: Digest
  readonly batch: Batch
  /** By the primary of `view`, over (view, seq, digest): two that differ in digest only prove equivocation to anyone. */
  readonly signature: Signature
}

/** The header of a pre-prepare as its primary signed it; shown to a replica that voted for another batch in its place. */
export interface Proposal {
  readonly type: 'proposal'
  readonly view: View
  readonly seq: SeqNo
  readonly digest: Digest
  readonly signature: Signature
}

export interface Prepare {
  readonly type: 'prepare'
  readonly view: View
  readonly seq: SeqNo
  readonly digest: Digest
  readonly replica: ReplicaId
}

export interface Commit {
  readonly type: 'commit'
  readonly view: View
  readonly seq: SeqNo
  readonly digest: Digest
  readonly replica: ReplicaId
}

export interface Reply {
  readonly type: 'reply'
  readonly view: View
  /** Where the request was executed; 0 for read-only requests, which have no place in the order. */
  readonly seq: SeqNo
  readonly client: ClientId
  readonly timestamp: ClientTimestamp
  readonly replica: ReplicaId
  readonly tentative: boolean
  readonly result: { readonly kind: 'full'; readonly bytes: Uint8Array } | { readonly kind: 'digest'; readonly digest: Digest }
}

/** To a client: send this request again with a signature; its MAC could not be verified here, or MACs are not taken for a while. */
export interface AuthenticationWanted {
  readonly type: 'authentication-wanted'
  readonly client: ClientId
  readonly timestamp: ClientTimestamp
}

export interface Checkpoint {
  readonly type: 'checkpoint'
  readonly seq: SeqNo
  /** Root of the partition tree over service state and reply cache after executing `seq`. */
  readonly digest: Digest
  readonly replica: ReplicaId
  readonly signature: Signature
}

/** A stable checkpoint: a quorum of matching signed checkpoint messages. The genesis (seq 0) has an empty proof. */
export interface StableCheckpoint {
  readonly seq: SeqNo
  readonly digest: Digest
  readonly proof: readonly Checkpoint[]
}

export interface CheckpointEntry {
  readonly seq: SeqNo
  readonly digest: Digest
}

/** An element of P or Q: `view` is the last view in which (seq, digest) prepared (P) or pre-prepared (Q) at the sender. */
export interface CertificateEntry {
  readonly seq: SeqNo
  readonly digest: Digest
  readonly view: View
}

export interface ViewChange {
  readonly type: 'view-change'
  /** The view that the sender wants to enter. */
  readonly view: View
  readonly replica: ReplicaId
  /** Of the sender's disk: one that was lost since makes this message void (`isVoid`). */
  readonly incarnation: number
  /** The sender's low watermark h, proven. */
  readonly stable: StableCheckpoint
  /** C: the checkpoints that the sender holds, the stable one included; ascending by seq. */
  readonly checkpoints: readonly CheckpointEntry[]
  /** P: at most one entry per seq in (h, h+L]; ascending by seq. */
  readonly prepared: readonly CertificateEntry[]
  /** Q: one entry per (seq, digest) in (h, h+L]; ascending by seq, then digest. */
  readonly prePrepared: readonly CertificateEntry[]
  readonly signature: Signature
}

export interface NewView {
  readonly type: 'new-view'
  readonly view: View
  readonly replica: ReplicaId
  /** A quorum of view-changes for `view`, by different replicas, ascending by replica. */
  readonly viewChanges: readonly ViewChange[]
  /** Where the new view starts: the checkpoint chosen by the rule. */
  readonly start: CheckpointEntry
  /** For every seq above the start up to the highest in any P: the digest chosen, the null batch's where nothing prepared. */
  readonly chosen: readonly CheckpointEntry[]
  readonly signature: Signature
}

/** How far a replica got with one sequence number; for retransmission. */
export interface SlotStatus {
  readonly seq: SeqNo
  readonly prePrepared: boolean
  readonly prepared: boolean
  readonly committed: boolean
}

/** What the sender of a status remembers of one replica. All zero, and `since` null, when it never heard of it. */
export interface Memory {
  /** The highest incarnation of its disk, durable at the sender. */
  readonly incarnation: number
  /** From which view on that incarnation votes, durable at the sender; null: not said yet. */
  readonly since: View | null
  /** Highest view and sequence number that it spoke of under that incarnation, as far as heard since the sender's start. */
  readonly view: View
  readonly seq: SeqNo
}

/** What a replica holds, so that its peers can send what it misses. Periodic, and on every reconnect. */
export interface Status {
  readonly type: 'status'
  readonly replica: ReplicaId
  readonly view: View
  /** False while a view change to `view` is under way. */
  readonly active: boolean
  readonly stableSeq: SeqNo
  readonly lastExecuted: SeqNo
  /** The primary of `view` is slow, though not late: the sender would leave the view if f others did. */
  readonly findsSlow: boolean
  /**
   * Sequence numbers that are under way here: above lastExecuted, or executed but not committed again in this view (others may
   * need that). Ascending, at most L.
   */
  readonly slots: readonly SlotStatus[]
  /** Whose view-changes for `view` it holds (not active) and so does not need again. */
  readonly viewChangesFrom: readonly ReplicaId[]
  /** Batch digests it needs the bytes of (chosen by a new-view, or prepared elsewhere); at most L. */
  readonly missingBatches: readonly Digest[]
  /** Wants an answer even when the sender looks complete: set on (re)connect. */
  readonly solicits: boolean
  /** Of the sender's disk: grows each time that disk was lost. */
  readonly incarnation: number
  /** From which view on it votes under this incarnation; null: it cannot tell yet (on probation). */
  readonly since: View | null
  /** It has lost its disk, and casts no vote until nothing that it may have voted for can contradict it. */
  readonly probation: boolean
  /** On probation: the checkpoint that it waits for, as soon as it can tell. */
  readonly goal: SeqNo | null
  /** The last checkpoint that it has taken. */
  readonly lastCheckpoint: SeqNo
  /** The last sequence number that prepared or was executed at it. */
  readonly lastPrepared: SeqNo
  /** By replica id, the sender's own place included. */
  readonly memories: readonly Memory[]
}

/** The bytes of a batch, asked for by digest in a status; verified by its digest. */
export interface BatchData {
  readonly type: 'batch-data'
  readonly batch: Batch
}

/** Asks for one node of the partition tree of the checkpoint at `seq` with root `root`. */
export interface Fetch {
  readonly type: 'fetch'
  readonly seq: SeqNo
  readonly root: Digest
  /** 0 is the root; the leaves' level answers with data, the others with meta-data. */
  readonly level: number
  readonly index: number
}

export interface MetaData {
  readonly type: 'meta-data'
  readonly seq: SeqNo
  readonly level: number
  readonly index: number
  /** Digests of the children, in order. */
  readonly children: readonly Digest[]
}

export interface PartitionData {
  readonly type: 'data'
  readonly seq: SeqNo
  readonly index: number
  readonly bytes: Uint8Array
}

/** What travels between replicas. A request among them was forwarded by a backup to the primary. */
export type ReplicaMessage =
  | Request
  | PrePrepare
  | Proposal
  | Prepare
  | Commit
  | Checkpoint
  | ViewChange
  | NewView
  | Status
  | BatchData
  | Fetch
  | MetaData
  | PartitionData

/** What a replica says to a client. */
export type ClientMessage = Reply | AuthenticationWanted

export type Message = ReplicaMessage | ClientMessage

/** Messages whose signer must be provable to third parties. */
export type SignedMessage = PrePrepare | Checkpoint | ViewChange | NewView
export type Unsigned<M extends SignedMessage> = Omit<M, 'signature'>
