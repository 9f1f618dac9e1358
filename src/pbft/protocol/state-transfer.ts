/**
 * State transfer (TOCS 2002, section 6.2): a replica whose state is behind a checkpoint, or differs from it, fetches the
 * partition tree top-down, only where it differs, from several replicas at once. Every piece is checked against the digest
 * that leads to it from the root, so it does not matter who sends it, nor in what order.
 */
import { assertThat } from './assert.ts'
import { forgetCheckpointsAbove, makeStable, ownDigestAt, takeCheckpoint, weaklyProven } from './checkpoints.ts'
import { asSeqNo, type Digest, type ReplicaId, type SeqNo } from './ids.ts'
import type { Fetch, MetaData, PartitionData, StableCheckpoint } from './messages.ts'
import { childrenOf, leafDigest, nodeDigest, TREE_ARITY } from './partition-tree.ts'
import { cancelTimer, emit, highWatermark, lowWatermark, reject, sendTo, setTimer, type ReplicaState } from './state.ts'
import {
  assemble,
  descend,
  differences,
  isComplete,
  newTransfer,
  nextSource,
  pieceKey,
  remaining,
  retarget,
  type Piece,
  type Transfer,
} from './transfer-plan.ts'

/** Pieces asked for at once, over all sources. */
const PIECES_IN_FLIGHT_MAX = 16
const PIECES_PER_PROGRESS_EVENT = 16
/** Periods without a piece after which a checkpoint that only f+1 vouch for will do, if it is higher. */
const STALLED_PERIODS_FOR_WEAK = 3

type TransferPhase = 'started' | 'progress' | 'completed' | 'abandoned'

const report = (r: ReplicaState, t: Transfer, state: TransferPhase): void => {
  emit(r, {
    type: 'transfer',
    state,
    seq: t.target.seq,
    verified: t.verified,
    rejected: t.rejected,
    remaining: remaining(t),
    sources: t.sources.filter((source) => !t.liars.has(source)),
  })
}

/** What cannot be reached by retransmission: a wrong own state, the start of the view, a checkpoint above the window. */
const urgentTarget = (r: ReplicaState): StableCheckpoint | null => {
  if (r.repair !== null) return r.repair
  const { proven } = r.checkpoints
  if (proven.seq > highWatermark(r)) return proven
  if (r.newView === null || r.newView.view !== r.view || !r.active) return null
  const { seq, digest } = r.newView.start
  const own = ownDigestAt(r, seq)
  if (seq <= r.lastExecuted && (own === null || own === digest)) return null
  return proven.seq > seq ? proven : { seq, digest, proof: [] }
}

/** Begins a transfer when one is called for; when retransmission may still help, gives it one fetch time-out first. */
export const settleTransfer = (r: ReplicaState): void => {
  if (r.transfer !== null || r.peers.length === 0) return
  const urgent = urgentTarget(r)
  if (urgent !== null) begin(r, urgent)
  else if (r.checkpoints.proven.seq > r.lastExecuted && r.laggingSince === null) {
    r.laggingSince = r.lastExecuted
    setTimer(r, 'fetch', r.config.fetchTimeoutMs)
  }
}

const begin = (r: ReplicaState, target: StableCheckpoint): void => {
  // A repair starts from the own checkpoint at that very seq: the state has moved on since.
  const held = r.checkpoints.held.get(target.seq)?.snapshot
  const transfer = newTransfer(target, held ?? r.replicated.snapshot(), held === undefined ? r.lastExecuted : target.seq, r.peers)
  r.transfer = transfer
  r.laggingSince = null
  report(r, transfer, 'started')
  setTimer(r, 'fetch', r.config.fetchTimeoutMs)
  proceed(r, transfer)
}

/** Asks for more, or installs once nothing is wanted any more. */
const proceed = (r: ReplicaState, t: Transfer): void => {
  if (isComplete(t)) return install(r, t)
  while (t.asked.size < PIECES_IN_FLIGHT_MAX) {
    const piece = t.queue.pop()
    if (piece === undefined) return
    piece.source = nextSource(t, piece.source)
    piece.askedAt = t.period
    t.asked.set(pieceKey(piece.level, piece.index), piece)
    const { level, index } = piece
    sendTo(r, piece.source, { type: 'fetch', seq: t.target.seq, root: t.target.digest, level, index }, false)
  }
}

/** Fetch timer: lagging becomes a transfer; pieces that were not answered go to another source. */
export const onFetchTimer = (r: ReplicaState): void => {
  if (r.transfer !== null) return onPeriod(r, r.transfer)
  const since = r.laggingSince
  r.laggingSince = null
  if (since === null || r.checkpoints.proven.seq <= r.lastExecuted) return
  if (r.lastExecuted === since) begin(r, r.checkpoints.proven)
  else r.again = true
}

const onPeriod = (r: ReplicaState, t: Transfer): void => {
  t.period++
  t.stalled = t.verified === t.verifiedAtPeriod ? t.stalled + 1 : 0
  t.verifiedAtPeriod = t.verified
  const newer = newerTarget(r, t)
  if (newer === null) {
    for (const [key, piece] of t.asked) {
      if (piece.askedAt >= t.period - 1 && t.stalled === 0) continue
      t.asked.delete(key)
      t.queue.push(piece)
    }
  } else {
    report(r, t, 'abandoned')
    retarget(t, newer)
    report(r, t, 'started')
  }
  if (t.stalled === 0) report(r, t, 'progress')
  setTimer(r, 'fetch', r.config.fetchTimeoutMs)
  proceed(r, t)
}

