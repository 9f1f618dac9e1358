/** Empty batches for the sake of a replica on probation: it waits for checkpoints, and on an idle cluster none would ever come. */
import { isYounger, type PeerReport, type ReplicaState } from './state.ts'

/** Status periods for which a peer's wish holds. */
const WISH_PERIODS = 20
/** Once the first ones are used up, so many a second: a liar that is on probation for ever costs no more than that. */
const REFILL_PER_S = 10

/** What one probation may take: the goal lies at most two windows ahead, and half as much again. */
const burst = (r: ReplicaState): number => 3 * r.config.logWindow

const refill = (r: ReplicaState, peer: PeerReport): void => {
  const elapsedMs = r.nowMs - peer.emptyBatchesAtMs
  const more = Math.floor((elapsedMs * REFILL_PER_S) / 1_000)
  if (elapsedMs >= 0 && more === 0) return
  peer.emptyBatches = Math.min(burst(r), peer.emptyBatches + Math.max(1, more))
  peer.emptyBatchesAtMs = r.nowMs
}

/** Whether an empty batch may be ordered now; it is then paid for. */
export const takeEmptyBatch = (r: ReplicaState): boolean => {
  for (const peer of r.reports) {
    const isWanted =
      peer.goal !== null && peer.goal > r.highestOrdered && isYounger(r, peer.goalAtMs, WISH_PERIODS * r.config.statusIntervalMs)
    if (!isWanted) continue
    refill(r, peer)
    if (peer.emptyBatches === 0) continue
    peer.emptyBatches--
    return true
  }
  return false
}
