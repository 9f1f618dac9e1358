/**
 * The rule that decides a new view (TOCS 2002, section 4.5, the version with P and Q for MACed votes), as pure functions over
 * view-change messages: every replica computes it and comes to the same bytes.
 */
import type { Digest, SeqNo } from './ids.ts'
import { asSeqNo } from './ids.ts'
import type { CertificateEntry, CheckpointEntry, NewView, StableCheckpoint, ViewChange } from './messages.ts'
import { primaryOf } from './quorum.ts'
import { PRE_PREPARED_PER_SEQ_MAX } from './slots.ts'

export interface RuleParameters {
  readonly n: number
  readonly quorum: number
  readonly weak: number
  readonly checkpointInterval: number
  readonly logWindow: number
  readonly genesisDigest: Digest
  readonly nullDigest: Digest
}

export interface NewViewChoice {
  readonly start: CheckpointEntry
  readonly chosen: readonly CheckpointEntry[]
}

/** Q entries per seq that a correct replica may send: the bounded ones, P's and the executed one. */
const prePreparedPerSeqMax = PRE_PREPARED_PER_SEQ_MAX + 2

/** Why a stable checkpoint's proof does not hold, or null. Signatures were verified by the driver. */
const problemOfStable = (stable: StableCheckpoint, p: RuleParameters): string | null => {
  if (stable.seq === 0) return stable.digest === p.genesisDigest && stable.proof.length === 0 ? null : 'genesis differs'
  if (stable.seq % p.checkpointInterval !== 0) return 'stable checkpoint at no multiple of the interval'
  const signers = new Set<number>()
  for (const message of stable.proof) {
    if (message.seq !== stable.seq || message.digest !== stable.digest || message.replica >= p.n) return 'proof of something else'
    signers.add(message.replica)
  }
  return signers.size >= p.quorum && signers.size === stable.proof.length ? null : 'proof is no quorum'
}

const problemOfCheckpoints = (viewChange: ViewChange, p: RuleParameters): string | null => {
  const { stable, checkpoints } = viewChange
  const first = checkpoints[0]
  if (first === undefined || first.seq !== stable.seq || first.digest !== stable.digest)
    return 'C does not begin with the stable checkpoint'
  let last: number = first.seq
  for (const entry of checkpoints.slice(1)) {
    if (entry.seq <= last || entry.seq > stable.seq + p.logWindow || entry.seq % p.checkpointInterval !== 0)
      return 'C out of order or bounds'
    last = entry.seq
  }
  return null
}

/** `perSeqMax` 1: P, else Q. */
const problemOfEntries = (
  entries: readonly CertificateEntry[],
  viewChange: ViewChange,
  p: RuleParameters,
  perSeqMax: number,
): string | null => {
  const low = viewChange.stable.seq
  let last: CertificateEntry | null = null
  let atSeq = 0
  for (const entry of entries) {
    if (entry.seq <= low || entry.seq > low + p.logWindow) return 'entry outside the watermarks'
    if (entry.view >= viewChange.view) return 'entry of a view that is not before'
    const isSameSeq: boolean = last !== null && last.seq === entry.seq
    if (last !== null && (entry.seq < last.seq || (isSameSeq && entry.digest <= last.digest))) return 'entries out of order'
    atSeq = isSameSeq ? atSeq + 1 : 1
    if (atSeq > perSeqMax) return 'too many entries at one sequence number'
    last = entry
  }
  return null
}

/** Why a view-change is not one that a correct replica sends, or null. */
export const problemOfViewChange = (viewChange: ViewChange, p: RuleParameters): string | null => {
  if (viewChange.replica >= p.n || viewChange.view < 1) return 'no such replica or view'
  return (
    problemOfStable(viewChange.stable, p) ??
    problemOfCheckpoints(viewChange, p) ??
    problemOfEntries(viewChange.prepared, viewChange, p, 1) ??
    problemOfEntries(viewChange.prePrepared, viewChange, p, prePreparedPerSeqMax)
  )
}

/** The highest checkpoint that a quorum can start from and that f+1, so a correct replica, vouch for. */
const chooseStart = (set: readonly ViewChange[], p: RuleParameters): CheckpointEntry | null => {
  let best: CheckpointEntry | null = null
  for (const { checkpoints } of set) {
    for (const { seq, digest } of checkpoints) {
      if (best !== null && (seq < best.seq || (seq === best.seq && digest >= best.digest))) continue
      // Counted over all of S, not only over those that have this very checkpoint: replicas may all be at different ones.
      const reachable = set.filter((other) => other.stable.seq <= seq).length
      const vouching = set.filter((other) => other.checkpoints.some((entry) => entry.seq === seq && entry.digest === digest)).length
      if (reachable >= p.quorum && vouching >= p.weak) best = { seq, digest }
    }
  }
  return best
}

