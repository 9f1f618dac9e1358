/** Writing fields one after another. */
import { digestToBytes } from './hex.ts'
import { encodeUtf8, utf8Length } from './text.ts'

const startBytes = 65_536
/** A scratch buffer that grew above this is not kept. */
const keptBytesMax = 4 * 1_048_576

/** Results up to this length are cut from a common slab: a buffer of its own for each costs more than writing a vote does. */
const slabbedMax = 1_024
const slabBytes = 32_768
/** Up to this length a loop copies faster than a call does. */
const loopedMax = 64
let slab = new Uint8Array(slabBytes)
let slabUsed = 0

/** A copy of the first `length` bytes of `bytes`. */
function cutCopy(bytes: Uint8Array, length: number): Uint8Array {
  if (length > slabbedMax) return bytes.slice(0, length)
  if (slabUsed + length > slabBytes) {
    slab = new Uint8Array(slabBytes)
    slabUsed = 0
  }
  const copy = new Uint8Array(slab.buffer, slabUsed, length)
  slabUsed += length
  if (length > loopedMax) copy.set(bytes.subarray(0, length))
  else for (let i = 0; i < length; i++) copy[i] = bytes[i]!
  return copy
}

// One buffer for all writers: encoders run to their end before another starts, and `finish` copies out.
let scratch = new Uint8Array(startBytes)

/**
 * Builds one encoding in a shared buffer, of which only one writer may be in use at a time, or in a buffer of its own. Values that have no
 * encoding (a fraction, a negative number, text with a lone surrogate, more than a limit) are a defect of the caller and throw a RangeError.
 */
export class Writer {
  #bytes: Uint8Array<ArrayBuffer>
  #length = 0

  /** `own`: written into from its beginning; left for a larger one when it is too small. */
  constructor(own = scratch) {
    this.#bytes = own
  }

  /** A copy of what was written into the shared buffer. The writer must not be used afterwards. */
  finish(): Uint8Array {
    const result = cutCopy(this.#bytes, this.#length)
    if (this.#bytes.length <= keptBytesMax) scratch = this.#bytes
    return result
  }

  /** Bytes written. */
  get length(): number {
    return this.#length
  }

  /** What was written, where it lies: the writer goes on in the same buffer. */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Takes back everything behind the first `length` bytes. */
  truncate(length: number): void {
    this.#length = Math.min(this.#length, length)
  }

  /** Leaves `length` bytes as they are in the buffer. */
  skip(length: number): void {
    this.#reserve(length)
    this.#length += length
  }

  u8(value: number): void {
    assertInteger(value, 0xff)
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  u32(value: number): void {
    assertInteger(value, 0xffffffff)
    this.#reserve(4)
    this.#put32(this.#length, value)
    this.#length += 4
  }

  u53(value: number): void {
    assertInteger(value, Number.MAX_SAFE_INTEGER)
    this.#reserve(8)
    this.#put32(this.#length, Math.floor(value / 4_294_967_296))
    this.#put32(this.#length + 4, value >>> 0)
    this.#length += 8
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0)
  }

  count(value: number, max: number): void {
    assertInteger(value, max)
    this.u32(value)
  }

  /** Bytes as they are, without a length. */
  fixed(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#bytes.set(value, this.#length)
    this.#length += value.length
  }

  bytes(value: Uint8Array, max: number): void {
    this.count(value.length, max)
    this.fixed(value)
  }

  shortBytes(value: Uint8Array, max: number): void {
    assertInteger(value.length, max)
    this.u8(value.length)
    this.fixed(value)
  }

  digest(value: string): void {
    this.#reserve(32)
    digestToBytes(value, this.#bytes, this.#length)
    this.#length += 32
  }

  text(value: string, charsMax: number): void {
    const { length } = value
    if (length === 0 || length > charsMax) throw new RangeError(`text of ${length} characters, not 1 to ${charsMax}`)
    this.#reserve(2 + length)
    const bytes = this.#bytes
    const at = this.#length + 2
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i)
      if (unit >= 0x80) return this.#wideText(value)
      bytes[at + i] = unit
    }
    bytes[at - 2] = length >> 8
    bytes[at - 1] = length & 0xff
    this.#length = at + length
  }

  /** Text that is not ASCII only. */
  #wideText(value: string): void {
    const length = utf8Length(value)
    this.u8(length >> 8)
    this.u8(length & 0xff)
    this.#reserve(length)
    encodeUtf8(value, this.#bytes, this.#length)
    this.#length += length
  }

  /** Leaves room for a u32 and returns its place, for `endLength`. */
  beginLength(): number {
    this.u32(0)
    return this.#length
  }

  /** Fills in how many bytes were written since `beginLength` returned `start`. */
  endLength(start: number): void {
    this.#put32(start - 4, this.#length - start)
  }

  #put32(at: number, value: number): void {
    this.#bytes[at] = value >>> 24
    this.#bytes[at + 1] = value >>> 16
    this.#bytes[at + 2] = value >>> 8
    this.#bytes[at + 3] = value
  }

  #reserve(more: number): void {
    const needed = this.#length + more
    if (needed <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    grown.set(this.#bytes)
    this.#bytes = grown
  }
}

function assertInteger(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is no integer from 0 to ${max}`)
}
