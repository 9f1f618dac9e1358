/**
 * The votes of one phase for one sequence number. Each replica has one place, so it counts once whatever it sends; a vote
 * counts only for its own view and digest. Votes may come before the pre-prepare, also for a view that is yet to be entered.
 */
import { asReplicaId, asView, type Digest, type ReplicaId, type View } from './ids.ts'

export class Votes {
  readonly #views: number[]
  readonly #digests: (Digest | null)[]

  constructor(n: number) {
    this.#views = new Array<number>(n).fill(-1)
    this.#digests = new Array<Digest | null>(n).fill(null)
  }

  /** A copy that goes its own way. */
  copy(): Votes {
    const votes = new Votes(0)
    votes.#views.push(...this.#views)
    votes.#digests.push(...this.#digests)
    return votes
  }

  /** Takes the first vote of a replica in a view; false when it has voted in this view or a later one. */
  add(replica: ReplicaId, view: View, digest: Digest): boolean {
    if ((this.#views[replica] ?? view) >= view) return false
    this.#views[replica] = view
    this.#digests[replica] = digest
    return true
  }

  /** Whether `replica` voted in `view` for another digest. */
  differs(replica: ReplicaId, view: View, digest: Digest): boolean {
    return this.#views[replica] === view && this.#digests[replica] !== digest
  }

  /** Whether this replica's vote in `view` is for `digest`. */
  has(replica: ReplicaId, view: View, digest: Digest): boolean {
    return this.#views[replica] === view && this.#digests[replica] === digest
  }

  /** How many voted for `digest` in `view`. */
  count(view: View, digest: Digest): number {
    let count = 0
    for (let i = 0; i < this.#views.length; i++) if (this.#views[i] === view && this.#digests[i] === digest) count++
    return count
  }

  /** Everyone's last vote, by replica. */
  all(): { readonly replica: ReplicaId; readonly view: View; readonly digest: Digest }[] {
    return this.#digests.flatMap((digest, i) =>
      digest === null ? [] : [{ replica: asReplicaId(i), view: asView(this.#views[i] ?? 0), digest }],
    )
  }
}
