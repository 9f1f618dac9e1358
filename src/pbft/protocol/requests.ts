/** Requests as they come in from clients and, forwarded, from backups. */
import { holdToSignatures, isHeld, isSameRequest, isSigned, wantSignature } from './authentication.ts'
import { asSeqNo, type ClientId, type ReplicaId } from './ids.ts'
import type { Request } from './messages.ts'
import { releaseProven } from './ordering.ts'
import { reply } from './replies.ts'
import { RESULT_BYTES_PER_BATCH_MAX } from './replicated-state.ts'
import { answerTentatively } from './tentative.ts'
import { emit, isPrimary, primary, reject, sendTo, type ReplicaState } from './state.ts'

/** Time that a read is executed at: reads have no agreed time of their own. */
const query = (r: ReplicaState, request: Request): void => {
  const result = r.replicated.service.query(request.operation, {
    client: request.client,
    timeMs: r.replicated.timeMs,
    resultBytesMax: RESULT_BYTES_PER_BATCH_MAX,
  })
  if (result === null) reject(r, 'not-a-read', 'request', request.client)
  else reply(r, request, asSeqNo(0), result)
}

/**
 * Answers a read at once when everything that this replica has sent a commit for is executed here, else after that.
 *
 * The wait is what makes reads linearizable although ordered requests complete at f+1 replies: a completed write was
 * committed, so it was prepared at every correct replica of some quorum; a read quorum shares a correct one with it, and that
 * one answers from a state that has the write.
 */
const onRead = (r: ReplicaState, request: Request): void => {
  if (r.lastExecuted >= r.highestPrepared && r.transfer === null) return query(r, request)
  if (r.reads.length >= r.config.pendingRequestsMax) return reject(r, 'too-many-pending', 'request', request.client)
  r.reads.push({ request, after: r.highestPrepared })
}

/** Answers the reads that waited and now may be. They are in ascending order of what they wait for. */
export const answerReads = (r: ReplicaState): void => {
  if (r.transfer !== null) return
  let answered = 0
  for (const read of r.reads) {
    if (read.after > r.lastExecuted) break
    query(r, read.request)
    answered++
  }
  if (answered > 0) r.reads.splice(0, answered)
}

/** False when the request is settled already: executed (the cached reply goes out again) or older than that. */
const isNew = (r: ReplicaState, request: Request, from: ReplicaId | ClientId): boolean => {
  // A state that is known to be wrong answers nobody.
  if (r.repair !== null) return isNewest(r, request, from)
  const cached = r.replicated.replies.get(request.client)
  if (cached !== undefined && request.timestamp <= cached.timestamp) {
    if (request.timestamp === cached.timestamp) reply(r, request, cached.seq, cached.result)
    else reject(r, 'stale-timestamp', 'request', from)
    return false
  }
  if (cached === undefined && r.replicated.replies.isExpired(request.client, request.timestamp)) {
    reply(r, request, asSeqNo(0), r.replicated.service.refusal('expired'))
    reject(r, 'stale-timestamp', 'request', from)
    return false
  }
  return isNewest(r, request, from)
}

/** False when a later one of its client waits. */
const isNewest = (r: ReplicaState, request: Request, from: ReplicaId | ClientId): boolean => {
  const pending = r.pending.get(request.client)
  if (pending !== undefined && pending.timestamp > request.timestamp) {
    reject(r, 'stale-timestamp', 'request', from)
    return false
  }
  return true
}

/** Keeps a request until it, or another of its client with this timestamp or a later one, is executed. */
const keep = (r: ReplicaState, request: Request, from: ReplicaId | ClientId): boolean => {
  const known = r.pending.get(request.client)
  if (known !== undefined && known.timestamp === request.timestamp) {
    // Another request under the same timestamp is no reason for anything: the first one stands. But a better proof is taken.
    if (isSigned(request) && !isSigned(known) && isSameRequest(known, request)) r.pending.replace(request)
    return true
  }
  if (known === undefined && r.pending.size >= r.config.pendingRequestsMax) {
    reject(r, 'too-many-pending', 'request', from)
    return false
  }
  r.pending.add(request, isPrimary(r) && r.active)
  emit(r, { type: 'request-received', client: request.client, timestamp: request.timestamp })
  return true
}

/** MACs that prove nothing here, over the client's own link: no one else can have spoilt them. */
const refuseUnverified = (r: ReplicaState, request: Request): void => {
  reject(r, 'unverified-request', 'request', request.client)
  if (!request.readOnly) holdToSignatures(r, request.client)
  wantSignature(r, request.client, request.timestamp)
}

/**
 * Takes a request that is proven here. One that is not signed, so that others may not be able to verify it, goes no further than to the
 * primary: a backup starts no timer for it. Its client sends it again with a signature when no answer comes.
 */
const take = (r: ReplicaState, request: Request, from: ReplicaId | ClientId): 'kept' | 'passed-on' | 'refused' => {
  releaseProven(r, request)
  if (!isNew(r, request, from)) return 'refused'
  if (isSigned(request)) return keep(r, request, from) ? 'kept' : 'refused'
  if (isHeld(r, request.client)) {
    reject(r, 'held-to-signatures', 'request', from)
    wantSignature(r, request.client, request.timestamp)
    return 'refused'
  }
  if (r.active && !isPrimary(r)) return 'passed-on'
  return keep(r, request, from) ? 'kept' : 'refused'
}

/** From the client itself. A backup passes it on to the primary, each time the client insists. */
export const onRequest = (r: ReplicaState, request: Request, isVerified: boolean): void => {
  if (r.silence !== null) return reject(r, 'on-probation', 'request', request.client)
  if (!isVerified) return refuseUnverified(r, request)
  if (request.readOnly) return onRead(r, request)
  // What comes to the primary for the first time is in no batch yet.
  const isRepeated = !isPrimary(r) || r.pending.get(request.client)?.timestamp === request.timestamp
  if (take(r, request, request.client) === 'refused') return
  if (isRepeated) answerTentatively(r, request)
  if (r.active && !isPrimary(r)) sendTo(r, primary(r), request, false)
}

/** From a backup. What is signed is kept also by a replica that is not the primary (any more): it will be needed. */
export const onForwarded = (r: ReplicaState, from: ReplicaId, request: Request, isVerified: boolean): void => {
  if (request.readOnly) return reject(r, 'not-a-read', 'request', from)
  if (r.silence !== null) return reject(r, 'on-probation', 'request', from)
  // Its client is not asked: whoever passed it on may have spoilt it.
  if (!isVerified) return reject(r, 'unverified-request', 'request', from)
  take(r, request, from)
}
