/** Proofs of tests of the core: a MAC of ones holds, any other does not; a signature that begins with a one is forged. */
import { MAC_BYTES, type Request, type ReplicaMessage } from '../../src/pbft/protocol/messages.ts'

/** The request with MACs that only the replicas of `goodFor` can verify, in a cluster of `n`. */
export const macedFor = (request: Request, goodFor: readonly number[], n = 4): Request => {
  const macs = new Uint8Array(n * MAC_BYTES)
  for (const id of goodFor) macs.fill(1, id * MAC_BYTES, (id + 1) * MAC_BYTES)
  return { ...request, authentication: { kind: 'macs', macs } }
}

const holds = ({ authentication }: Request, id: number): boolean =>
  authentication.kind === 'signature' || authentication.macs.subarray(id * MAC_BYTES, (id + 1) * MAC_BYTES).every((byte) => byte === 1)

const requestsOf = (message: ReplicaMessage): readonly Request[] =>
  message.type === 'request' ? [message] : message.type === 'pre-prepare' ? message.batch.requests : []

/** What the driver of replica `id` would say of a message. */
export const unverifiedBy = (id: number, message: ReplicaMessage): number[] => {
  return requestsOf(message).flatMap((request, index) => (holds(request, id) ? [] : [index]))
}

export const forged = (request: Request): Request => ({
  ...request,
  authentication: { kind: 'signature', signature: new Uint8Array(64).fill(1) },
})

/** Whether some request in it has a signature that does not hold. */
export const isForged = (message: ReplicaMessage): boolean =>
  requestsOf(message).some(({ authentication }) => authentication.kind === 'signature' && authentication.signature[0] === 1)

/** What the driver says of a message whose signatures of clients it did not check. */
export const unprovenTo = (id: number, message: ReplicaMessage): number[] =>
  requestsOf(message).flatMap((request, index) => (request.authentication.kind === 'signature' || !holds(request, id) ? [index] : []))
