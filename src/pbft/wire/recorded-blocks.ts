/**
 * Files of recordings: blocks one after another, each with a checksum, so that whatever a crash left is readable up to its last whole block.
 *
 *   magic 4 | CRC-32 of all that follows 4 | body length 4 | entries 4 | index of the first 4 | entries lost before it 4 |
 *   time of the first 8 | time of the last 8 | body: (length 4 | entry)*
 *
 * Times are whole microseconds since the epoch. The index counts the entries of the file from 0. What stands for
 * several entries, a bundle of replies, counts as so many.
 */
import type { Input } from '../protocol/steps.ts'
import { Reader } from './reader.ts'
import { writeEntry, writeInput, writeReplies, type ShortEntry } from './recorded.ts'
import { Writer } from './writer.ts'

const magic = 0x50425231
export const blockHeaderBytes = 40
/** Before each entry. */
const lengthBytes = 4
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

/** Gathers the entries of one block where they will lie in it, so that nothing is copied twice and what they were made of is not kept. */
export class BlockWriter {
  readonly #writer: Writer
  #count = 0
  #firstAt = 0
  #lastAt = 0

  /** `buffer` is written into; larger blocks than it get another one. */
  constructor(buffer: Uint8Array<ArrayBuffer>) {
    this.#writer = new Writer(buffer)
    this.#writer.skip(blockHeaderBytes)
  }

  /** Entries so far, those counted several times that stand for several. */
  get count(): number {
    return this.#count
  }

  /** Bytes so far, with the head. */
  get bytes(): number {
    return this.#writer.length
  }

  /** Each of these throws a RangeError for what has no encoding, and leaves the block as it was. `at` in ms; see `writeInput`. */
  input(input: Input, nowMs: number, wire: Uint8Array | null, at: number): void {
    const start = this.#writer.beginLength()
    try {
      writeInput(this.#writer, input, nowMs, wire, at)
    } catch (error) {
      this.#undo(start, error)
    }
    this.#added(start, 1, at)
  }

  entry(entry: ShortEntry, at: number): void {
    const start = this.#writer.beginLength()
    try {
      writeEntry(this.#writer, entry, at)
    } catch (error) {
      this.#undo(start, error)
    }
    this.#added(start, 1, at)
  }

  /** A bundle that stands for `count` entries. */
  replies(bundle: Uint8Array, count: number, at: number): void {
    const start = this.#writer.beginLength()
    writeReplies(this.#writer, bundle, at)
    this.#added(start, count, at)
  }

  /** The whole block, in the buffer that it was written into; nothing may be added after it. */
  seal({ firstIndex, lost }: Pick<BlockHead, 'firstIndex' | 'lost'>, crc32: Crc32): Uint8Array<ArrayBuffer> {
    const block = this.#writer.written()
    const view = new DataView(block.buffer, block.byteOffset, block.length)
    view.setUint32(0, magic)
    view.setUint32(8, block.length - blockHeaderBytes)
    view.setUint32(12, this.#count)
    view.setUint32(16, firstIndex)
    view.setUint32(20, Math.min(lost, 0xffffffff))
    setTime(view, 24, this.#firstAt)
    setTime(view, 32, this.#lastAt)
    view.setUint32(4, crc32(block.subarray(8)))
    return block
  }

  #undo(start: number, error: unknown): never {
    this.#writer.truncate(start - lengthBytes)
    throw error
  }

  #added(start: number, count: number, at: number): void {
    this.#writer.endLength(start)
    if (this.#count === 0) this.#firstAt = at
    this.#count += count
    this.#lastAt = at
  }
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
