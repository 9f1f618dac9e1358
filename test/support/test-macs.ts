/** MACs of tests of the core: a MAC of ones holds, any other does not. */
import { MAC_BYTES, type Request, type ReplicaMessage } from '../../src/pbft/protocol/messages.ts'

/** The request with MACs that only the replicas of `goodFor` can verify, in a cluster of `n`. */
export const macedFor = (request: Request, goodFor: readonly number[], n = 4): Request => {
  const macs = new Uint8Array(n * MAC_BYTES)
  for (const id of goodFor) macs.fill(1, id * MAC_BYTES, (id + 1) * MAC_BYTES)
  return { ...request, authentication: { kind: 'macs', macs } }
}

const holds = ({ authentication }: Request, id: number): boolean =>
  authentication.kind === 'signature' || authentication.macs.subarray(id * MAC_BYTES, (id + 1) * MAC_BYTES).every((byte) => byte === 1)

/** What the driver of replica `id` would say of a message. */
export const unverifiedBy = (id: number, message: ReplicaMessage): number[] => {
  const requests = message.type === 'request' ? [message] : message.type === 'pre-prepare' ? message.batch.requests : []
  return requests.flatMap((request, index) => (holds(request, id) ? [] : [index]))
}
