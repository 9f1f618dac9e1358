/**
 * What a fault would do before it is injected: which replicas could still take part, and whether that is a quorum. It reasons
 * about links and liars only: delay and loss slow the protocol but cut nothing, and one that lies is not to be counted on.
 */
import type { FaultRequest } from '../../contract/faults.ts'
import type { ClusterStatus, ReplicaState, ReplicaStatus } from '../../contract/model.ts'

/** States in which a replica takes no part in agreement. */
const outStates: readonly ReplicaState[] = ['starting', 'unreachable', 'isolated', 'paused', 'stopped', 'faulty', 'diverged']

/** Whether it can vote. One on probation has lost its disk and says nothing that could contradict what it may have said before. */
export const takesPart = ({ state, probation }: Pick<ReplicaStatus, 'state' | 'probation'>): boolean =>
  !outStates.includes(state) && probation === null

export type ConsequenceKind =
  /** Nothing is cut off; the protocol gets slower at most. */
  | 'slower'
  /** More faults can follow before progress stops. */
  | 'tolerated'
  /** Progress goes on; the next fault stops it. */
  | 'last'
  /** No quorum is left: requests stop, nothing wrong is said. */
  | 'stops'
  /** More would lie than f: even what was acknowledged is no longer safe. */
  | 'unsafe'

export interface Consequence {
  readonly kind: ConsequenceKind
  /** Replicas that cannot take part afterwards; ascending. */
  readonly out: readonly number[]
  /** How many can take part afterwards: the largest group that hear each other. */
  readonly available: number
  /** The primary is among `out`, so a view change follows when a quorum is left. */
  readonly losesPrimary: boolean
}

type Links = (from: number, to: number) => boolean

function cutsOf(fault: FaultRequest, n: number): (from: number, to: number) => boolean {
  switch (fault.type) {
    case 'isolate':
    case 'pause':
      return (from, to) => from === fault.replica || to === fault.replica
    case 'cut':
      return (from, to) => (from === fault.from && to === fault.to) || (fault.bothWays === true && from === fault.to && to === fault.from)
    case 'loss':
      return (from, to) => fault.probability >= 1 && from === fault.from && to === fault.to
    case 'partition': {
      const groupOf = Array.from({ length: n }, (_, id) => fault.groups.findIndex((group) => group.includes(id)))
      // Those in no group (-1) are one more group together.
      return (from, to) => groupOf[from] !== groupOf[to]
    }
    default:
      return () => false
  }
}

/** The largest set, grown greedily, in which everyone hears everyone both ways; exact for the cuts that operators make. */
function largestGroup(candidates: readonly number[], linked: Links): number[] {
  let best: number[] = []
  for (const seed of candidates) {
    const group = [seed]
    for (const other of candidates) {
      if (other !== seed && group.every((member) => linked(member, other) && linked(other, member))) group.push(other)
    }
    if (group.length > best.length) best = group
  }
  return best.sort((a, b) => a - b)
}

/** Links of the cluster now, as its active faults leave them. */
export function linksNow(status: Pick<ClusterStatus, 'n' | 'faults'>): Links {
  const cuts = status.faults.map((active) => cutsOf(active.fault, status.n))
  return (from, to) => !cuts.some((cut) => cut(from, to))
}

type Status = Pick<ClusterStatus, 'n' | 'quorum' | 'replicas' | 'faults' | 'primary'>

/** The state after `fault` is added to what is active now. */
export function consequenceOf(status: Status, fault: FaultRequest): Consequence {
  const cut = cutsOf(fault, status.n)
  const lost = fault.type === 'pause' || fault.type === 'byzantine' ? [fault.replica] : []
  const cutsNothing = lost.length === 0 && !status.replicas.some((a) => status.replicas.some((b) => a.id !== b.id && cut(a.id, b.id)))
  const left = leftWithout(status, lost, cut)
  const kind = lies(status, fault) ? 'unsafe' : left.kind !== 'stops' && cutsNothing ? 'slower' : left.kind
  return { ...left, kind, losesPrimary: left.losesPrimary && !leads(fault) }
}

/** The state after `lost` fail in addition to what is active now: they crash, fall silent or are cut off. */
export const lossOf = (status: Status, lost: readonly number[]): Consequence => leftWithout(status, lost, () => false)

function leftWithout(status: Status, lost: readonly number[], cut: Links): Consequence {
  const before = linksNow(status)
  const linked: Links = (from, to) => before(from, to) && !cut(from, to)
  const running = status.replicas.filter((replica) => takesPart(replica) && !lost.includes(replica.id)).map((replica) => replica.id)
  const group = largestGroup(running, linked)
  const out = status.replicas.map((replica) => replica.id).filter((id) => !group.includes(id))
  const spare = group.length - status.quorum
  const kind = spare < 0 ? 'stops' : spare === 0 ? 'last' : 'tolerated'
  return { kind, out, available: group.length, losesPrimary: status.primary !== null && out.includes(status.primary) }
}

/** Behaviours under which a primary stays primary. */
const leads = (fault: FaultRequest): boolean =>
  fault.type === 'byzantine' && fault.behaviour !== 'silent' && fault.behaviour !== 'equivocate'

const lies = (status: Pick<ClusterStatus, 'n' | 'faults'>, fault: FaultRequest): boolean => {
  const all = [...status.faults.map((active) => active.fault), fault]
  const liars = new Set(all.flatMap((one) => (one.type === 'byzantine' ? [one.replica] : [])))
  return fault.type === 'byzantine' && liars.size > Math.floor((status.n - 1) / 3)
}