/** P and Q of one view-change by sequence number. */
interface Indexed {
  readonly low: SeqNo
  readonly prepared: ReadonlyMap<number, CertificateEntry>
  readonly prePrepared: ReadonlyMap<number, readonly CertificateEntry[]>
}

const indexed = (viewChange: ViewChange): Indexed => {
  const prePrepared = new Map<number, CertificateEntry[]>()
  for (const entry of viewChange.prePrepared) {
    const entries = prePrepared.get(entry.seq)
    if (entries === undefined) prePrepared.set(entry.seq, [entry])
    else entries.push(entry)
  }
  const prepared = new Map(viewChange.prepared.map((entry): [number, CertificateEntry] => [entry.seq, entry]))
  return { low: viewChange.stable.seq, prepared, prePrepared }
}

/** A1: a quorum prepared nothing at `seq` that speaks against the candidate. */
const holdsA1 = (set: readonly Indexed[], candidate: CertificateEntry, quorum: number): boolean => {
  let count = 0
  for (const { low, prepared } of set) {
    const other = prepared.get(candidate.seq)
    const agrees =
      other === undefined || other.view < candidate.view || (other.view === candidate.view && other.digest === candidate.digest)
    if (low < candidate.seq && agrees) count++
  }
  return count >= quorum
}

/** A2: f+1, so a correct replica, pre-prepared the candidate in its view or later: nobody made it up. */
const holdsA2 = (set: readonly Indexed[], candidate: CertificateEntry, weak: number): boolean => {
  let count = 0
  for (const { prePrepared } of set) {
    const entries = prePrepared.get(candidate.seq) ?? []
    if (entries.some((entry) => entry.digest === candidate.digest && entry.view >= candidate.view)) count++
  }
  return count >= weak
}

/** The digest for one sequence number, or null when the view-changes do not decide it yet. */
const chooseAt = (set: readonly Indexed[], seq: number, p: RuleParameters): Digest | null => {
  const candidates: CertificateEntry[] = []
  for (const { prepared } of set) {
    const entry = prepared.get(seq)
    if (entry !== undefined) candidates.push(entry)
  }
  // The latest first; an invalid entry fails its conditions and leaves the place to the next.
  candidates.sort((a, b) => b.view - a.view || (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0))
  for (const candidate of candidates) if (holdsA1(set, candidate, p.quorum) && holdsA2(set, candidate, p.weak)) return candidate.digest
  const without = set.filter(({ low, prepared }) => low < seq && !prepared.has(seq)).length
  return without >= p.quorum ? p.nullDigest : null
}

/** The choice over a set of valid view-changes by different replicas, or null while it takes more of them. */
export const chooseNewView = (set: readonly ViewChange[], p: RuleParameters): NewViewChoice | null => {
  if (set.length < p.quorum) return null
  const start = chooseStart(set, p)
  if (start === null) return null
  let highest: number = start.seq
  for (const { prepared } of set) highest = Math.max(highest, prepared.at(-1)?.seq ?? 0)
  const index = set.map(indexed)
  const chosen: CheckpointEntry[] = []
  for (let seq = start.seq + 1; seq <= highest; seq++) {
    const digest = chooseAt(index, seq, p)
    if (digest === null) return null
    chosen.push({ seq: asSeqNo(seq), digest })
  }
  return { start, chosen }
}

const isSameEntry = (a: CheckpointEntry, b: CheckpointEntry | undefined): boolean => a.seq === b?.seq && a.digest === b.digest

/** Why a new-view is not to be entered, or null: everything in it is computed again. */
export const problemOfNewView = (newView: NewView, p: RuleParameters): string | null => {
  if (newView.view < 1 || newView.replica !== primaryOf(newView.view, p.n)) return 'not by the primary of its view'
  if (newView.viewChanges.length < p.quorum) return 'too few view-changes'
  let last = -1
  for (const viewChange of newView.viewChanges) {
    if (viewChange.view !== newView.view) return 'a view-change for another view'
    if (viewChange.replica <= last) return 'view-changes out of order or twice by one replica'
    const problem = problemOfViewChange(viewChange, p)
    if (problem !== null) return `view-change of ${viewChange.replica}: ${problem}`
    last = viewChange.replica
  }
  const choice = chooseNewView(newView.viewChanges, p)
  if (choice === null) return 'its view-changes decide nothing'
  if (!isSameEntry(choice.start, newView.start)) return 'another start follows from its view-changes'
  const isSame = choice.chosen.length === newView.chosen.length && choice.chosen.every((entry, i) => isSameEntry(entry, newView.chosen[i]))
  return isSame ? null : 'another choice follows from its view-changes'
}
