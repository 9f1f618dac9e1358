/** Batches: a time, then requests one after another, each with its length before it. */
import type { Batch, Request } from '../protocol/messages.ts'
import { entriesMax, messageBytesMax } from './limits.ts'
import { Reader, type Decoded } from './reader.ts'
import { readRequest, writeRequest } from './request.ts'
import { Writer } from './writer.ts'

/** What lets go of a batch's requests; not enumerable, so that a batch is still its three fields. */
const forget = Symbol('forget')

/** A batch whose requests can be let go of: they are read from its bytes again when somebody asks for them. */
function makeBatch(timeMs: number, known: readonly Request[], bytes: Uint8Array): Batch {
  let requests: readonly Request[] | null = known
  const batch = {
    timeMs,
    get requests(): readonly Request[] {
      requests ??= requestsOf(bytes)
      return requests
    },
    bytes,
  }
  Object.defineProperty(batch, forget, { value: () => (requests = null) })
  return batch
}

function requestsOf(bytes: Uint8Array): readonly Request[] {
  const decoded = decodeBatch(bytes)
  if (!decoded.ok) throw new Error(`invariant broken: the bytes of a batch can be read again (${decoded.reason})`)
  return decoded.value.requests
}

/**
 * Lets go of the requests of a batch that was executed and is kept for others: as objects they take several times the room of its
 * bytes, and the collector's time. The bytes say the same whenever they are asked.
 */
export function forgetRequests(batch: Batch): void {
  ;(batch as { readonly [forget]?: () => void })[forget]?.()
}

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
  return makeBatch(timeMs, requests, writer.finish())
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
  return reader.finish(makeBatch(timeMs, requests, whole))
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
