/**
 * Requests that not every replica can authenticate (protocol.md, section 9). A MAC vector proves a request only to the replica that
 * checks its own part, so a client, or a primary that spoils the vector, can make a request that some replicas can verify and others
 * cannot. What is kept here: pre-prepares that wait for proof, whom to ask for signatures, and who is held to them.
 */
import { principalOf, type ClientId, type ClientTimestamp, type Digest, type SeqNo } from './ids.ts'
import type { PrePrepare, Request } from './messages.ts'
import { isYounger, persist, reject, type ReplicaState } from './state.ts'

/** A pre-prepare that this replica would accept if it knew that the clients sent these requests. Volatile: it backs no vote. */
export interface Suspended {
  readonly message: PrePrepare
  readonly sinceMs: number
  unproven: readonly Request[]
  /** Its clients were asked for signatures. */
  isAsked: boolean
  /** Its signatures, left to others at first, are being checked here. */
  isBeingChecked: boolean
}

/** Everybody can check it. */
export const isSigned = (request: Request): boolean => request.authentication.kind === 'signature'

const isSameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])

/** Asking for one thing: to prove that a client sent the one is to prove that it sent the other. Who answers in full is no part of it. */
export const isSameRequest = (a: Request, b: Request): boolean =>
  a.client === b.client && a.timestamp === b.timestamp && a.readOnly === b.readOnly && isSameBytes(a.operation, b.operation)

/** Those of a batch that nothing at hand proves; a request that is pending here came with a proof. */
export const unprovenOf = (r: ReplicaState, message: PrePrepare, unverified: readonly number[]): Request[] =>
  unverified.flatMap((index) => {
    const request = message.batch.requests[index]
    if (request === undefined) return []
    const pending = r.pending.get(request.client)
    return pending !== undefined && isSameRequest(pending, request) ? [] : [request]
  })

/** f+1 distinct replicas vouch for the batch by their prepares: one of them is correct and has verified every request in it. */
export const isBacked = (r: ReplicaState, seq: SeqNo, digest: Digest): boolean =>
  (r.log.get(seq)?.prepares.count(r.view, digest) ?? 0) >= r.weak

/** Keeps a pre-prepare until it is proven. The caller has made sure that `seq` lies in the window and that nothing is suspended there. */
export const suspend = (r: ReplicaState, message: PrePrepare, unproven: readonly Request[]): Suspended => {
  // Votes and status speak of slots.
  r.log.open(message.seq)
  const waiting: Suspended = { message, unproven, sinceMs: r.nowMs, isAsked: false, isBeingChecked: false }
  r.suspended.set(message.seq, waiting)
  return waiting
}

/** After a prepare for `digest`: the pre-prepare that it released, if any. One for another digest is dropped then, to be fetched aright. */
export const takeBacked = (r: ReplicaState, seq: SeqNo, digest: Digest): PrePrepare | null => {
  const waiting = r.suspended.get(seq)
  if (waiting === undefined || !isBacked(r, seq, digest)) return null
  r.suspended.delete(seq)
  return waiting.message.digest === digest ? waiting.message : null
}

/** A client is known to have sent `request`: the pre-prepares that waited for nothing else. */
export const takeProven = (r: ReplicaState, request: Request): PrePrepare[] => {
  const proven: PrePrepare[] = []
  for (const [seq, waiting] of r.suspended) {
    if (!waiting.unproven.some((other) => isSameRequest(other, request))) continue
    waiting.unproven = waiting.unproven.filter((other) => !isSameRequest(other, request))
    if (waiting.unproven.length > 0) continue
    r.suspended.delete(seq)
    proven.push(waiting.message)
  }
  return proven
}

/** A quorum has committed `digest` at `seq`: the bytes of a suspended pre-prepare are good for execution, whoever sent the requests. */
export const keepSuspendedBatch = (r: ReplicaState, seq: SeqNo, digest: Digest): void => {
  const waiting = r.suspended.get(seq)
  if (waiting === undefined || waiting.message.digest !== digest) return
  r.suspended.delete(seq)
  const { batch } = waiting.message
  persist(r, { kind: 'batch', seq, digest, batch })
  r.log.keepBatch(seq, digest, batch)
}

export const dropSuspendedThrough = (r: ReplicaState, seq: SeqNo): void => {
  for (const key of r.suspended.keys()) if (key <= seq) r.suspended.delete(key)
}

/** Asks a client to sign its request. */
export const wantSignature = (r: ReplicaState, client: ClientId, timestamp: ClientTimestamp): void => {
  r.out.push({ type: 'want-signature', message: { type: 'authentication-wanted', client, timestamp } })
}

/** Principals that are held at a time: a manifest has no more, but a faulty primary may invent some. */
const HELD_MAX = 1_024

/** Holds a client's principal to signatures for `signatureHoldMs` from now. */
export const holdToSignatures = (r: ReplicaState, client: ClientId): void => {
  const principal = principalOf(client)
  // Set anew, so that the map's order is that of time.
  r.held.delete(principal)
  r.held.set(principal, r.nowMs)
  const oldest = r.held.keys().next().value
  if (r.held.size > HELD_MAX && oldest !== undefined) r.held.delete(oldest)
}

/**
 * Whether MACs of this client are not taken here for now. It matters to the primary: what it proposes the others have to verify, and
 * this replica could not, a while ago. A backup that can verify a MAC takes it whoever sent it.
 */
export const isHeld = (r: ReplicaState, client: ClientId): boolean => {
  if (r.held.size === 0) return false
  const principal = principalOf(client)
  const sinceMs = r.held.get(principal)
  if (sinceMs === undefined) return false
  if (isYounger(r, sinceMs, r.config.signatureHoldMs)) return true
  r.held.delete(principal)
  return false
}

/** Who is held to signatures now. */
export const heldPrincipals = (r: ReplicaState): string[] =>
  [...r.held].filter(([, sinceMs]) => isYounger(r, sinceMs, r.config.signatureHoldMs)).map(([principal]) => principal)

/** Most clients that one look asks. */
const ASKED_PER_LOOK_MAX = 64

/**
 * At status time: whoever sent what has been waiting for half a period is asked for a signature, and held to signatures. Not at once:
 * where a client has no link to this replica, the others vouch for its requests within a moment.
 */
export const askForSignatures = (r: ReplicaState): void => {
  let asked = 0
  for (const waiting of r.suspended.values()) {
    if (isYounger(r, waiting.sinceMs, r.config.statusIntervalMs / 2)) continue
    for (const request of waiting.unproven) {
      if (isSigned(request) || asked >= ASKED_PER_LOOK_MAX) continue
      asked++
      holdToSignatures(r, request.client)
      if (!waiting.isAsked) reject(r, 'unverified-request', 'pre-prepare', request.client)
      wantSignature(r, request.client, request.timestamp)
    }
    waiting.isAsked = true
  }
}
