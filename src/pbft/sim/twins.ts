/**
 * Twins (Bano et al., 2020): a faulty replica as two honest instances with one replica's keys. In each round the network shows them to
 * different parts of the cluster, so that each of them promises what the other one does not know.
 */
import type { Random } from './random.ts'

/** One round: the group of each replica 0..n-1, and at n that of the second twin. What is in different groups does not hear of each other. */
export type Round = readonly number[]

export interface TwinPlan {
  /** Whose keys there are twice. */
  readonly replica: number
  /** One after another; the last one stays until healing. */
  readonly rounds: readonly Round[]
  readonly roundMs: number
}

/** All ways to divide `count` things into at most `groupsMax` groups, each as the groups of things 0, 1, 2... */
export function divisions(count: number, groupsMax: number): Round[] {
  const extend = (head: readonly number[], used: number): Round[] => {
    if (head.length === count) return [head]
    return Array.from({ length: Math.min(used + 1, groupsMax) }, (_, group) => extend([...head, group], Math.max(used, group + 1))).flat()
  }
  return extend([], 0)
}

/** Rounds in which the twins are apart; with everyone else, or a quorum, on either side. */
export function drawTwinPlan(random: Random, replica: number, n: number): TwinPlan {
  const rounds = Array.from({ length: random.whole(2, 12) }, (): Round => {
    const groups = Array.from({ length: n + 1 }, () => random.whole(0, 1))
    groups[n] = 1 - (groups[replica] ?? 0)
    return groups
  })
  return { replica, rounds, roundMs: random.pick([50, 200, 600]) }
}
