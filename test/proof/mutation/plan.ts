/** What a judging process is told, and what it writes down. */

export interface Plan {
  /** Absolute paths of the test files that judge. */
  readonly tests: readonly string[]
  /** Instrumented sources by file name. */
  readonly sources: Readonly<Record<string, string>>
  /** The mutants to be judged, by id. */
  readonly open: readonly string[]
  /**
   * Load everything again with each of them, before anything runs: what is computed once when a module is loaded, or by a suite before
   * its tests, is the mutant's then too. Else each is switched on once all is loaded, which is much quicker.
   */
  readonly again: boolean
  /** Notes are appended here, one JSON value a line. */
  readonly notes: string
}

export type Note =
  /** Everything passed without a mutant, in so many milliseconds. */
  | { readonly type: 'ready'; readonly tests: number; readonly ms: number }
  /** About to judge, or to load with it. */
  | { readonly type: 'begun'; readonly id: string }
  | { readonly type: 'killed'; readonly id: string; readonly by: string }
  | { readonly type: 'survived'; readonly id: string; readonly covered: boolean; readonly byLoading: boolean }
