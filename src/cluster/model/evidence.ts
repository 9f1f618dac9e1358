/**
 * Evidence against replicas: pairs of signed statements that contradict each other, checked here before anyone is accused, since who
 * hands them over may be the liar. Bounded.
 */
import type { EvidencePair } from '../../contract/control.ts'
import type { Evidence } from '../../contract/model.ts'
import { verify, type Directory } from '../../link/index.ts'
import { contradictionOf } from '../../pbft/wire/index.ts'

const keptMax = 500

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

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
    const [first, second] = [bytesOf(pair.first.bytes), bytesOf(pair.second.bytes)]
    const { clusterId, replicas } = this.#directory
    const found = contradictionOf(first, second, clusterId, replicas.length)
    const key = found === null ? undefined : replicas[found.signer]
    if (found === null || key === undefined) return 'false'
    const isSigned = verify(key, first, bytesOf(pair.first.signature)) && verify(key, second, bytesOf(pair.second.signature))
    if (!isSigned) return 'false'
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

  /** Oldest first. */
  list(): readonly Evidence[] {
    return [...this.#kept.values()]
  }
}
