/** Seeded changes to bytes and to JSON, as a hostile or broken peer makes them. */
import type { Random } from '../../src/pbft/sim/index.ts'

const lengths = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0xffffffff]
const grownMax = 4_096

const randomBytes = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random.whole(0, 255))

const splice = (bytes: Uint8Array, at: number, removed: number, inserted: Uint8Array): Uint8Array => {
  const made = new Uint8Array(bytes.length - removed + inserted.length)
  made.set(bytes.subarray(0, at))
  made.set(inserted, at)
  made.set(bytes.subarray(at + removed), at + inserted.length)
  return made
}

/** One to four changes; `other` is what parts are taken from. Never equal to `bytes`. */
export const mutateBytes = (random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array => {
  let made: Uint8Array = Uint8Array.from(bytes)
  for (let left = random.whole(1, 4); left > 0; left -= 1) made = mutateOnce(random, made, other)
  const isSame = made.length === bytes.length && made.every((byte, i) => byte === bytes[i])
  return isSame ? Uint8Array.of(...made, random.whole(0, 255)) : made
}

const mutateOnce = (random: Random, bytes: Uint8Array, other: Uint8Array): Uint8Array => {
  const at = random.whole(0, Math.max(0, bytes.length - 1))
  switch (random.whole(0, 8)) {
    case 0:
      bytes[at] = random.whole(0, 255)
      return bytes
    case 1:
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.whole(0, 7))
      return bytes
    case 2:
      return splice(bytes, at, 0, randomBytes(random, random.whole(1, 8)))
    case 3:
      return splice(bytes, at, Math.min(random.whole(1, 8), bytes.length - at), new Uint8Array(0))
    case 4:
      return bytes.slice(0, at)
    case 5: {
      // A length or number that is far from true.
      const value = random.pick(lengths)
      const written = Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
      return splice(bytes, at, Math.min(4, bytes.length - at), written)
    }
    case 6: {
      const from = random.whole(0, other.length)
      return splice(bytes, at, 0, other.slice(from, from + random.whole(1, 64)))
    }
    case 7:
      return bytes.length > grownMax ? bytes : splice(bytes, at, 0, bytes.slice(at, at + random.whole(1, 256)))
    default:
      return splice(bytes, bytes.length, 0, randomBytes(random, random.whole(1, 16)))
  }
}

const odd: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  0.5,
  1e308,
  Number.MAX_SAFE_INTEGER,
  '',
  'x',
  '__proto__',
  '\u0000',
  '\ud800',
  '../../etc/passwd',
  'x'.repeat(5_000),
  [],
  {},
  [[[[]]]],
  { constructor: { prototype: 1 } },
]

/** One to three changes inside a JSON value: fields replaced, renamed, removed, added. May come out equal. */
export const mutateJson = (random: Random, value: unknown): unknown => {
  let made: unknown = structuredClone(value)
  for (let left = random.whole(1, 3); left > 0; left -= 1) made = mutateJsonOnce(random, made)
  return made
}

const mutateJsonOnce = (random: Random, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || random.chance(0.15)) return random.pick(odd)
  if (Array.isArray(value)) return mutateList(random, value)
  const entries = Object.entries(value)
  const [name, inner] = entries.length === 0 ? ['x', null] : random.pick(entries)
  switch (random.whole(0, 4)) {
    case 0:
      return Object.fromEntries(entries.filter(([other]) => other !== name))
    case 1:
      return { ...value, [`${name}x`]: inner }
    case 2:
      return { ...value, [name]: random.pick(odd) }
    default:
      return { ...value, [name]: mutateJsonOnce(random, inner) }
  }
}

const mutateList = (random: Random, list: readonly unknown[]): unknown[] => {
  const at = random.whole(0, Math.max(0, list.length - 1))
  switch (random.whole(0, 2)) {
    case 0:
      return [...list, random.pick(odd)]
    case 1:
      return list.filter((_, i) => i !== at)
    default:
      return list.map((item, i) => (i === at ? mutateJsonOnce(random, item) : item))
  }
}
