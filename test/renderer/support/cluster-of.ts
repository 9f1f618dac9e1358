/** A cluster as the host shows it, of replicas in given states. */
import type { ActiveFault, FaultRequest } from '../../../src/contract/faults.ts'
import type { ReplicaState, ReplicaStatus } from '../../../src/contract/model.ts'

export const replicaOf = (id: number, state: ReplicaState = 'live', heard: readonly number[] = [0, 1, 2, 3]): ReplicaStatus => ({
  id,
  state,
  local: true,
  pid: 1,
  probation: null,
  host: 'h',
  port: 1,
  publicKey: '',
  heardAt: 0,
  allowsFaults: true,
  view: 0,
  active: true,
  isPrimary: id === 0,
  lastExecuted: 0,
  lowWatermark: 0,
  highWatermark: 0,
  stateDigest: null,
  stateDigestSeq: null,
  pending: 0,
  inFlight: 0,
  viewTimeoutMs: null,
  viewTimerLeftMs: null,
  transfer: null,
  peersHeard: heard.filter((other) => other !== id),
  clients: 0,
  requestsPerSecond: 0,
  batchSizeMean: 0,
  cpu: 0,
  memoryBytes: 0,
  diskBytes: 0,
  clockOffsetMs: 0,
  eventsDropped: 0,
  rejections: {},
  exit: null,
})
export const activeFault = (fault: FaultRequest): ActiveFault => ({ id: 'f', fault, since: 0, expires: null, pending: [] })
export const clusterOf = (states: readonly ReplicaState[], faults: readonly FaultRequest[] = []) => ({
  n: states.length,
  quorum: Math.ceil((states.length + Math.floor((states.length - 1) / 3) + 1) / 2),
  replicas: states.map((state, id) => replicaOf(id, state)),
  faults: faults.map(activeFault),
  primary: 0,
})
