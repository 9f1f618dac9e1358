/** The parameters of the protocol. The same at every replica of a cluster, but for `id`. */
import type { ReplicaId } from './ids.ts'

export interface ProtocolConfig {
  /** Number of replicas, 1 or >= 4. */
  readonly n: number
  readonly id: ReplicaId
  /** K: a checkpoint every so many sequence numbers. 1..65,536. */
  readonly checkpointInterval: number
  /** L: the log holds sequence numbers in (h, h+L]. A multiple of K, at least 2K. */
  readonly logWindow: number
  /** Most requests in one batch. */
  readonly batchRequestsMax: number
  /** Most bytes of operations in one batch; a single larger request still goes, alone. */
  readonly batchBytesMax: number
  /** Most batches that the primary has in flight (pre-prepared by it and not executed) before it fills the next one. */
  readonly pipelineMax: number
  /** Most requests that wait at a replica for their execution; beyond it new ones are rejected with a typed event. */
  readonly pendingRequestsMax: number
  /** Time-out of the first view change after progress, ms; doubles for each consecutive view without progress. */
  readonly viewTimeoutMs: number
  /** Where doubling ends, ms. */
  readonly viewTimeoutMaxMs: number
  /** Period of status messages while something is missing, ms; eight times that while idle. */
  readonly statusIntervalMs: number
  /** How far ahead of a backup's own clock a batch's agreed time may be, ms. */
  readonly clockSkewMaxMs: number
  /** How long a principal whose request could not be verified is held to signatures, ms. */
  readonly signatureHoldMs: number
  /** Sessions of one principal whose last reply is remembered; a request of an older one is answered by `expired`. */
  readonly sessionsPerPrincipalMax: number
  /** Bytes of replies remembered of one principal. */
  readonly replyBytesPerPrincipalMax: number
  /**
   * From this many requests in a batch on, a backup leaves the check of their signatures to f+1 replicas in turn; absent: never. What it
   * saves in computing costs one more flush of the disk in sequence.
   */
  readonly deferProofFrom?: number
  /**
   * Requests are answered when their batch has prepared, tentatively, and clients wait for a quorum of such answers; else only when it
   * has committed.
   */
  readonly tentativeExecution: boolean
  /** How long a fetch of state transfer waits before it asks another replica, ms. */
  readonly fetchTimeoutMs: number
}

/** Defaults for a small cluster on one machine or one LAN. */
export const defaultProtocolConfig: Omit<ProtocolConfig, 'n' | 'id' | 'deferProofFrom'> = {
  checkpointInterval: 128,
  logWindow: 256,
  batchRequestsMax: 1024,
  batchBytesMax: 1_048_576,
  pipelineMax: 4,
  pendingRequestsMax: 20_000,
  viewTimeoutMs: 500,
  viewTimeoutMaxMs: 30_000,
  statusIntervalMs: 100,
  clockSkewMaxMs: 10_000,
  signatureHoldMs: 60_000,
  fetchTimeoutMs: 300,
  tentativeExecution: false,
  sessionsPerPrincipalMax: 4_096,
  replyBytesPerPrincipalMax: 8_388_608,
}
