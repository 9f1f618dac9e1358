/** Digests as 64 lower-case hex digits and as 32 bytes. */

const digits = '0123456789abcdef'
const highDigit = Array.from({ length: 256 }, (_, byte) => digits.charCodeAt(byte >> 4))
const lowDigit = Array.from({ length: 256 }, (_, byte) => digits.charCodeAt(byte & 15))
/** Value of a hex digit by character code; 255 for every other character below 128. */
const nibbles = new Uint8Array(128).fill(255)
for (let value = 0; value < 16; value++) nibbles[digits.charCodeAt(value)] = value

const codes: number[] = new Array<number>(64).fill(0)

/** The digest at `bytes[at]` to `bytes[at + 31]`. */
export function digestFromBytes(bytes: Uint8Array, at = 0): string {
  for (let i = 0; i < 32; i++) {
    const byte = bytes[at + i]!
    codes[2 * i] = highDigit[byte]!
    codes[2 * i + 1] = lowDigit[byte]!
  }
  return String.fromCharCode.apply(null, codes)
}

/** Writes the 32 bytes of `digest` at `target[at]`; throws a RangeError when it is not 64 lower-case hex digits. */
export function digestToBytes(digest: string, target: Uint8Array, at = 0): void {
  if (digest.length !== 64) throw new RangeError('digest is not 64 hex digits')
  for (let i = 0; i < 32; i++) {
    const high = nibbles[digest.charCodeAt(2 * i)] ?? 255
    const low = nibbles[digest.charCodeAt(2 * i + 1)] ?? 255
    if ((high | low) > 15) throw new RangeError('digest is not 64 hex digits')
    target[at + i] = (high << 4) | low
  }
}
