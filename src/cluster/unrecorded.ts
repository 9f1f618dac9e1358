/** What changed in the ledger, the views and the checkpoints since it was last written to the record of the run. */
import type { CheckpointInfo, ViewInfo } from '../contract/model.ts'
import type { Ledger } from './model/ledger.ts'
import type { Recording } from './recording.ts'

/** Of views and checkpoints that changed, the last are written. */
const lastMax = 10

export interface Changing {
  readonly ledger: Ledger
  views(): readonly ViewInfo[]
  checkpoints(limit: number): readonly CheckpointInfo[]
}

export class Unrecorded {
  readonly #recording: Recording
  readonly #seqs = new Set<number>()
  #views = false
  #checkpoints = false

  constructor(recording: Recording) {
    this.#recording = recording
  }

  noteSeqs(seqs: Iterable<number>): void {
    for (const seq of seqs) this.#seqs.add(seq)
  }
  noteViews(): void {
    this.#views = true
  }
  noteCheckpoints(): void {
    this.#checkpoints = true
  }
  forgetSeqs(): void {
    this.#seqs.clear()
  }

  write({ ledger, views, checkpoints }: Changing): void {
    for (const seq of this.#seqs) this.#recording.write({ kind: 'ledger', seq, rows: ledger.rows(seq) })
    this.#seqs.clear()
    if (this.#views) for (const view of views().slice(-lastMax)) this.#recording.write({ kind: 'view', view })
    if (this.#checkpoints) for (const checkpoint of checkpoints(lastMax)) this.#recording.write({ kind: 'checkpoint', checkpoint })
    this.#views = false
    this.#checkpoints = false
  }
}
