import type { Violation, Vote } from './history.ts'

interface Entry {
  readonly seq: number
  readonly digest: string
  readonly view: number
}

/** A view-change as it left its replica: what it tells of the sequence numbers in (low, high]. */
export interface Told {
  readonly replica: number
  readonly view: number
  readonly low: number
  readonly high: number
  /** P and Q. */
  readonly prepared: readonly Entry[]
  readonly prePrepared: readonly Entry[]
  /** How many of the votes had left before it. */
  readonly after: number
}

/**
 * A view-change tells all that its replica has voted for in lower views, over crashes too: in Q each digest that it prepared, with that
 * view or a later one, unless Q is full there (`perSeqMax` entries); in P what it committed, or what prepared there since. Votes and
 * view-changes in the order in which they left; a replica that has lost its disk begins anew.
 */
export function checkCertificates(votes: readonly Vote[], told: readonly Told[], perSeqMax: number): Violation[] {
  const cast = new Map<number, Vote[]>()
  const violations: Violation[] = []
  let read = 0
  for (const one of told) {
    for (; read < one.after; read++) {
      const vote = votes[read]!
      if (vote.type === 'new-disk') cast.delete(vote.replica)
      if (vote.type !== 'prepare' && vote.type !== 'commit') continue
      const own = cast.get(vote.replica)
      if (own === undefined) cast.set(vote.replica, [vote])
      else own.push(vote)
    }
    // The low watermark never goes back: what lies below is not asked for again.
    const relevant = (cast.get(one.replica) ?? []).filter(({ seq }) => seq > one.low)
    cast.set(one.replica, relevant)
    for (const vote of relevant) {
      if (vote.view >= one.view || vote.seq > one.high || isTold(vote, one, perSeqMax)) continue
      const what = `its ${vote.type} in view ${vote.view} at seq ${vote.seq}`
      violations.push({ checker: 'certificates', detail: `replica ${one.replica}: its view-change for view ${one.view} hides ${what}` })
    }
  }
  return violations
}

function isTold(vote: Vote, { prepared, prePrepared }: Told, perSeqMax: number): boolean {
  if (vote.type === 'commit') {
    const entry = prepared.find(({ seq }) => seq === vote.seq)
    return entry !== undefined && (entry.view > vote.view || (entry.view === vote.view && entry.digest === vote.digest))
  }
  const entries = prePrepared.filter(({ seq }) => seq === vote.seq)
  return entries.length >= perSeqMax || entries.some(({ digest, view }) => digest === vote.digest && view >= vote.view)
}
