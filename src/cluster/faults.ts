/** Fault requests as rules: what each replica's transport has to do, who is affected, who can still hear whom. Pure. */
import type { FaultRequest, LinkRule, TransportFaults } from '../contract/faults.ts'
import { replicaList } from './sentence.ts'

const noRule: LinkRule = { cut: false, delayMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, corrupt: 0 }
const delayMaxMs = 60_000

export const noTransportFaults: TransportFaults = { outgoing: [], incomingCut: [], clientsCut: false, byzantine: null }

type LinkFault = Extract<FaultRequest, { from: number }>

/** What is wrong with a fault for a cluster of n replicas, in one sentence; null when it can be injected. */
export const faultProblem = (fault: FaultRequest, n: number): string | null => {
  const strangers = replicasNamed(fault).filter((id) => id >= n)
  if (strangers.length > 0) return `there is no ${replicaList(strangers)}: the cluster has replicas r0 to r${n - 1}`
  if ('from' in fault && fault.from === fault.to) return `a link fault needs two different replicas, not r${fault.from} twice`
  if (fault.type === 'partition') {
    const all = fault.groups.flat()
    if (new Set(all).size !== all.length) return 'a replica can be in one group of a partition only'
  }
  if (fault.type === 'byzantine' && fault.victim !== null) {
    if (fault.behaviour !== 'starve') return `a victim belongs to starve, not to ${fault.behaviour}`
    if (fault.victim === fault.replica) return `r${fault.replica} cannot starve itself`
  }
  return null
}

/** Every replica that a fault names, ascending. */
const replicasNamed = (fault: FaultRequest): number[] => {
  const victims = fault.type === 'byzantine' && fault.victim !== null ? [fault.victim] : []
  const named = 'replica' in fault ? [fault.replica] : 'from' in fault ? [fault.from, fault.to] : fault.groups.flat()
  return [...new Set([...named, ...victims])].sort((a, b) => a - b)
}

/** Replicas whose transport has to change for a fault, ascending; none for faults of the process (`pause`). */
export const replicasAffected = (fault: FaultRequest, n: number): number[] => {
  switch (fault.type) {
    case 'pause':
      return []
    case 'isolate':
    case 'byzantine':
      return [fault.replica]
    case 'partition':
      return Array.from({ length: n }, (_, id) => id)
    case 'cut':
      return [fault.from, fault.to].sort((a, b) => a - b)
    default:
      return fault.bothWays ? [fault.from, fault.to].sort((a, b) => a - b) : [fault.from]
  }
}

/** Whether any of the faults keeps frames of `from` from reaching `to`. A paused replica is not a matter of links. */
export const isCut = (faults: readonly FaultRequest[], from: number, to: number): boolean => faults.some((fault) => cuts(fault, from, to))

const cuts = (fault: FaultRequest, from: number, to: number): boolean => {
  switch (fault.type) {
    case 'isolate':
      return fault.replica === from || fault.replica === to
    case 'partition':
      // Those in no group (-1) are one more group together.
      return groupOf(fault.groups, from) !== groupOf(fault.groups, to)
    case 'cut':
      return actsOn(fault, from, to)
    case 'loss':
      return fault.probability === 1 && actsOn(fault, from, to)
    default:
      return false
  }
}

const groupOf = (groups: readonly (readonly number[])[], replica: number): number => groups.findIndex((group) => group.includes(replica))

const actsOn = (fault: LinkFault, from: number, to: number): boolean =>
  (fault.from === from && fault.to === to) || (fault.bothWays && fault.from === to && fault.to === from)

/**
 * The whole transport state of one replica under all active faults. A cut acts at both ends, so that it holds also while one
 * end has not confirmed it; the rest acts at the sender.
 */
export const transportFaultsOf = (faults: readonly FaultRequest[], replica: number, n: number): TransportFaults => {
  const peers = Array.from({ length: n }, (_, id) => id).filter((id) => id !== replica)
  return {
    outgoing: peers
      .map((peer) => ({ peer, rule: ruleOf(faults, replica, peer) }))
      .filter(({ rule }) => JSON.stringify(rule) !== JSON.stringify(noRule)),
    incomingCut: peers.filter((peer) => ownCut(faults, peer, peer, replica)),
    clientsCut: faults.some((fault) => fault.type === 'isolate' && fault.replica === replica),
    byzantine: byzantineOf(faults, replica),
  }
}

/** A replica misbehaves in one way at a time: the newest. */
const byzantineOf = (faults: readonly FaultRequest[], replica: number): TransportFaults['byzantine'] => {
  const own = faults.flatMap((fault) => (fault.type === 'byzantine' && fault.replica === replica ? [fault] : []))
  const newest = own.at(-1)
  return newest === undefined ? null : { behaviour: newest.behaviour, victim: newest.victim }
}

/** Whether the end of from -> to that is not `peer` has to cut it: an isolated replica cuts its links alone, its peers need not know. */
const ownCut = (faults: readonly FaultRequest[], peer: number, from: number, to: number): boolean =>
  faults.some((fault) => fault.type !== 'loss' && !(fault.type === 'isolate' && fault.replica === peer) && cuts(fault, from, to))

const either = (a: number, b: number): number => 1 - (1 - a) * (1 - b)

const ruleOf = (faults: readonly FaultRequest[], replica: number, peer: number): LinkRule => {
  let rule: LinkRule = { ...noRule, cut: ownCut(faults, peer, replica, peer) }
  for (const fault of faults) {
    if (!('from' in fault) || !actsOn(fault, replica, peer)) continue
    switch (fault.type) {
      case 'delay':
        rule = { ...rule, delayMs: Math.min(rule.delayMs + fault.delayMs, delayMaxMs), jitterMs: Math.max(rule.jitterMs, fault.jitterMs) }
        break
      case 'loss':
      case 'duplicate':
      case 'reorder':
      case 'corrupt':
        rule = { ...rule, [fault.type]: either(rule[fault.type], fault.probability) }
        break
      case 'cut':
        break
    }
  }
  return rule
}
