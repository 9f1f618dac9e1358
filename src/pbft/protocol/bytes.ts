/**
 * Fixed layouts for the few byte strings that the core itself makes: nodes of the partition tree and the replicated
 * partitions of its own. Big-endian. One encoding per value, so that equal states have equal digests.
 */

/** Of a lower-case hex digit: '0' is 48, 'a' is 97. */
const nibbleAt = (hex: string, index: number): number => {
  const code = hex.charCodeAt(index)
  return code < 58 ? code - 48 : code - 87
}

/** Grows as it is written to. */
export class ByteWriter {
  #bytes: Uint8Array
  #view: DataView
  #length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
    this.#view = new DataView(this.#bytes.buffer)
  }

  #reserve(count: number): number {
    const at = this.#length
    if (at + count > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(at + count, this.#bytes.length * 2))
      grown.set(this.#bytes.subarray(0, at))
      this.#bytes = grown
      this.#view = new DataView(grown.buffer)
    }
    this.#length = at + count
    return at
  }

  u8(value: number): void {
    const at = this.#reserve(1)
    this.#view.setUint8(at, value)
  }

  u16(value: number): void {
    const at = this.#reserve(2)
    this.#view.setUint16(at, value)
  }

  u32(value: number): void {
    const at = this.#reserve(4)
    this.#view.setUint32(at, value)
  }

  /** A non-negative integer below 2^53, in 8 bytes. */
  u53(value: number): void {
    const at = this.#reserve(8)
    this.#view.setUint32(at, Math.floor(value / 0x1_0000_0000))
    this.#view.setUint32(at + 4, value % 0x1_0000_0000)
  }

  /** Length in code units, then the code units: total for every string, also one with lone surrogates. */
  text(value: string): void {
    this.u32(value.length)
    const at = this.#reserve(value.length * 2)
    for (let i = 0; i < value.length; i++) this.#view.setUint16(at + i * 2, value.charCodeAt(i))
  }

  raw(value: Uint8Array): void {
    const at = this.#reserve(value.length)
    this.#bytes.set(value, at)
  }

  bytes(value: Uint8Array): void {
    this.u32(value.length)
    this.raw(value)
  }

  /** A digest (64 hex digits) as 32 bytes. */
  digest(value: string): void {
    const at = this.#reserve(32)
    for (let i = 0; i < 32; i++) this.#bytes[at + i] = (nibbleAt(value, i * 2) << 4) | nibbleAt(value, i * 2 + 1)
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }
}

/** Reads what a ByteWriter wrote. Every read returns null once the bytes have run out; `failed` remembers it. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0
  failed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  #take(count: number): number {
    const at = this.#at
    if (this.failed || at + count > this.#bytes.length) {
      this.failed = true
      return -1
    }
    this.#at = at + count
    return at
  }

  get atEnd(): boolean {
    return !this.failed && this.#at === this.#bytes.length
  }

  u32(): number {
    const at = this.#take(4)
    return at < 0 ? 0 : this.#view.getUint32(at)
  }

  u53(): number {
    const at = this.#take(8)
    if (at < 0) return 0
    const high = this.#view.getUint32(at)
    if (high >= 0x20_0000) {
      this.failed = true
      return 0
    }
    return high * 0x1_0000_0000 + this.#view.getUint32(at + 4)
  }

  text(): string {
    const length = this.u32()
    const at = this.#take(length * 2)
    if (at < 0) return ''
    let value = ''
    for (let i = 0; i < length; i++) value += String.fromCharCode(this.#view.getUint16(at + i * 2))
    return value
  }

  /** A copy, so that a cached result never pins the partition that it came in. */
  bytes(): Uint8Array {
    const length = this.u32()
    const at = this.#take(length)
    return at < 0 ? new Uint8Array(0) : this.#bytes.slice(at, at + length)
  }
}
