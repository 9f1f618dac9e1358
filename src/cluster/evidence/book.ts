/**
 * Evidence against replicas: pairs of signed statements that contradict each other, checked here before anyone is accused, since who
 * hands them over may be the liar. Bounded.
 */
import type { EvidencePair } from '../../contract/control.ts'
import type { Evidence } from '../../contract/model.ts'
import type { Directory } from '../../link/index.ts'
import { judgePair } from './judge.ts'

const keptMax = 500

export class EvidenceBook {
  readonly #directory: Directory
  readonly #kept = new Map<string, Evidence>()

  constructor(directory: Directory) {
    this.#directory = directory
  }

  restore(evidence: readonly Evidence[]): void {
    for (const one of evidence.slice(-keptMax)) this.#kept.set(one.id, one)
  }

  /**
   * Takes what replica `by` handed over; `at` is the host's clock, ms. The entry when it is new or newly seen by `by`, with whether it is new;
   * 'known' when nothing changed, 'false' when the pair proves nothing.
   */
  add(by: number, pair: EvidencePair, at: number): { readonly evidence: Evidence; readonly isNew: boolean } | 'known' | 'false' {
    const judged = judgePair(pair.first, pair.second, this.#directory)
    if (!judged.ok) return 'false'
    const found = judged.value
    const id = `${found.kind}-r${found.signer}-${found.view ?? ''}-${found.seq ?? ''}`
    const known = this.#kept.get(id)
    if (known !== undefined) {
      if (known.seenBy.includes(by)) return 'known'
      const evidence = { ...known, seenBy: [...known.seenBy, by].sort((a, b) => a - b) }
      this.#kept.set(id, evidence)
      return { evidence, isNew: false }
    }
    if (this.#kept.size >= keptMax) return 'known'
    const evidence: Evidence = { id, ...found, first: pair.first, second: pair.second, at, seenBy: [by] }
    this.#kept.set(id, evidence)
    return { evidence, isNew: true }
  }

  get(id: string): Evidence | undefined {
    return this.#kept.get(id)
  }

  /** Oldest first. */
  list(): readonly Evidence[] {
    return [...this.#kept.values()]
  }
}
