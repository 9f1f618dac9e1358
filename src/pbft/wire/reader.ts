/** Strict reading of hostile bytes. */
import { digestFromBytes } from './hex.ts'
import { messageBytesMax } from './limits.ts'
import { internUtf8 } from './text.ts'

/** Why bytes are no canonical encoding of anything. */
export const decodeReasons = [
  'truncated', // ends before its fields do
  'trailing-bytes', // goes on after its last field
  'unknown-tag', // a type, kind or flag that does not exist
  'too-large', // a length or count above its limit
  'out-of-range', // an integer above 2^53-1, a replica id >= 100, an empty client id
  'bad-text', // no UTF-8
  'not-ascending', // a list whose order is part of its canonical form
] as const
export type DecodeReason = (typeof decodeReasons)[number]

export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: DecodeReason }

/**
 * Reads fields one after another. The first failure sticks: from then on every read yields zero, empty or false, so that decoders
 * need no branch per field and nothing throws; `finish` tells whether the values mean anything. Byte strings are views on the
 * input, not copies: it must not change afterwards.
 */
export class Reader {
  readonly #bytes: Uint8Array
  #position = 0
  readonly #end: number
  #reason: DecodeReason | null = null

  constructor(bytes: Uint8Array) {
    // A plain view: subclasses of Uint8Array (Buffer) slice slowly and would leak their type into decoded values.
    this.#bytes = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.length
  }

  /** Bytes read so far. */
  get position(): number {
    return this.#position
  }

  get failed(): boolean {
    return this.#reason !== null
  }

  fail(reason: DecodeReason): void {
    this.#reason ??= reason
    this.#position = this.#end
  }

  /** Rejects what was read, or what is left over. */
  finish<T>(value: T): Decoded<T> {
    if (this.#reason === null && this.#position !== this.#end) this.fail('trailing-bytes')
    return this.#reason === null ? { ok: true, value } : { ok: false, reason: this.#reason }
  }

  u8(): number {
    if (this.#position + 1 > this.#end) return this.#short()
    return this.#bytes[this.#position++]!
  }

  u16(): number {
    if (this.#position + 2 > this.#end) return this.#short()
    const at = this.#position
    this.#position = at + 2
    return (this.#bytes[at]! << 8) | this.#bytes[at + 1]!
  }

  u32(): number {
    if (this.#position + 4 > this.#end) return this.#short()
    const bytes = this.#bytes
    const at = this.#position
    this.#position = at + 4
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  }

  /** An integer of 8 bytes, at most 2^53-1. */
  u53(): number {
    const high = this.u32()
    const low = this.u32()
    if (high > 0x1fffff) {
      this.fail('out-of-range')
      return 0
    }
    return high * 4_294_967_296 + low
  }

  bool(): boolean {
    const value = this.u8()
    if (value > 1) this.fail('unknown-tag')
    return value === 1
  }

  /** A length or count of 4 bytes, at most `max`; also refused when not even one byte per element is left. */
  count(max: number): number {
    const value = this.u32()
    if (value > max) this.fail('too-large')
    else if (value > this.#end - this.#position) this.fail('truncated')
    return this.failed ? 0 : value
  }

  /** A view of the next `length` bytes. */
  fixed(length: number): Uint8Array {
    if (this.#position + length > this.#end) {
      this.#short()
      return empty
    }
    const at = this.#position
    this.#position = at + length
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + at, length)
  }

  /** Bytes with a length of 4 bytes before them. */
  bytes(max: number): Uint8Array {
    return this.fixed(this.count(max))
  }

  /** Bytes with a length of 1 byte before them. */
  shortBytes(max: number): Uint8Array {
    const length = this.u8()
    if (length > max) {
      this.fail('too-large')
      return empty
    }
    return this.fixed(length)
  }

  /** A view of what was read since `position` was `start`. */
  since(start: number): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + start, this.#position - start)
  }

  /** A view of all that is left, without reading it. */
  rest(): Uint8Array {
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#position, this.#end - this.#position)
  }

  /** Reads the length of a nested value; returns where that value has to end, for `expectAt`. */
  begin(): number {
    const length = this.count(messageBytesMax)
    return this.#position + length
  }

  /** The nested value has to have ended at `end`, no earlier and no later. */
  expectAt(end: number): void {
    if (this.failed) return
    if (this.#position < end) this.fail('trailing-bytes')
    else if (this.#position > end) this.fail('truncated')
  }

  /** 32 bytes, as hex. */
  digest(): string {
    if (this.#position + 32 > this.#end) {
      this.#short()
      return ''
    }
    const at = this.#position
    this.#position = at + 32
    return digestFromBytes(this.#bytes, at)
  }

  /** UTF-8 with a length of 2 bytes before it; 1 to `charsMax` UTF-16 units. */
  text(charsMax: number): string {
    const length = this.u16()
    if (length > charsMax * 3) this.fail('too-large')
    else if (this.#position + length > this.#end) this.fail('truncated')
    if (this.failed) return ''
    const value = internUtf8(this.#bytes, this.#position, this.#position + length)
    this.#position += length
    if (value === null) this.fail('bad-text')
    else if (value.length > charsMax) this.fail('too-large')
    else if (value.length === 0) this.fail('out-of-range')
    return this.failed || value === null ? '' : value
  }

  #short(): 0 {
    this.fail('truncated')
    return 0
  }
}

const empty = new Uint8Array(0)
