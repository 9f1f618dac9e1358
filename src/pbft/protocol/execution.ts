/** Execution in sequence order of what is committed, replies, and the checkpoint every K. */
import { assertThat } from './assert.ts'
import { takeCheckpoint } from './checkpoints.ts'
import type { Digest, SeqNo } from './ids.ts'
import type { Batch } from './messages.ts'
import { reply } from './replies.ts'
import type { Slot } from './slots.ts'
import { emit, persist, type ReplicaState } from './state.ts'
import { isToldTentatively } from './tentative.ts'

/** Executes as far as there is no gap. Nothing is executed while a state transfer replaces the state. */
export const executeReady = (r: ReplicaState): void => {
  while (r.transfer === null && r.repair === null) {
    const slot = r.log.get(r.lastExecuted + 1)
    if (slot === undefined) return
    // A batch executed before a repair is executed again on the repaired state, in whatever view this is.
    const digest = slot.executed ?? (slot.committed ? slot.digest : slot.learned)
    if (digest === null) return
    const batch = (slot.digest === digest ? slot.batch : r.log.batch(digest)) ?? null
    if (batch === null) {
      r.unseen.set(digest, slot.seq)
      return
    }
    executeSlot(r, slot, digest, batch)
  }
}

/**
 * Replies are emitted before the executed record: a quorum's prepared records already back them, and the executed one only
 * serves this replica's own replay. So a reply costs two flushes in sequence, not three.
 */
const executeSlot = (r: ReplicaState, slot: Slot, digest: Digest, batch: Batch): void => {
  assertThat(slot.executed === null || slot.executed === digest, 'one batch is executed under one sequence number')
  const results = r.replicated.execute(slot.seq, batch)
  replyAll(r, batch, isToldTentatively(r, slot, digest) ? slot.seq : null)
  r.tentative = null
  persist(r, { kind: 'executed', view: r.view, seq: slot.seq, digest, batch, results })
  emit(r, { type: 'phase', phase: 'executed', view: r.view, seq: slot.seq, digest, requests: batch.requests.length })
  // Empty batches are no progress: a faulty primary could send them instead of requests.
  if (batch.requests.length > 0) {
    r.viewTimer.consecutive = 0
    r.viewTimer.postponed = 0
  }
  slot.executed = digest
  r.suspended.delete(slot.seq)
  r.lastExecuted = slot.seq
  if (slot.seq > r.highestSpoken) r.highestSpoken = slot.seq
  if (slot.seq > r.highestOrdered) r.highestOrdered = slot.seq
  if (slot.seq % r.config.checkpointInterval === 0) takeCheckpoint(r, false)
}

/** `told`: where what is executed there was answered tentatively, and is not answered again. */
const replyAll = (r: ReplicaState, batch: Batch, told: SeqNo | null): void => {
  for (const request of batch.requests) {
    const cached = r.replicated.replies.get(request.client)
    // Another timestamp: the client went on long ago.
    if (cached?.timestamp === request.timestamp && cached.seq !== told) reply(r, request, cached.seq, cached.result)
    r.pending.executed(request.client, request.timestamp)
  }
}
