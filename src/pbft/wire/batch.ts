/** Batches: a time, then requests one after another, each with its length before it. */
import type { Batch, Request } from '../protocol/messages.ts'
import { entriesMax, messageBytesMax } from './limits.ts'
import { Reader, type Decoded } from './reader.ts'
import { readRequest, writeRequest } from './request.ts'
import { Writer } from './writer.ts'

/**
 * The batch of `requests` (at most 131,072) in that order, at `timeMs` (whole ms since the epoch). Throws a RangeError for what
 * has no encoding.
 */
export function encodeBatch(timeMs: number, requests: readonly Request[]): Batch {
  const writer = new Writer()
  writer.u53(timeMs)
  writer.count(requests.length, entriesMax)
  for (const request of requests) {
    const start = writer.beginLength()
    writeRequest(writer, request)
    writer.endLength(start)
  }
  return { timeMs, requests, bytes: writer.finish() }
}

/** Costs under a microsecond per request: everything in it is a view on `bytes`, which must not change afterwards. Never throws. */
export function decodeBatch(bytes: Uint8Array): Decoded<Batch> {
  const reader = new Reader(bytes)
  const whole = reader.rest()
  const timeMs = reader.u53()
  const count = reader.count(entriesMax)
  const requests: Request[] = []
  for (let i = 0; i < count && !reader.failed; i++) {
    const end = reader.begin()
    requests.push(readRequest(reader))
    reader.expectAt(end)
  }
  return reader.finish({ timeMs, requests, bytes: whole })
}

/** What fills a sequence number for which nothing prepared: time 0, no requests, the same bytes everywhere. */
export const nullBatch: Batch = encodeBatch(0, [])

export function writeBatch(writer: Writer, batch: Batch): void {
  writer.bytes(batch.bytes, messageBytesMax)
}

export function readBatch(reader: Reader): Batch {
  const decoded = decodeBatch(reader.bytes(messageBytesMax))
  if (decoded.ok) return decoded.value
  reader.fail(decoded.reason)
  return nullBatch
}
