/**
 * Files of recordings: blocks one after another, each with a checksum, so that whatever a crash left is readable up to its last whole block.
 *
 *   magic 4 | CRC-32 of all that follows 4 | body length 4 | entries 4 | index of the first 4 | entries lost before it 4 |
 *   time of the first 8 | time of the last 8 | body: (length 4 | entry)*
 *
 * Times are whole microseconds since the epoch. The index counts the entries of the file from 0. What stands for
 * several entries, a bundle of replies, counts as so many.
 */
import { Reader } from './reader.ts'

const magic = 0x50425231
export const blockHeaderBytes = 40
/** A block is closed when it holds this much; one larger entry goes alone. */
export const blockBytesTarget = 262_144
const bodyBytesMax = 96 * 1_048_576

/** CRC-32 of bytes, as zlib has it. */
export type Crc32 = (bytes: Uint8Array) => number

export interface BlockHead {
  readonly firstIndex: number
  /** Entries, those counted several times that stand for several. */
  readonly count: number
  /** Entries that were dropped between the block before and this one, since the disk was too slow. */
  readonly lost: number
  /** ms since the epoch. */
  readonly firstAt: number
  readonly lastAt: number
}

/** One block of `entries`; each is given in pieces that belong together. `firstAt` and `lastAt` in ms. */
export const sealBlock = (entries: readonly (readonly Uint8Array[])[], head: BlockHead, crc32: Crc32): Uint8Array => {
  let length = blockHeaderBytes
  for (const pieces of entries) for (const piece of pieces) length += piece.length
  length += entries.length * 4
  const block = new Uint8Array(length)
  const view = new DataView(block.buffer)
  view.setUint32(0, magic)
  view.setUint32(8, length - blockHeaderBytes)
  view.setUint32(12, head.count)
  view.setUint32(16, head.firstIndex)
  view.setUint32(20, Math.min(head.lost, 0xffffffff))
  setTime(view, 24, head.firstAt)
  setTime(view, 32, head.lastAt)
  let at = blockHeaderBytes
  for (const pieces of entries) {
    const start = at
    at += 4
    for (const piece of pieces) {
      block.set(piece, at)
      at += piece.length
    }
    view.setUint32(start, at - start - 4)
  }
  view.setUint32(4, crc32(block.subarray(8)))
  return block
}

const setTime = (view: DataView, at: number, ms: number): void => {
  const micros = Math.round(ms * 1_000)
  view.setUint32(at, Math.floor(micros / 4_294_967_296))
  view.setUint32(at + 4, micros >>> 0)
}

export type HeadResult =
  | { readonly ok: true; readonly head: BlockHead; /** Of the whole block. */ readonly bytes: number }
  | { readonly ok: false; readonly problem: 'truncated' | 'damaged' }

/** The head of the block at the beginning of `bytes`; its checksum is not looked at, which `readBlock` does. Never throws. */
export const readBlockHead = (bytes: Uint8Array): HeadResult => {
  if (bytes.length < blockHeaderBytes) return { ok: false, problem: 'truncated' }
  const reader = new Reader(bytes)
  if (reader.u32() !== magic) return { ok: false, problem: 'damaged' }
  reader.u32()
  const body = reader.u32()
  const head = {
    count: reader.u32(),
    firstIndex: reader.u32(),
    lost: reader.u32(),
    firstAt: reader.u53() / 1_000,
    lastAt: reader.u53() / 1_000,
  }
  if (reader.failed || body > bodyBytesMax || head.count * 4 > body) return { ok: false, problem: 'damaged' }
  return { ok: true, head, bytes: blockHeaderBytes + body }
}

export type BlockResult =
  | { readonly ok: true; readonly head: BlockHead; readonly entries: readonly Uint8Array[]; readonly bytes: number }
  | { readonly ok: false; readonly problem: 'truncated' | 'damaged' }

/**
 * The block at the beginning of `bytes`, whole and with its checksum; entries are views on it, those that stand for several once. Never
 * throws.
 */
export const readBlock = (bytes: Uint8Array, crc32: Crc32): BlockResult => {
  const read = readBlockHead(bytes)
  if (!read.ok) return read
  if (read.bytes > bytes.length) return { ok: false, problem: 'truncated' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, read.bytes)
  if (view.getUint32(4) !== crc32(bytes.subarray(8, read.bytes))) return { ok: false, problem: 'damaged' }
  const entries: Uint8Array[] = []
  let at = blockHeaderBytes
  while (at < read.bytes) {
    if (read.bytes - at < 4) return { ok: false, problem: 'damaged' }
    const length = view.getUint32(at)
    at += 4
    if (length > read.bytes - at) return { ok: false, problem: 'damaged' }
    entries.push(new Uint8Array(bytes.buffer, bytes.byteOffset + at, length))
    at += length
  }
  return entries.length <= read.head.count ? { ok: true, head: read.head, entries, bytes: read.bytes } : { ok: false, problem: 'damaged' }
}

/** Segments are closed before they hold more entries. */
export const segmentEntriesMax = 2_000_000
const indexBound = 2 ** 21
/** Where an entry is: its file's number (below 2^18) and its index there, as one whole number below 2^39 that grows with both. */
export const positionOf = (segment: number, index: number): number => segment * indexBound + index
export const segmentName = (segment: number): string => `${String(segment).padStart(8, '0')}.rec`
/** null: no name of a segment. */
export const segmentOfName = (name: string): number | null => (/^\d{8}\.rec$/.test(name) ? Number(name.slice(0, 8)) : null)
