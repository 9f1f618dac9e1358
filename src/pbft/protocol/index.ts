/** The public surface of the protocol: the two state machines, and the shapes that drivers speak to them in. */
export type { Capabilities } from './capabilities.ts'
export { createClient } from './client.ts'
export type { ClientCapabilities, ClientConfig, ClientCore, ClientEffect, ClientInput } from './client-steps.ts'
export { defaultProtocolConfig, type ProtocolConfig } from './config.ts'
export {
  asClientId,
  asClientTimestamp,
  asDigest,
  asReplicaId,
  asSeqNo,
  asView,
  type ClientId,
  type ClientTimestamp,
  type Digest,
  type ReplicaId,
  type SeqNo,
  type View,
} from './ids.ts'
export type * from './messages.ts'
export { faultsTolerated, primaryOf, quorumSize, weakSize } from './quorum.ts'
export type { LogRecord, PartitionBytes, Persisted } from './records.ts'
export { createReplica } from './replica.ts'
export type { ExecutionContext, Service } from './service.ts'
export type * from './steps.ts'
