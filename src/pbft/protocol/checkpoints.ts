/**
 * Checkpoints, stability, garbage collection (TOCS 2002, section 4.4). Two digests at one sequence number are never passed
 * over: they are reported, and a replica whose own is the wrong one is put to repair.
 */
import { dropSuspendedThrough } from './authentication.ts'
import { weighCheckpoints } from './evidence.ts'
import type { Digest, ReplicaId, SeqNo } from './ids.ts'
import type { Checkpoint, CheckpointEntry, StableCheckpoint } from './messages.ts'
import { emit, highWatermark, lowWatermark, persist, promise, reject, type ReplicaState } from './state.ts'

/** Signed messages kept per replica: what its window can hold, and as much again for one that is ahead of us. */
const receivedMax = (r: ReplicaState): number => (2 * r.config.logWindow) / r.config.checkpointInterval + 2

/** Takes a checkpoint of the state as of lastExecuted, makes it durable and tells the others. */
export const takeCheckpoint = (r: ReplicaState, transferred: boolean): void => {
  const snapshot = r.replicated.snapshot()
  const unsigned = { type: 'checkpoint', seq: r.lastExecuted, digest: snapshot.root, replica: r.config.id } as const
  const message: Checkpoint = { ...unsigned, signature: r.capabilities.sign(unsigned) }
  const partitions = r.replicated.takeChanged()
  const bytes = partitions.reduce((sum, partition) => sum + partition.bytes.length, 0)
  persist(r, { kind: 'checkpoint', message, timeMs: r.replicated.timeMs, partitions, transferred })
  if (r.silence?.kind !== 'probation') promise(r, message)
  r.checkpoints.held.set(message.seq, { message, snapshot, takenAtMs: r.nowMs, fetchedAtMs: Number.NEGATIVE_INFINITY })
  emit(r, { type: 'checkpoint', seq: message.seq, digest: message.digest, partitions: partitions.length, bytes })
  note(r, message)
}

/** Signed by `message.replica`, so any replica may relay it. */
export const onCheckpoint = (r: ReplicaState, from: ReplicaId, message: Checkpoint): void => {
  const { seq, replica } = message
  const isPossible = seq > 0 && seq % r.config.checkpointInterval === 0 && replica < r.config.n
  if (!isPossible) return reject(r, 'invalid-checkpoint', 'checkpoint', from)
  if (seq < lowWatermark(r)) return
  if (seq === lowWatermark(r)) return noteAtStable(r, message)
  if (replica !== r.config.id) note(r, message)
}

/** A late message for the stable checkpoint is of interest only when it differs. */
const noteAtStable = (r: ReplicaState, message: Checkpoint): void => {
  const stable = r.checkpoints.stable
  if (message.digest === stable.digest || message.replica === r.config.id) return
  for (const known of stable.proof) weighCheckpoints(r, known, message)
  reportDivergence(r, message.seq, [...stable.proof, message])
}

/** Stores a message, one per replica and seq, and sees whether it completes a proof. */
const note = (r: ReplicaState, message: Checkpoint): void => {
  const list = r.checkpoints.received[message.replica]
  if (list === undefined) return
  let at = list.length
  while (at > 0 && (list[at - 1]?.seq ?? 0) > message.seq) at--
  const known = list[at - 1]
  if (known !== undefined && known.seq === message.seq) {
    if (known.digest === message.digest) return
    weighCheckpoints(r, known, message)
    reportDivergence(r, message.seq, [known, message])
    // The later one counts: it may stand in a proof, and correct replicas would wait for ever for a liar to say the same twice.
    list[at - 1] = message
    compare(r, message)
    return
  }
  list.splice(at, 0, message)
  if (list.length > receivedMax(r)) list.shift()
  if (message.replica !== r.config.id) {
    emit(r, { type: 'checkpoint-received', seq: message.seq, digest: message.digest, from: message.replica })
  }
  compare(r, message)
}

/** The stored messages for one sequence number, ascending by replica. */
const messagesAt = (r: ReplicaState, seq: SeqNo): Checkpoint[] => {
  const messages: Checkpoint[] = []
  for (const list of r.checkpoints.received) for (const message of list) if (message.seq === seq) messages.push(message)
  return messages
}

const compare = (r: ReplicaState, message: Checkpoint): void => {
  const all = messagesAt(r, message.seq)
  if (all.some((other) => other.digest !== message.digest)) reportDivergence(r, message.seq, all)
  if (message.seq <= r.checkpoints.proven.seq) return
  const proof = all.filter((other) => other.digest === message.digest)
  if (proof.length < r.quorum) return
  r.checkpoints.proven = { seq: message.seq, digest: message.digest, proof: proof.slice(0, r.quorum) }
  r.again = true
}

