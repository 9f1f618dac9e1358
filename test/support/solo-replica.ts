/** One replica on its own, fed by hand: for what a single replica has to accept or refuse. */
import { asClientId, asClientTimestamp, asReplicaId, asSeqNo, asView, type Digest } from '../../src/pbft/protocol/ids.ts'
import type { Batch, Commit, PrePrepare, Prepare, ReplicaMessage, Request, Status } from '../../src/pbft/protocol/messages.ts'
import type { ProtocolConfig } from '../../src/pbft/protocol/config.ts'
import { createReplica } from '../../src/pbft/protocol/replica.ts'
import type { Effect, Phase, ReplicaCore } from '../../src/pbft/protocol/steps.ts'
import { encodeBatch } from '../../src/pbft/wire/index.ts'
import { unverifiedBy } from './test-macs.ts'
import { createCounterService } from './counter-service.ts'
import { sha256, testCapabilities, testConfig } from './protocol-cluster.ts'

const NO_SIGNATURE = new Uint8Array(64)

export const requestOf = (client: string, timestamp: number, operation: Uint8Array, readOnly = false): Request => ({
  type: 'request',
  client: asClientId(client),
  timestamp: asClientTimestamp(timestamp),
  operation,
  readOnly,
  replier: null,
  authentication: { kind: 'signature', signature: NO_SIGNATURE },
})

export const prePrepareOf = (view: number, seq: number, batch: Batch): PrePrepare => ({
  type: 'pre-prepare',
  view: asView(view),
  seq: asSeqNo(seq),
  digest: sha256(batch.bytes),
  batch,
  signature: NO_SIGNATURE,
})

export const prepareOf = (replica: number, view: number, seq: number, digest: Digest): Prepare => ({
  type: 'prepare',
  view: asView(view),
  seq: asSeqNo(seq),
  digest,
  replica: asReplicaId(replica),
})

export const commitOf = (replica: number, view: number, seq: number, digest: Digest): Commit => ({
  ...prepareOf(replica, view, seq, digest),
  type: 'commit',
})

/** Of a replica that has nothing and remembers nobody. */
export const statusOf = (replica: number, over: Partial<Status> = {}): Status => ({
  type: 'status',
  replica: asReplicaId(replica),
  view: asView(0),
  active: true,
  stableSeq: asSeqNo(0),
  lastExecuted: asSeqNo(0),
  findsSlow: false,
  slots: [],
  viewChangesFrom: [],
  missingBatches: [],
  solicits: false,
  incarnation: 10_000_000,
  since: asView(0),
  probation: false,
  goal: null,
  lastCheckpoint: asSeqNo(0),
  lastPrepared: asSeqNo(0),
  memories: [],
  ...over,
})

export const batchOf = (timeMs: number, ...requests: Request[]): Batch => encodeBatch(timeMs, requests)

export class Solo {
  readonly core: ReplicaCore
  nowMs = 1_000_000
  readonly #id: number

  constructor(id = 1, n = 4, over: Partial<ProtocolConfig> = {}) {
    this.#id = id
    this.core = createReplica(testConfig(n, id, over), testCapabilities, createCounterService(), { partitions: [], records: [] })
    this.core.step({ type: 'start', disk: 'genesis' }, this.nowMs)
  }

  receive(from: number, message: ReplicaMessage): Effect[] {
    const unverified = unverifiedBy(this.#id, message)
    return this.core.step({ type: 'message', from: asReplicaId(from), message, unverified }, this.nowMs)
  }

  request(request: Request): Effect[] {
    return this.core.step({ type: 'request', request, isUnverified: unverifiedBy(this.#id, request).length > 0 }, this.nowMs)
  }
}

/** Phases that a step reached. */
export const phasesIn = (effects: readonly Effect[]): Phase[] =>
  effects.flatMap((effect) => (effect.type === 'event' && effect.event.type === 'phase' ? [effect.event.phase] : []))

/** Reasons for which a step refused something. */
export const rejectionsIn = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'event' && effect.event.type === 'rejected' ? [effect.event.reason] : []))

/** Types of the messages that a step sends. */
export const sentIn = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => (effect.type === 'send' ? [effect.message.type] : []))
