/** Two runs side by side: where what was done, or what came of it, is not the same any more. */
import type { ComparedEntry, RunComparison } from '../../contract/runs.ts'
import type { RecordedEntryWithLedger } from './protocol.ts'
import type { RunSource } from './run-source.ts'

/** Entries of a run one by one, counted from its own beginning. */
function* onebyOne(source: RunSource): Generator<RecordedEntryWithLedger> {
  for (const entries of source.entries()) yield* entries
}

const linesOf = (entry: RecordedEntryWithLedger, withResults: boolean): string[] =>
  entry.requests.map(({ operation, result }) => JSON.stringify(withResults ? { operation, result } : { operation }))

const shown = (entry: RecordedEntryWithLedger | undefined): ComparedEntry | null =>
  entry === undefined ? null : { seq: entry.seq, view: entry.view, digest: entry.digest, requests: linesOf(entry, true).slice(0, 20) }

const isSame = (first: readonly string[], second: readonly string[]): boolean =>
  first.length === second.length && first.every((line, i) => line === second[i])

/**
 * Pairs entries by seq, from the first that both have. Digests of batches hold clients and times, so they differ between any two runs of
 * two clusters: what counts is what was asked and answered.
 */
export const compareRuns = (first: RunSource, second: RunSource): RunComparison => {
  const [ones, others] = [onebyOne(first), onebyOne(second)]
  let [one, other] = [next(ones), next(others)]
  let [compared, equalDigests] = [0, 0]
  let divergence: RunComparison['divergence'] = null
  while (one !== undefined && other !== undefined && one.seq !== other.seq) {
    if (one.seq < other.seq) one = next(ones)
    else other = next(others)
  }
  while (one !== undefined && other !== undefined && divergence === null) {
    const what = differenceOf(one, other)
    if (what === null) compared += 1
    if (one.digest === other.digest) equalDigests += 1
    if (what === null) [one, other] = [next(ones), next(others)]
    else divergence = { seq: Math.min(one.seq, other.seq), what, first: shown(one), second: shown(other) }
  }
  const rest = one ?? other
  if (divergence === null && compared > 0 && rest !== undefined)
    divergence = { seq: rest.seq, what: 'missing', first: shown(one), second: shown(other) }
  return {
    first: first.record.head.info,
    second: second.record.head.info,
    compared,
    divergence,
    equalDigests,
    checkpointDivergence: checkpointDivergenceOf(first, second),
  }
}

const next = (entries: Iterator<RecordedEntryWithLedger>): RecordedEntryWithLedger | undefined => {
  const step = entries.next()
  return step.done === true ? undefined : step.value
}

const differenceOf = (one: RecordedEntryWithLedger, other: RecordedEntryWithLedger): 'operations' | 'results' | 'missing' | null => {
  if (one.seq !== other.seq) return 'missing'
  if (!isSame(linesOf(one, false), linesOf(other, false))) return 'operations'
  return isSame(linesOf(one, true), linesOf(other, true)) ? null : 'results'
}

const checkpointDivergenceOf = (first: RunSource, second: RunSource): RunComparison['checkpointDivergence'] => {
  const others = new Map(second.documents('checkpoint').map((checkpoint) => [checkpoint.seq, Object.values(checkpoint.digests)]))
  for (const { seq, digests } of first.documents('checkpoint')) {
    const [mine] = Object.values(digests)
    const [theirs] = others.get(seq) ?? []
    if (mine !== undefined && theirs !== undefined && mine !== theirs) return { seq, first: mine, second: theirs }
  }
  return null
}
