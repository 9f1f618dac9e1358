/**
 * The fields that operations, results and saved state consist of, each with exactly one encoding:
 *  text     4 bytes: 2 x length in UTF-16 units, plus 1 when wide; then one byte per unit, or two (big-endian) when wide. Wide if and
 *           only if some unit is above 0xff. Every string has an encoding, also one with lone surrogates.
 *  integer  8 bytes, two's complement, big-endian, within the safe integers.
 */

/** A value as long as the contract allows; longer text is refused wherever it comes from. */
export const textUnitsMax = 1_048_576

export const textBytes = (text: string): number => 4 + text.length * (isWide(text) ? 2 : 1)
export const integerBytes = 8

/** Writes into a buffer of the exact size, which its user has summed up before. */
export class FieldWriter {
  readonly bytes: Uint8Array
  #at = 0

  constructor(length: number) {
    this.bytes = new Uint8Array(length)
  }

  byte(value: number): void {
    this.bytes[this.#at++] = value
  }

  /** Throws a RangeError for what is no safe integer. */
  integer(value: number): void {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no safe integer`)
    this.#put32(Math.floor(value / 4_294_967_296))
    this.#put32(value)
  }

  text(value: string): void {
    const wide = isWide(value)
    this.#put32(value.length * 2 + (wide ? 1 : 0))
    const bytes = this.bytes
    let at = this.#at
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (wide) bytes[at++] = unit >> 8
      bytes[at++] = unit
    }
    this.#at = at
  }

  #put32(value: number): void {
    const bytes = this.bytes
    const at = this.#at
    bytes[at] = value >>> 24
    bytes[at + 1] = value >>> 16
    bytes[at + 2] = value >>> 8
    bytes[at + 3] = value
    this.#at = at + 4
  }
}

/** The text whose UTF-16 units are the bytes from `start` to `end`. Platforms have faster ones than this room can. */
export type NarrowText = (bytes: Uint8Array, start: number, end: number) => string

/** Reads hostile bytes: the first failure sticks, later reads yield zero or empty. */
export class FieldReader {
  readonly #bytes: Uint8Array
  #at = 0
  #failed = false
  readonly #narrow: NarrowText

  constructor(bytes: Uint8Array, narrow: NarrowText = narrowText) {
    this.#bytes = bytes
    this.#narrow = narrow
  }

  /** Everything was read, and all of it was canonical. */
  get complete(): boolean {
    return !this.#failed && this.#at === this.#bytes.length
  }

  /** There is more to read. */
  get more(): boolean {
    return !this.#failed && this.#at < this.#bytes.length
  }

  fail(): void {
    this.#failed = true
  }

  byte(): number {
    return this.#has(1) ? this.#bytes[this.#at++]! : 0
  }

  integer(): number {
    if (!this.#has(8)) return 0
    const value = this.#get32() * 4_294_967_296 + (this.#get32() >>> 0)
    if (!Number.isSafeInteger(value)) this.#failed = true
    return this.#failed ? 0 : value
  }

  text(unitsMin: number, unitsMax: number): string {
    if (!this.#has(4)) return ''
    const header = this.#get32() >>> 0
    const wide = (header & 1) === 1
    const length = header >>> 1
    if (length < unitsMin || length > unitsMax || !this.#has(wide ? length * 2 : length)) {
      this.#failed = true
      return ''
    }
    const text = wide ? this.#wideText(length) : this.#narrowText(length)
    if (wide && !isWide(text)) this.#failed = true
    return text
  }

  #narrowText(length: number): string {
    const start = this.#at
    this.#at += length
    return this.#narrow(this.#bytes, start, this.#at)
  }

  #wideText(length: number): string {
    const bytes = this.#bytes
    const end = this.#at + 2 * length
    let text = ''
    while (this.#at < end) {
      const count = Math.min((end - this.#at) / 2, chunkUnits)
      codes.length = count
      for (let i = 0; i < count; i++) codes[i] = (bytes[this.#at + 2 * i]! << 8) | bytes[this.#at + 2 * i + 1]!
      this.#at += 2 * count
      text += String.fromCharCode.apply(null, codes)
    }
    return text
  }

  #has(length: number): boolean {
    if (this.#at + length > this.#bytes.length) this.#failed = true
    return !this.#failed
  }

  #get32(): number {
    const bytes = this.#bytes
    const at = this.#at
    this.#at = at + 4
    return (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
  }
}

/** How many character codes go into one call: arguments lie on the stack. */
const chunkUnits = 4_096
/** Used again for every text, so that reading one allocates nothing but the text. */
const codes: number[] = []

/** In any ES engine. */
const narrowText: NarrowText = (bytes, start, end) => {
  let text = ''
  for (let at = start; at < end;) {
    const count = Math.min(end - at, chunkUnits)
    codes.length = count
    for (let i = 0; i < count; i++) codes[i] = bytes[at + i]!
    at += count
    text += String.fromCharCode.apply(null, codes)
  }
  return text
}

/** The engine sees from how a text is stored that it has no such unit; a loop would look at each. */
const wideUnit = /[\u0100-\uffff]/

const isWide = (text: string): boolean => wideUnit.test(text)
