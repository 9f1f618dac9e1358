/** UTF-8 without the platform's coders, which pure rooms do not have. Strict both ways: one encoding per text. */

/** How many bytes `value` takes; throws a RangeError when it holds a lone surrogate, which UTF-8 cannot express. */
export function utf8Length(value: string): number {
  let length = value.length
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i)
    if (unit < 0x80) continue
    if (unit < 0x800) length += 1
    else if (unit < 0xd800 || unit > 0xdfff) length += 2
    else {
      const next = value.charCodeAt(i + 1)
      if (unit > 0xdbff || !(next >= 0xdc00 && next <= 0xdfff)) throw new RangeError('text has a lone surrogate')
      length += 2
      i++
    }
  }
  return length
}

/** Writes well-formed `value` into `target` at `at`; there must be room for `utf8Length(value)` bytes. */
export function encodeUtf8(value: string, target: Uint8Array, at: number): void {
  for (let i = 0; i < value.length; i++) {
    const point = value.codePointAt(i)!
    if (point < 0x80) target[at++] = point
    else if (point < 0x800) {
      target[at++] = 0xc0 | (point >> 6)
      target[at++] = 0x80 | (point & 0x3f)
    } else if (point < 0x10000) {
      target[at++] = 0xe0 | (point >> 12)
      target[at++] = 0x80 | ((point >> 6) & 0x3f)
      target[at++] = 0x80 | (point & 0x3f)
    } else {
      target[at++] = 0xf0 | (point >> 18)
      target[at++] = 0x80 | ((point >> 12) & 0x3f)
      target[at++] = 0x80 | ((point >> 6) & 0x3f)
      target[at++] = 0x80 | (point & 0x3f)
      i++
    }
  }
}

/**
 * The text in `bytes` from `start` to `end` (at most some thousand bytes: it is built in one call); null when it is no UTF-8:
 * broken or overlong sequences, surrogates, points above U+10FFFF.
 */
export function decodeUtf8(bytes: Uint8Array, start: number, end: number): string | null {
  const units: number[] = []
  for (let at = start; at < end;) {
    const first = bytes[at]!
    if (first < 0x80) {
      units.push(first)
      at++
      continue
    }
    const size = first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0
    if (size === 0 || at + size > end) return null
    let point = first & (0xff >> (size + 1))
    for (let i = 1; i < size; i++) {
      const next = bytes[at + i]!
      if ((next & 0xc0) !== 0x80) return null
      point = (point << 6) | (next & 0x3f)
    }
    if (size === 3 && (point < 0x800 || (point >= 0xd800 && point <= 0xdfff))) return null
    if (size === 4 && (point < 0x10000 || point > 0x10ffff)) return null
    if (point < 0x10000) units.push(point)
    else units.push(0xd800 + ((point - 0x10000) >> 10), 0xdc00 + (point & 0x3ff))
    at += size
  }
  return String.fromCharCode.apply(null, units)
}

interface Interned {
  readonly bytes: Uint8Array
  readonly text: string
}
const internedMax = 8_192
/** By the low bits of a hash of the bytes; a newer text takes the place of an older one. */
const interned: (Interned | undefined)[] = new Array<Interned | undefined>(internedMax).fill(undefined)

/** Of the end, where texts that come together differ, and the length: a walk over all of it would cost as much as the comparison. */
function placeOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = end - start
  for (let at = Math.max(start, end - 6); at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
  return (hash ^ (hash >>> 15)) & (internedMax - 1)
}

function isSame(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

/** As `decodeUtf8`, for texts that come again and again: a few thousand of them are remembered. */
export function internUtf8(bytes: Uint8Array, start: number, end: number): string | null {
  const place = placeOf(bytes, start, end)
  const known = interned[place]
  if (known !== undefined && isSame(known.bytes, bytes, start, end)) return known.text
  const text = decodeUtf8(bytes, start, end)
  if (text !== null) interned[place] = { bytes: bytes.slice(start, end), text }
  return text
}
