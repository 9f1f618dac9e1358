/**
 * The plan of a state transfer: which nodes of the target's partition tree are still wanted, what was verified, who is asked.
 * Plain bookkeeping; `state-transfer.ts` talks to the peers.
 */
import { present } from './assert.ts'
import type { Digest, ReplicaId, SeqNo } from './ids.ts'
import type { StableCheckpoint } from './messages.ts'
import { TREE_ARITY, type TreeSnapshot } from './partition-tree.ts'
import type { DifferingPartition } from './steps.ts'

/** One node of the tree, inner or leaf, with the digest that its answer has to have. */
export interface Piece {
  readonly level: number
  readonly index: number
  readonly digest: Digest
  /** Who was asked last, and in which period of the fetch timer. */
  source: ReplicaId | null
  askedAt: number
}

export interface Transfer {
  target: StableCheckpoint
  /** What this replica has already: nodes with the same digest are not fetched. */
  readonly base: TreeSnapshot
  /** The state that `base` is of: compared with a target of the same seq, what differs is not only older. */
  readonly baseSeq: SeqNo
  /** Pieces to ask for, and those asked for by level and index. */
  queue: Piece[]
  readonly asked: Map<string, Piece>
  /** Leaves of the target that differ from the base. */
  readonly leaves: Map<number, { readonly bytes: Uint8Array; readonly digest: Digest }>
  /** Everything verified so far by its digest; outlives a change of target. */
  readonly knownNodes: Map<Digest, readonly Digest[]>
  readonly knownLeaves: Map<Digest, Uint8Array>
  /** Sources in turn; those that sent a wrong piece come last. */
  readonly sources: ReplicaId[]
  readonly liars: Set<ReplicaId>
  nextSource: number
  /** Periods of the fetch timer, and how many in a row brought nothing. */
  period: number
  stalled: number
  verified: number
  verifiedAtPeriod: number
  rejected: number
}

export const pieceKey = (level: number, index: number): string => `${level}/${index}`

export const newTransfer = (target: StableCheckpoint, base: TreeSnapshot, baseSeq: SeqNo, sources: readonly ReplicaId[]): Transfer => {
  const transfer: Transfer = {
    target,
    base,
    baseSeq,
    queue: [],
    asked: new Map(),
    leaves: new Map(),
    knownNodes: new Map(),
    knownLeaves: new Map(),
    sources: [...sources],
    liars: new Set(),
    nextSource: 0,
    period: 0,
    stalled: 0,
    verified: 0,
    verifiedAtPeriod: 0,
    rejected: 0,
  }
  descend(transfer, 0, 0, target.digest)
  return transfer
}

/** Plans the subtree below a node: nothing where the base agrees, from memory what was verified before, else a fetch. */
export const descend = (t: Transfer, level: number, index: number, digest: Digest): void => {
  if (t.base.levels[level]?.[index] === digest) return
  if (level === t.base.levels.length - 1) {
    const bytes = t.knownLeaves.get(digest)
    if (bytes !== undefined) t.leaves.set(index, { bytes, digest })
    else t.queue.push({ level, index, digest, source: null, askedAt: 0 })
    return
  }
  const children = t.knownNodes.get(digest)
  if (children === undefined) t.queue.push({ level, index, digest, source: null, askedAt: 0 })
  else children.forEach((child, i) => descend(t, level + 1, index * TREE_ARITY + i, child))
}

/** Aims at another checkpoint; what was verified and is part of it too is not fetched again. */
export const retarget = (t: Transfer, target: StableCheckpoint): void => {
  // Bounded, however often the target moves.
  if (t.knownLeaves.size > 2 * t.base.leaves.length) {
    t.knownLeaves.clear()
    t.knownNodes.clear()
  }
  t.target = target
  t.queue = []
  t.asked.clear()
  t.leaves.clear()
  t.stalled = 0
  descend(t, 0, 0, target.digest)
}

/** The next source in turn, not `avoid` if there is another, and no known liar as long as there are others. */
export const nextSource = (t: Transfer, avoid: ReplicaId | null): ReplicaId => {
  const honest = t.sources.filter((source) => !t.liars.has(source))
  const pool = honest.length > 0 ? honest : t.sources
  const others = pool.filter((source) => source !== avoid)
  const choice = others.length > 0 ? others : pool
  t.nextSource++
  return present(choice[t.nextSource % choice.length], 'a transfer has sources')
}

/** Pieces known to be wanted and not here; inner nodes may bring more. */
export const remaining = (t: Transfer): number => t.queue.length + t.asked.size

export const isComplete = (t: Transfer): boolean => remaining(t) === 0

/** The whole target state by leaf, once complete. */
export const assemble = (t: Transfer): { readonly leaves: Uint8Array[]; readonly digests: Digest[] } => {
  const leaves = t.base.leaves.slice()
  const digests = present(t.base.levels.at(-1), 'a tree has leaves').slice()
  for (const [index, leaf] of t.leaves) {
    leaves[index] = leaf.bytes
    digests[index] = leaf.digest
  }
  return { leaves, digests }
}

/** Where the base was not the target's state though it was of the same seq; ascending. None while the base is merely behind. */
export const differences = (t: Transfer): DifferingPartition[] => {
  if (t.baseSeq !== t.target.seq) return []
  const indices = [...t.leaves.keys()].sort((a, b) => a - b)
  return indices.map((index) => ({
    index,
    own: present(t.base.leaves[index], 'a base has all leaves'),
    agreed: present(t.leaves.get(index), 'a leaf of the target').bytes,
  }))
}
