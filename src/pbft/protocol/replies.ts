/** Replies to clients: full from the designated replier, a digest from the others when that is shorter. */
import type { SeqNo } from './ids.ts'
import type { Request } from './messages.ts'
import type { ReplicaState } from './state.ts'

/** A result this short costs no more to send than its digest does, so every replica sends it in full. Bytes. */
export const FULL_RESULT_BYTES_MAX = 64

const send = (r: ReplicaState, request: Request, seq: SeqNo, result: Uint8Array, tentative: boolean): void => {
  if (r.silence !== null) return
  const isFull = request.replier === null || request.replier === r.config.id || result.length <= FULL_RESULT_BYTES_MAX
  r.out.push({
    type: 'reply',
    reply: {
      type: 'reply',
      view: r.view,
      seq,
      client: request.client,
      timestamp: request.timestamp,
      replica: r.config.id,
      tentative,
      result: isFull ? { kind: 'full', bytes: result } : { kind: 'digest', digest: r.capabilities.digest(result) },
    },
  })
}

/** `seq` 0 for a read-only request. A replica that may not vote does not answer either: others do. */
export const reply = (r: ReplicaState, request: Request, seq: SeqNo, result: Uint8Array): void => send(r, request, seq, result, false)

/** Says no more than a commit for the batch at `seq` in this view does: that it has prepared here, and all below is committed. */
export const replyTentatively = (r: ReplicaState, request: Request, seq: SeqNo, result: Uint8Array): void =>
  send(r, request, seq, result, true)
