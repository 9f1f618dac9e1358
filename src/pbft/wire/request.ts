/** Requests: what clients send, and what batches consist of. */
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

export function writeUnauthenticated(writer: Writer, request: UnauthenticatedRequest): void {
  writer.text(request.client, clientCharsMax)
  writer.u53(request.timestamp)
  writer.bool(request.readOnly)
  if (request.replier === null) writer.u8(noReplier)
  else writeReplica(writer, request.replier)
  writer.bytes(request.operation, operationBytesMax)
}

export function writeRequest(writer: Writer, request: Request): void {
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
  const client = readClient(reader)
  const timestamp = readTimestamp(reader)
  const readOnly = reader.bool()
  const replierByte = reader.u8()
  if (replierByte >= replicasMax && replierByte !== noReplier) reader.fail('out-of-range')
  const replier = replierByte === noReplier ? null : (replierByte as NonNullable<Request['replier']>)
  const operation = reader.bytes(operationBytesMax)
  return { type: 'request', client, timestamp, operation, readOnly, replier, authentication: readAuthentication(reader) }
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
