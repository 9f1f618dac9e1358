/**
 * Tentative execution (TOCS 2002, section 5.1.2): a batch that has prepared here, and below which everything is committed, is answered
 * before it commits. The answer is this replica's commit, told to a client: it leaves where the commit leaves, rests on the same record,
 * and a quorum of them from one view is to the client what a quorum of commits is to a replica.
 *
 * The execution itself is taken back at once, and made again when the batch commits. So between two steps the state is never anything
 * but what is committed, and there is nothing to undo when a view change chooses another batch, when a state is fetched or repaired, when a
 * checkpoint is taken, a read answered, a digest asked for, or at a restart: what was answered is forgotten.
 */
import type { Digest, SeqNo, View } from './ids.ts'
import type { Request } from './messages.ts'
import { replyTentatively } from './replies.ts'
import type { TentativeResult } from './replicated-state.ts'
import type { Slot } from './slots.ts'
import type { ReplicaState } from './state.ts'

export interface Tentative {
  readonly seq: SeqNo
  readonly digest: Digest
  /** In which it prepared, and was answered. */
  readonly view: View
  readonly results: readonly TentativeResult[]
}

/** The slot after lastExecuted when its batch may be answered: it has prepared in this view and nothing more is known of it. */
const preparedNext = (r: ReplicaState): Slot | null => {
  const slot = r.log.get(r.lastExecuted + 1)
  if (slot === undefined || !slot.prepared || slot.committed || slot.executed !== null || slot.learned !== null) return null
  return r.tentative?.seq === slot.seq ? null : slot
}

/** Answers the requests of the batch after lastExecuted once it has prepared. At most one batch is answered so at a time. */
export const executeTentatively = (r: ReplicaState): void => {
  if (!r.config.tentativeExecution || !r.active || r.silence !== null || r.transfer !== null || r.repair !== null) return
  const slot = preparedNext(r)
  if (slot === null || slot.digest === null || slot.batch === null || slot.batch.requests.length === 0) return
  const results = r.replicated.executeTentatively(slot.seq, slot.batch)
  r.tentative = { seq: slot.seq, digest: slot.digest, view: r.view, results }
  for (const { request, result } of results) replyTentatively(r, request, slot.seq, result)
}

/** To a client that asks again for what was answered tentatively and has not committed since. */
export const answerTentatively = (r: ReplicaState, { client, timestamp }: Request): void => {
  // A state that is known to be wrong answers nobody.
  if (r.repair !== null) return
  const known = r.tentative?.results.find(({ request }) => request.client === client && request.timestamp === timestamp)
  if (r.tentative !== null && known !== undefined) replyTentatively(r, known.request, r.tentative.seq, known.result)
}

/**
 * Whether what is executed now was answered in the view in which it committed: others have answered in that view too, so that their
 * answers add up, and a second one would say nothing new.
 */
export const isToldTentatively = (r: ReplicaState, slot: Slot, digest: Digest): boolean =>
  slot.committed && r.tentative?.seq === slot.seq && r.tentative.digest === digest && r.tentative.view === r.view
