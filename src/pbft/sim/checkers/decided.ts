import type { Violation } from './history.ts'

/** A correct replica has a batch prepared in a view, and is bound to it. */
export interface Prepared {
  readonly replica: number
  readonly view: number
  readonly seq: number
  readonly digest: string
}

/** A client took an answer to an ordered request, when `after` of the promises had been given. */
export interface Taken {
  readonly client: string
  readonly timestamp: number
  readonly seq: number
  readonly after: number
}

/**
 * What a client takes for its answer is decided: at that place a quorum has prepared one batch in one view, so that every later view
 * chooses it. `others`: replicas whose promises are not known, being faulty; they are counted as having given every one.
 */
export function checkDecided(promises: readonly Prepared[], taken: readonly Taken[], quorum: number, others: number): Violation[] {
  const bound = new Map<number, Map<string, Set<number>>>()
  const violations: Violation[] = []
  let read = 0
  for (const { client, timestamp, seq, after } of taken) {
    for (; read < after; read++) {
      const { replica, view, seq: place, digest } = promises[read]!
      const here = bound.get(place) ?? new Map<string, Set<number>>()
      bound.set(place, here)
      const key = `${view} ${digest}`
      here.set(key, (here.get(key) ?? new Set<number>()).add(replica))
    }
    const most = Math.max(0, ...[...(bound.get(seq)?.values() ?? [])].map(({ size }) => size))
    if (most + others >= quorum) continue
    const detail = `${client} ${timestamp} was answered at seq ${seq}, where no more than ${most} correct replicas had prepared one batch in one view`
    violations.push({ checker: 'decided', detail })
  }
  return violations
}
