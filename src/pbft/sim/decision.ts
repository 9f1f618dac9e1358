/**
 * Whether a replica that is to lead a view begins it: view-changes by n-f correct replicas that tell all they know
 * always decide what the view begins with, whatever others have told beside them (protocol.md section 6). Seen from its events and statuses only.
 */
import { faultsTolerated, primaryOf } from '../protocol/quorum.ts'
import type { ReplicaMessage } from '../protocol/messages.ts'
import type { ProtocolEvent } from '../protocol/steps.ts'

export class Decision {
  readonly #id: number
  readonly #n: number
  readonly #hasToldAll: (replica: number) => boolean
  /** The view that it wants; null while it is in one. */
  #wanted: number | null = null
  /** The view of the last view-change by each that it holds. */
  readonly #held: number[]

  constructor(id: number, n: number, hasToldAll: (replica: number) => boolean) {
    this.#id = id
    this.#n = n
    this.#hasToldAll = hasToldAll
    this.#held = Array.from({ length: n }, () => 0)
  }

  noteEvent(event: ProtocolEvent): void {
    if (event.type === 'view-change-received') this.#held[event.from] = event.view
    else if (event.type === 'view-entered') this.#wanted = null
    else if (event.type === 'view-change-started') {
      this.#wanted = event.view
      this.#held[this.#id] = event.view
    }
  }

  /** What is wrong when this message is made, or null. A status says which batches are still missing. */
  problemOf(message: ReplicaMessage): string | null {
    const wanted = this.#wanted
    if (message.type !== 'status' || wanted === null || message.active || message.missingBatches.length > 0) return null
    if (message.view !== wanted || primaryOf(message.view, this.#n) !== this.#id) return null
    const correct = this.#held.filter((view, replica) => view === wanted && this.#hasToldAll(replica)).length
    if (correct < this.#n - faultsTolerated(this.#n)) return null
    return `does not begin view ${wanted}, although it has the view-changes of ${correct} correct replicas and misses no batch`
  }
}
