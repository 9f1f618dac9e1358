/** Requests: what clients send, and what batches consist of. */
import type { ClientId, ClientTimestamp, ReplicaId } from '../protocol/ids.ts'
import { MAC_BYTES, type Request, type RequestAuthentication } from '../protocol/messages.ts'
import { readClient, readTimestamp, writeReplica } from './fields.ts'
import { clientCharsMax, operationBytesMax, replicasMax, signatureBytesMax } from './limits.ts'
import { Reader, type Decoded } from './reader.ts'
import { Writer } from './writer.ts'

export type UnauthenticatedRequest = Omit<Request, 'authentication'>

/** In place of a replica id: no designated replier. */
const noReplier = 255
const bySignature = 0
const byMacs = 1

/**
 * A request that remembers the canonical bytes that it was read from: they are copied, not made again, when it is checked and when it
 * goes into a batch. A changed copy of it is a plain object and remembers nothing.
 */
class DecodedRequest implements Request {
  readonly type = 'request'
  readonly client: ClientId
  readonly timestamp: ClientTimestamp
  readonly operation: Uint8Array
  readonly readOnly: boolean
  readonly replier: ReplicaId | null
  readonly authentication: RequestAuthentication
  readonly #bytes: Uint8Array
  /** Where the authentication begins in them. */
  readonly #authenticationAt: number

  constructor(fields: UnauthenticatedRequest, authentication: RequestAuthentication, bytes: Uint8Array, authenticationAt: number) {
    this.client = fields.client
    this.timestamp = fields.timestamp
    this.operation = fields.operation
    this.readOnly = fields.readOnly
    this.replier = fields.replier
    this.authentication = authentication
    this.#bytes = bytes
    this.#authenticationAt = authenticationAt
  }

  /** All bytes of `request`; null when it was not read from any. */
  static bytesOf(request: UnauthenticatedRequest): Uint8Array | null {
    return #bytes in request ? request.#bytes : null
  }

  /** Those that its authentication covers. */
  static unauthenticatedBytesOf(request: UnauthenticatedRequest): Uint8Array | null {
    if (!(#bytes in request)) return null
    // Costs half of what `subarray` does.
    return new Uint8Array(request.#bytes.buffer, request.#bytes.byteOffset, request.#authenticationAt)
  }
}

/** What the authentication of a request covers, as it was read; null when it was not read from any bytes. */
export const unauthenticatedBytesOf = (request: UnauthenticatedRequest): Uint8Array | null => DecodedRequest.unauthenticatedBytesOf(request)

export function writeUnauthenticated(writer: Writer, request: UnauthenticatedRequest): void {
  const known = unauthenticatedBytesOf(request)
  if (known !== null) return writer.fixed(known)
  writer.text(request.client, clientCharsMax)
  writer.u53(request.timestamp)
  writer.bool(request.readOnly)
  if (request.replier === null) writer.u8(noReplier)
  else writeReplica(writer, request.replier)
  writer.bytes(request.operation, operationBytesMax)
}

export function writeRequest(writer: Writer, request: Request): void {
  const known = DecodedRequest.bytesOf(request)
  if (known !== null) return writer.fixed(known)
  writeUnauthenticated(writer, request)
  const authentication = request.authentication
  if (authentication.kind === 'signature') {
    writer.u8(bySignature)
    writer.shortBytes(authentication.signature, signatureBytesMax)
  } else {
    writer.u8(byMacs)
    writeMacs(writer, authentication.macs)
  }
}

export function readRequest(reader: Reader): Request {
  const start = reader.position
  const client = readClient(reader)
  const timestamp = readTimestamp(reader)
  const readOnly = reader.bool()
  const replierByte = reader.u8()
  if (replierByte >= replicasMax && replierByte !== noReplier) reader.fail('out-of-range')
  const replier = replierByte === noReplier ? null : (replierByte as NonNullable<Request['replier']>)
  const operation = reader.bytes(operationBytesMax)
  const authenticationAt = reader.position - start
  const authentication = readAuthentication(reader)
  const fields = { type: 'request', client, timestamp, operation, readOnly, replier } as const
  return new DecodedRequest(fields, authentication, reader.since(start), authenticationAt)
}

/** The canonical bytes of a request, as they stand in a batch. */
export function encodeRequest(request: Request): Uint8Array {
  const writer = new Writer()
  writeRequest(writer, request)
  return writer.finish()
}

/** Operation and authentication are views on `bytes`. Never throws. */
export function decodeRequest(bytes: Uint8Array): Decoded<Request> {
  const reader = new Reader(bytes)
  return reader.finish(readRequest(reader))
}

function readAuthentication(reader: Reader): RequestAuthentication {
  const kind = reader.u8()
  if (kind === bySignature) return { kind: 'signature', signature: reader.shortBytes(signatureBytesMax) }
  if (kind !== byMacs) reader.fail('unknown-tag')
  return { kind: 'macs', macs: readMacs(reader) }
}

/** How many replicas there is a MAC for, then the MACs. */
function writeMacs(writer: Writer, macs: Uint8Array): void {
  const count = macs.length / MAC_BYTES
  if (!Number.isInteger(count) || count > replicasMax) throw new RangeError(`${macs.length} bytes are no MACs of ${MAC_BYTES} bytes`)
  writer.u8(count)
  writer.fixed(macs)
}

function readMacs(reader: Reader): Uint8Array {
  const count = reader.u8()
  if (count > replicasMax) reader.fail('too-large')
  return reader.fixed(count * MAC_BYTES)
}
