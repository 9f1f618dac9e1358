/** Requests: what clients send, and what batches consist of. */
import type { Request, RequestAuthentication } from '../protocol/messages.ts'
import { readClient, readList, readTimestamp, writeList, writeReplica } from './fields.ts'
import { clientCharsMax, macBytesMax, operationBytesMax, replicasMax, signatureBytesMax } from './limits.ts'
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
    writeList(writer, authentication.macs, replicasMax, writeMac)
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
  return { kind: 'macs', macs: readList(reader, replicasMax, readMac) }
}

function writeMac(writer: Writer, mac: Uint8Array): void {
  writer.shortBytes(mac, macBytesMax)
}

const readMac = (reader: Reader): Uint8Array => reader.shortBytes(macBytesMax)
