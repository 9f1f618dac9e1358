/** Checkpoints of a run by seq: each replica's digest, when it became stable where. Bounded to the last 1,000. */
import type { CheckpointInfo } from '../../contract/model.ts'
import type { ObservedProtocolEvent } from './observed.ts'

const checkpointsMax = 1_000

interface Draft {
  readonly seq: number
  readonly at: number
  readonly digests: Map<number, string>
  readonly digestsAt: Map<number, number>
  readonly stableAt: Map<number, number>
  bytes: number | null
}

export class Checkpoints {
  readonly #drafts = new Map<number, Draft>()

  /** Takes an event of `replica` that happened at `at` (host's clock, ms). True when checkpoints changed. */
  observe(replica: number, event: ObservedProtocolEvent, at: number): boolean {
    switch (event.type) {
      case 'checkpoint': {
        const draft = this.#draft(event.seq, at)
        draft.digests.set(replica, event.digest)
        draft.digestsAt.set(replica, Math.min(at, draft.digestsAt.get(replica) ?? at))
        draft.bytes = event.bytes
        return true
      }
      case 'checkpoint-received': {
        const draft = this.#draft(event.seq, at)
        // Hearsay: only where the replica itself has not said it (its control link may be down).
        if (draft.digests.has(event.from)) return false
        draft.digests.set(event.from, event.digest)
        draft.digestsAt.set(event.from, at)
        return true
      }
      case 'stable':
        this.#draft(event.seq, at).stableAt.set(replica, at)
        return true
      default:
        return false
    }
  }

  /** The newest `limit`, ascending by seq. */
  list(limit: number): CheckpointInfo[] {
    return [...this.#drafts.values()]
      .sort((a, b) => a.seq - b.seq)
      .slice(-limit)
      .map((draft) => ({
        seq: draft.seq,
        stable: draft.stableAt.size > 0,
        digests: Object.fromEntries(draft.digests),
        digestsAt: Object.fromEntries(draft.digestsAt),
        at: draft.at,
        stableAt: Object.fromEntries(draft.stableAt),
        bytes: draft.bytes,
        diverged: new Set(draft.digests.values()).size > 1,
      }))
  }

  /** Another log begins: what was seen belongs to the one before. */
  forget(): void {
    this.#drafts.clear()
  }

  #draft(seq: number, at: number): Draft {
    const known = this.#drafts.get(seq)
    if (known !== undefined) return known
    const draft: Draft = { seq, at, digests: new Map(), digestsAt: new Map(), stableAt: new Map(), bytes: null }
    this.#drafts.set(seq, draft)
    if (this.#drafts.size > checkpointsMax) this.#drafts.delete(Math.min(...this.#drafts.keys()))
    return draft
  }
}
