/** Why mutants that were read survive. Those of a sample that nobody has read yet stand in the page as such. */

/**
 * equivalent: behaves the same in every reachable state; speed: the same comes out, later or with more work; diagnostics: only what people
 * read differs; open: a test is missing.
 */
export type Kind = 'equivalent' | 'speed' | 'diagnostics' | 'open'

export interface Reason {
  readonly file: string
  /** A part of the line of source in which the mutant begins. */
  readonly source: string
  /** The mutated text; left out: whatever survives in that line. */
  readonly original?: string
  readonly kind: Kind
  readonly why: string
}

export const reasons: readonly Reason[] = []
