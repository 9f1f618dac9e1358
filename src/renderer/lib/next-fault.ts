/** What the next fault would do, for every replica and every pair, by quorum arithmetic on the live state. Pure. */
import type { ClusterStatus } from '../../contract/model.ts'
import { lossOf, takesPart, type Consequence } from './consequence.ts'

export type NextFaultKind =
  /** It takes part no more, so losing it changes nothing. */
  | 'nothing'
  /** Requests go on, and more may fail. */
  | 'tolerated'
  /** Requests go on, and the next fault stops them. */
  | 'last'
  /** Requests stop until it is back. */
  | 'stops'
  /** They had stopped before. */
  | 'stopped'

export interface NextFault {
  readonly replicas: readonly number[]
  readonly kind: NextFaultKind
  /** How many could take part afterwards. */
  readonly available: number
  /** The view that would follow since the primary is gone; null: the primary stays, or no quorum could change it. */
  readonly nextView: { readonly view: number; readonly primary: number } | null
}

type Status = Pick<ClusterStatus, 'n' | 'quorum' | 'replicas' | 'faults' | 'primary' | 'view'>

function nextOf(status: Status, stoppedNow: boolean, replicas: readonly number[]): NextFault {
  const after = lossOf(status, replicas)
  const kind = stoppedNow ? 'stopped' : replicas.every((id) => isOut(status, id)) ? 'nothing' : kindOf(after)
  return {
    replicas,
    kind,
    available: after.available,
    nextView: kind === 'stops' || kind === 'stopped' ? null : nextViewOf(status, after),
  }
}

const isOut = ({ replicas }: Status, id: number): boolean => {
  const replica = replicas[id]
  return replica === undefined || !takesPart(replica)
}

const kindOf = ({ kind }: Consequence): NextFaultKind => (kind === 'stops' || kind === 'last' ? kind : 'tolerated')

/** The first later view whose primary is still there. */
function nextViewOf({ view, primary, n }: Status, after: Consequence): NextFault['nextView'] {
  if (view === null || primary === null || !after.out.includes(primary)) return null
  for (let next = view + 1; next <= view + n; next += 1) {
    if (!after.out.includes(next % n)) return { view: next, primary: next % n }
  }
  return null
}

export interface NextFaults {
  /** By replica. */
  readonly singles: readonly NextFault[]
  /** pairs[a][b] for a > b. */
  readonly pairs: readonly (readonly NextFault[])[]
}

/** Every single replica and every pair, failing on top of what is down or cut now. */
export function nextFaultsOf(status: Status): NextFaults {
  const stopped = lossOf(status, []).kind === 'stops'
  const ids = status.replicas.map(({ id }) => id)
  return {
    singles: ids.map((id) => nextOf(status, stopped, [id])),
    pairs: ids.map((a) => ids.filter((b) => b < a).map((b) => nextOf(status, stopped, [b, a]))),
  }
}
