/**
 * What is signed, and by whom. A signature covers a domain tag, different for every kind of thing that is signed, the id of the
 * cluster, and the canonical fields: no signature for one thing, or in one cluster, is ever good for another. A key may stand in
 * the manifests of several clusters, and a cluster may be made anew with the keys of an old one.
 */
import type { ClientId, ReplicaId } from '../protocol/ids.ts'
import type {
  Batch,
  Checkpoint,
  Message,
  NewView,
  PrePrepare,
  Proposal,
  Request,
  Signature,
  StableCheckpoint,
  Unsigned,
  ViewChange,
} from '../protocol/messages.ts'
import { primaryOf } from '../protocol/quorum.ts'
import { writePrePrepareHeader, writeUnsignedCheckpoint, writeUnsignedNewView, writeUnsignedViewChange } from './parts.ts'
import { unauthenticatedBytesOf, writeUnauthenticated, type UnauthenticatedRequest } from './request.ts'
import { Writer } from './writer.ts'

/** The signed messages without their signature; the batch of a pre-prepare is covered by its digest and may be missing. */
export type SignableMessage =
  Omit<Unsigned<PrePrepare>, 'batch'> | Omit<Proposal, 'signature'> | Unsigned<Checkpoint> | Unsigned<ViewChange> | Unsigned<NewView>

export type Signer = { readonly kind: 'replica'; readonly id: ReplicaId } | { readonly kind: 'client'; readonly client: ClientId }

/** `signature` has to be `signer`'s over `bytes`. */
export interface SignedPart {
  readonly signer: Signer
  readonly bytes: Uint8Array
  readonly signature: Signature
}

export const domains = {
  request: 'pbft-panel request v1',
  'pre-prepare': 'pbft-panel pre-prepare v1',
  /** The same statement without the batch. */
  proposal: 'pbft-panel pre-prepare v1',
  checkpoint: 'pbft-panel checkpoint v1',
  'view-change': 'pbft-panel view-change v1',
  'new-view': 'pbft-panel new-view v1',
} as const

/** `clusterId` as the manifest has it, at most 64 characters. */
function begin(domain: string, clusterId: string): Writer {
  const writer = new Writer()
  writer.text(domain, 64)
  writer.text(clusterId, 64)
  return writer
}

/** The bytes that a replica signs. */
export function signedBytes(message: SignableMessage, clusterId: string): Uint8Array {
  const writer = begin(domains[message.type], clusterId)
  switch (message.type) {
    case 'pre-prepare':
    case 'proposal':
      writePrePrepareHeader(writer, message)
      break
    case 'checkpoint':
      writeUnsignedCheckpoint(writer, message)
      break
    case 'view-change':
      writeUnsignedViewChange(writer, message)
      break
    case 'new-view':
      writeUnsignedNewView(writer, message)
      break
  }
  return writer.finish()
}

/** The bytes that a client signs: the context of its cluster, and everything in the request but its authentication. */
export function requestSignedBytes(request: UnauthenticatedRequest, clusterId: string): Uint8Array {
  const writer = begin(domains.request, clusterId)
  writeUnauthenticated(writer, request)
  return writer.finish()
}

let contextOf: { readonly clusterId: string; readonly bytes: Uint8Array } = { clusterId: '', bytes: new Uint8Array(0) }

/** What stands before every request of a cluster in what is signed or MACed: the same object as long as it is for the same cluster. */
export function requestContext(clusterId: string): Uint8Array {
  if (contextOf.clusterId !== clusterId) contextOf = { clusterId, bytes: begin(domains.request, clusterId).finish() }
  return contextOf.bytes
}

/** What is signed or MACed of a request behind its context; a view on the bytes that it was read from, where it was. */
export function requestBody(request: UnauthenticatedRequest): Uint8Array {
  const known = unauthenticatedBytesOf(request)
  if (known !== null) return known
  const writer = new Writer()
  writeUnauthenticated(writer, request)
  return writer.finish()
}

/**
 * Every signature in `message`, also those nested in proofs, new-views and pre-prepares, in the cluster `clusterId` of `n` replicas;
 * requests authenticated by MACs have none here. All of them have to hold before the core sees the message. The requests of a
 * `batch-data` are not among them: it is wanted by its digest, which correct replicas have vouched for. Those of the requests of a
 * pre-prepare are left out unless `withRequests`, its own unless `withProposal`.
 */
export function signedParts(message: Message, n: number, clusterId: string, withRequests = true, withProposal = true): SignedPart[] {
  const parts: SignedPart[] = []
  switch (message.type) {
    case 'request':
      addRequests(parts, [message], clusterId)
      break
    case 'pre-prepare':
      if (withProposal) parts.push(proposalSignedPart(message, n, clusterId))
      if (withRequests) addRequests(parts, message.batch.requests, clusterId)
      break
    case 'proposal':
      parts.push(proposalSignedPart(message, n, clusterId))
      break
    case 'checkpoint':
    case 'view-change':
    case 'new-view':
      addProofs(parts, message, clusterId)
      break
    default:
      break
  }
  return parts
}

/** The signatures of those of `requests` that are signed. */
export function requestSignedParts(requests: readonly Request[], clusterId: string): SignedPart[] {
  const parts: SignedPart[] = []
  addRequests(parts, requests, clusterId)
  return parts
}

/** The signatures of a stable checkpoint's proof. */
export function stableSignedParts(stable: StableCheckpoint, clusterId: string): SignedPart[] {
  const parts: SignedPart[] = []
  for (const checkpoint of stable.proof) addProofs(parts, checkpoint, clusterId)
  return parts
}

/** What the primary signs of a proposal. */
export function proposalSignedPart(message: PrePrepare | Proposal, n: number, clusterId: string): SignedPart {
  const signer = { kind: 'replica', id: primaryOf(message.view, n) } as const
  return { signer, bytes: signedBytes(message, clusterId), signature: message.signature }
}

function addProofs(parts: SignedPart[], message: Checkpoint | ViewChange | NewView, clusterId: string): void {
  parts.push({ signer: { kind: 'replica', id: message.replica }, bytes: signedBytes(message, clusterId), signature: message.signature })
  if (message.type === 'view-change') for (const checkpoint of message.stable.proof) addProofs(parts, checkpoint, clusterId)
  if (message.type === 'new-view') for (const viewChange of message.viewChanges) addProofs(parts, viewChange, clusterId)
}

function addRequests(parts: SignedPart[], requests: Batch['requests'], clusterId: string): void {
  for (const request of requests) {
    const { authentication, client } = request
    if (authentication.kind !== 'signature') continue
    parts.push({ signer: { kind: 'client', client }, bytes: requestSignedBytes(request, clusterId), signature: authentication.signature })
  }
}