/** While pieces come, the target stays, or a busy cluster would run away from it; peers drop old ones in time. */
const newerTarget = (r: ReplicaState, t: Transfer): StableCheckpoint | null => {
  if (t.stalled === 0) return null
  if (r.checkpoints.proven.seq > t.target.seq) return r.checkpoints.proven
  return t.stalled >= STALLED_PERIODS_FOR_WEAK ? weaklyProven(r, t.target.seq) : null
}

/** The piece that an answer is for, when it was asked for under the current target. */
const askedPiece = (r: ReplicaState, seq: SeqNo, level: number, index: number): Piece | null => {
  const t = r.transfer
  return t === null || t.target.seq !== seq ? null : (t.asked.get(pieceKey(level, index)) ?? null)
}

export const onMetaData = (r: ReplicaState, from: ReplicaId, message: MetaData): void => {
  const { level, index, children } = message
  const t = r.transfer
  const piece = askedPiece(r, message.seq, level, index)
  if (t === null || piece === null || level >= t.base.levels.length - 1) return
  if (nodeDigest((bytes) => r.capabilities.digest(bytes), level, index, children) !== piece.digest) return refuse(r, t, piece, from)
  accept(r, t, piece)
  t.knownNodes.set(piece.digest, children)
  children.forEach((child, i) => descend(t, level + 1, index * TREE_ARITY + i, child))
  proceed(r, t)
}

export const onPartitionData = (r: ReplicaState, from: ReplicaId, message: PartitionData): void => {
  const t = r.transfer
  if (t === null) return
  const piece = askedPiece(r, message.seq, t.base.levels.length - 1, message.index)
  if (piece === null) return
  if (leafDigest((bytes) => r.capabilities.digest(bytes), message.index, message.bytes) !== piece.digest) return refuse(r, t, piece, from)
  accept(r, t, piece)
  // A copy: the message may be a view on a much larger frame.
  const bytes = message.bytes.slice()
  t.knownLeaves.set(piece.digest, bytes)
  t.leaves.set(piece.index, { bytes, digest: piece.digest })
  proceed(r, t)
}

const accept = (r: ReplicaState, t: Transfer, piece: Piece): void => {
  t.asked.delete(pieceKey(piece.level, piece.index))
  t.verified++
  if (t.verified % PIECES_PER_PROGRESS_EVENT === 0) report(r, t, 'progress')
}

/** A wrong piece: its sender comes last from now on, and another is asked at once. */
const refuse = (r: ReplicaState, t: Transfer, piece: Piece, from: ReplicaId): void => {
  reject(r, 'invalid-partition', 'state transfer', from)
  t.rejected++
  t.liars.add(from)
  if (piece.source !== from) return
  t.asked.delete(pieceKey(piece.level, piece.index))
  t.queue.push(piece)
  proceed(r, t)
}

/** Puts the fetched state in the place of the own one: this replica is then as of the target. */
const install = (r: ReplicaState, t: Transfer): void => {
  const { seq, digest } = t.target
  const { leaves, digests } = assemble(t)
  const partitions = differences(t)
  if (partitions.length > 0) emit(r, { type: 'differed', seq, partitions })
  r.replicated.loadAll(leaves, digests)
  assertThat(r.replicated.root() === digest, 'an installed state has the root that was fetched')
  r.transfer = null
  r.repair = null
  if (r.damage !== null) r.damage.repaired = true
  forgetCheckpointsAbove(r, seq)
  r.lastExecuted = seq
  r.tentative = null
  r.highestOrdered = asSeqNo(Math.max(r.highestOrdered, seq))
  cancelTimer(r, 'fetch')
  takeCheckpoint(r, true)
  // A newer one may be proven by now, but h must not stay behind for that.
  if (t.target.proof.length >= r.quorum && seq > lowWatermark(r)) makeStable(r, t.target)
  r.pending.dropWhere((request) => (r.replicated.replies.get(request.client)?.timestamp ?? -1) >= request.timestamp)
  report(r, t, 'completed')
  r.again = true
}

const childrenAt = (r: ReplicaState, message: Fetch): readonly Digest[] | null => {
  const held = r.checkpoints.held.get(message.seq)
  return held === undefined ? null : childrenOf(held.snapshot, message.level, message.index)
}

/** Serves a checkpoint that is held; silent otherwise, and the asker turns to another. */
export const onFetch = (r: ReplicaState, from: ReplicaId, message: Fetch): void => {
  const held = r.checkpoints.held.get(message.seq)
  if (held === undefined || held.snapshot.root !== message.root) return
  held.fetchedAtMs = r.nowMs
  const { seq, level, index } = message
  if (level === held.snapshot.levels.length - 1) {
    const bytes = held.snapshot.leaves[index]
    if (bytes !== undefined) sendTo(r, from, { type: 'data', seq, index, bytes }, false)
    return
  }
  const children = childrenAt(r, message)
  if (children !== null) sendTo(r, from, { type: 'meta-data', seq, level, index, children }, false)
}
