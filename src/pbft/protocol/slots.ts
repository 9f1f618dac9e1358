/**
 * The message log: one slot per sequence number in (h, h+L], with what was accepted and voted in the current view, the P and
 * Q entries that outlive views, and the batches by digest.
 */
import type { Copied } from './copy.ts'
import { asSeqNo, type Digest, type ReplicaId, type SeqNo, type View } from './ids.ts'
import type { Batch, CertificateEntry, PrePrepare, Proposal } from './messages.ts'
import { Votes } from './votes.ts'

/** Entries of Q kept per sequence number besides those of P and of what was executed: older ones only help liveness. */
export const PRE_PREPARED_PER_SEQ_MAX = 4

export interface Certificate {
  readonly digest: Digest
  readonly view: View
}

export interface Slot {
  readonly seq: SeqNo
  /** What was pre-prepared in the current view; null: nothing yet. */
  digest: Digest | null
  batch: Batch | null
  /** The signed message, to relay; null when a new-view chose the batch. */
  prePrepare: PrePrepare | null
  /** The header of the last proposal accepted, also of a view that was left; and who was shown it. */
  proposal: Proposal | null
  readonly shownTo: Set<ReplicaId>
  acceptedAtMs: number
  prepared: boolean
  committed: boolean
  readonly prepares: Votes
  readonly commits: Votes
  /** What a quorum of commits in one view, whichever it is, says was agreed here. */
  learned: Digest | null
  /** The digest executed here, in whatever view. */
  executed: Digest | null
  /** P: what was last prepared. */
  lastPrepared: Certificate | null
  /** Q: what was pre-prepared, each digest with its last view; the newest last. */
  prePrepared: Certificate[]
}

export class SlotLog {
  readonly #n: number
  readonly #nullDigest: Digest
  readonly #nullBatch: Batch
  readonly #slots = new Map<number, Slot>()
  readonly #batches = new Map<Digest, { readonly batch: Batch; seq: SeqNo }>()

  constructor(n: number, nullBatch: Batch, nullDigest: Digest) {
    this.#n = n
    this.#nullBatch = nullBatch
    this.#nullDigest = nullDigest
  }

  /** A copy that goes its own way. */
  copy(copied: Copied): SlotLog {
    const log = new SlotLog(this.#n, this.#nullBatch, this.#nullDigest)
    for (const [seq, slot] of this.#slots) log.#slots.set(seq, copied(slot))
    for (const [digest, kept] of this.#batches) log.#batches.set(digest, { ...kept })
    return log
  }

  get(seq: number): Slot | undefined {
    return this.#slots.get(seq)
  }

  /** The caller has checked that `seq` lies inside the watermarks. */
  open(seq: SeqNo): Slot {
    const known = this.#slots.get(seq)
    if (known !== undefined) return known
    const slot: Slot = {
      seq,
      digest: null,
      batch: null,
      prePrepare: null,
      proposal: null,
      shownTo: new Set(),
      acceptedAtMs: 0,
      prepared: false,
      committed: false,
      prepares: new Votes(this.#n),
      commits: new Votes(this.#n),
      learned: null,
      executed: null,
      lastPrepared: null,
      prePrepared: [],
    }
    this.#slots.set(seq, slot)
    return slot
  }

  all(): IterableIterator<Slot> {
    return this.#slots.values()
  }

  /** The batch with this digest, when it is at hand. The null batch always is. */
  batch(digest: Digest): Batch | undefined {
    return digest === this.#nullDigest ? this.#nullBatch : this.#batches.get(digest)?.batch
  }

  /** Up to which sequence number garbage collection keeps this batch; null when it is not at hand. The null batch stays for ever. */
  keptThrough(digest: Digest): number | null {
    return digest === this.#nullDigest ? Number.POSITIVE_INFINITY : (this.#batches.get(digest)?.seq ?? null)
  }

  keepBatch(seq: SeqNo, digest: Digest, batch: Batch): void {
    if (digest === this.#nullDigest) return
    const known = this.#batches.get(digest)
    if (known === undefined) this.#batches.set(digest, { batch, seq })
    else if (known.seq < seq) known.seq = seq
  }

  /** Enters (seq, digest) into Q for `view`; an entry for a later view stays. */
  notePrePrepared(slot: Slot, digest: Digest, view: View): void {
    const entries = slot.prePrepared
    const last = entries.at(-1)
    if (last !== undefined && last.digest === digest) {
      if (last.view < view) entries[entries.length - 1] = { digest, view }
      return
    }
    if (entries.some((entry) => entry.digest === digest && entry.view >= view)) return
    slot.prePrepared = entries.filter((entry) => entry.digest !== digest)
    slot.prePrepared.push({ digest, view })
    this.#bound(slot)
  }

  /** Forgets the oldest Q entries beyond the bound, but never evidence: what is in P or was executed. */
  #bound(slot: Slot): void {
    const isEvidence = (entry: Certificate): boolean => entry.digest === slot.lastPrepared?.digest || entry.digest === slot.executed
    let excess = slot.prePrepared.filter((entry) => !isEvidence(entry)).length - PRE_PREPARED_PER_SEQ_MAX
    if (excess <= 0) return
    slot.prePrepared = slot.prePrepared.filter((entry) => {
      if (isEvidence(entry) || excess <= 0) return true
      excess--
      if (!this.#isNeededElsewhere(slot, entry.digest)) this.#batches.delete(entry.digest)
      return false
    })
  }

  /** A faulty primary may have proposed one batch under two sequence numbers. */
  #isNeededElsewhere(slot: Slot, digest: Digest): boolean {
    for (const other of this.#slots.values()) {
      if (other !== slot && (other.executed === digest || other.prePrepared.some((entry) => entry.digest === digest))) return true
    }
    return false
  }

  /** P as a view-change carries it: ascending by seq. */
  prepared(): CertificateEntry[] {
    const entries: CertificateEntry[] = []
    for (const slot of this.#slots.values()) if (slot.lastPrepared !== null) entries.push({ seq: slot.seq, ...slot.lastPrepared })
    return entries.sort((a, b) => a.seq - b.seq)
  }

  /** Q as a view-change carries it: ascending by seq, then digest. */
  prePrepared(): CertificateEntry[] {
    const entries: CertificateEntry[] = []
    for (const slot of this.#slots.values()) for (const entry of slot.prePrepared) entries.push({ seq: slot.seq, ...entry })
    return entries.sort((a, b) => a.seq - b.seq || (a.digest < b.digest ? -1 : 1))
  }

  /** Leaves the current view: what was accepted and reached in it is reset; P, Q and what was executed stay. */
  leaveView(): void {
    for (const slot of this.#slots.values()) {
      slot.digest = null
      slot.batch = null
      slot.prePrepare = null
      slot.prepared = false
      slot.committed = false
    }
  }

  /** Garbage collection: drops everything up to and including `seq`. */
  dropThrough(seq: SeqNo): void {
    for (const key of this.#slots.keys()) if (key <= seq) this.#slots.delete(key)
    for (const [digest, kept] of this.#batches) if (kept.seq <= seq) this.#batches.delete(digest)
  }

  /** Highest sequence number that has a slot, or `floor`. */
  highest(floor: SeqNo): SeqNo {
    let highest: number = floor
    for (const key of this.#slots.keys()) if (key > highest) highest = key
    return asSeqNo(highest)
  }
}