const reportDivergence = (r: ReplicaState, seq: SeqNo, messages: readonly Checkpoint[]): void => {
  if (r.checkpoints.diverged.has(seq)) return
  r.checkpoints.diverged.add(seq)
  const own = ownDigestAt(r, seq)
  emit(r, { type: 'divergence', seq, own, digests: messages.map(({ replica, digest }) => ({ replica, digest })) })
}

/** The checkpoint above h that f+1 replicas vouch for, the highest: at least one of them is correct. */
export const weaklyProven = (r: ReplicaState, above: SeqNo): StableCheckpoint | null => {
  let best: StableCheckpoint | null = null
  for (const list of r.checkpoints.received) {
    for (const message of list) {
      if (message.seq <= (best?.seq ?? above)) continue
      const proof = messagesAt(r, message.seq).filter((other) => other.digest === message.digest)
      if (proof.length >= r.weak) best = { seq: message.seq, digest: message.digest, proof }
    }
  }
  return best
}

/** Moves h to the proven checkpoint once this replica has its state; asks for repair when its own state differs. */
export const settleStable = (r: ReplicaState): void => {
  const { proven, stable } = r.checkpoints
  if (proven.seq <= stable.seq || r.lastExecuted < proven.seq || r.transfer !== null) return
  const own = ownDigestAt(r, proven.seq)
  if (own !== null && own !== proven.digest) {
    reportDivergence(r, proven.seq, proven.proof)
    r.repair = proven
    return
  }
  makeStable(r, proven)
}

/** The state at `checkpoint.seq` is this replica's own: h moves there. */
export const makeStable = (r: ReplicaState, checkpoint: StableCheckpoint): void => {
  r.checkpoints.stable = checkpoint
  r.checkpoints.stableAtMs = r.nowMs
  persist(r, { kind: 'stable', stable: checkpoint })
  const replicas = checkpoint.proof.map((message) => message.replica)
  emit(r, { type: 'stable', seq: checkpoint.seq, digest: checkpoint.digest, replicas })
  collectGarbage(r)
  r.again = true
}

/** Drops what lies at or below h. The state of an older checkpoint stays while a peer is fetching from it. */
export const collectGarbage = (r: ReplicaState): void => {
  const { stable, held, received, diverged } = r.checkpoints
  r.log.dropThrough(stable.seq)
  dropSuspendedThrough(r, stable.seq)
  const pinned = [...held.values()].filter(
    (checkpoint) => checkpoint.message.seq < stable.seq && r.nowMs - checkpoint.fetchedAtMs < 4 * r.config.fetchTimeoutMs,
  )
  const kept = pinned.sort((a, b) => b.fetchedAtMs - a.fetchedAtMs)[0]
  for (const seq of held.keys()) if (seq < stable.seq && seq !== kept?.message.seq) held.delete(seq)
  for (const list of received) while (list.length > 0 && (list[0]?.seq ?? stable.seq) <= stable.seq) list.shift()
  for (const seq of diverged) if (seq < stable.seq) diverged.delete(seq)
  for (const wanted of [r.missing, r.unseen]) for (const [digest, seq] of wanted) if (seq <= stable.seq) wanted.delete(digest)
}

/**
 * C: the checkpoints that this replica has taken, the stable one first. Also those whose state it lost by a restart: what it
 * vouches for is the digest, and others that vouch for it may have the state. A state fetched on the word of f+1 may lie above
 * the window until a quorum has signed it; it is left out.
 */
export const checkpointEntries = (r: ReplicaState): CheckpointEntry[] => {
  const { stable, received } = r.checkpoints
  const taken = (received[r.config.id] ?? []).filter((message) => message.seq > stable.seq && message.seq <= highWatermark(r))
  return [stable, ...taken].map(({ seq, digest }) => ({ seq, digest }))
}

/** Forgets what was taken at `seq` and above: a repair found that it came from a wrong state. */
export const forgetCheckpointsAbove = (r: ReplicaState, seq: SeqNo): void => {
  for (const taken of r.checkpoints.held.keys()) if (taken >= seq) r.checkpoints.held.delete(taken)
  forgetOwnAbove(r, seq)
}

const forgetOwnAbove = (r: ReplicaState, seq: SeqNo): void => {
  const own = r.checkpoints.received[r.config.id]
  while (own !== undefined && own.length > 0 && (own.at(-1)?.seq ?? 0) >= seq) own.pop()
}

/** The digest that this replica came to at `seq`, or null. */
export const ownDigestAt = (r: ReplicaState, seq: SeqNo): Digest | null => {
  if (seq === r.checkpoints.stable.seq) return r.checkpoints.stable.digest
  return r.checkpoints.received[r.config.id]?.find((message) => message.seq === seq)?.digest ?? null
}

/** Puts an own message from disk back in its place. */
export const noteOwn = (r: ReplicaState, message: Checkpoint): void => {
  forgetOwnAbove(r, message.seq)
  if (message.seq > lowWatermark(r)) r.checkpoints.received[r.config.id]?.push(message)
}
