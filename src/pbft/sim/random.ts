/** The only source of chance in a simulation: a small seeded generator (sfc32). The same seed gives the same numbers everywhere. */

export interface Random {
  /** In [0, 1), 32 bits of it. */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number
  /** In [min, max). */
  between(min: number, max: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  /** Exponentially spread with this mean; the gaps between things that happen independently of each other. */
  gap(mean: number): number
  /** An own stream for `label`: drawing from it does not disturb this one. */
  fork(label: string): Random
}

/** `seed` is any finite number. */
export function createRandom(seed: number, label = ''): Random {
  let state = [hashOf(`${label}#a#${seed}`), hashOf(`${label}#b#${seed}`), hashOf(`${label}#c#${seed}`), 1] as [
    number,
    number,
    number,
    number,
  ]
  const next = (): number => {
    const [a, b, c, counter] = state
    const sum = (((a + b) | 0) + counter) | 0
    state = [b ^ (b >>> 9), (c + (c << 3)) | 0, (((c << 21) | (c >>> 11)) + sum) | 0, (counter + 1) | 0]
    return (sum >>> 0) / 4_294_967_296
  }
  // The first numbers of sfc32 still show the seed.
  for (let i = 0; i < 12; i++) next()
  const whole = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1))
  return {
    next,
    whole,
    between: (min, max) => min + next() * (max - min),
    chance: (probability) => next() < probability,
    pick: (list) => {
      if (list.length === 0) throw new RangeError('nothing to pick from')
      return list[whole(0, list.length - 1)]!
    },
    gap: (mean) => -Math.log(1 - next()) * mean,
    fork: (child) => createRandom(seed, `${label}/${child}`),
  }
}

/** FNV-1a with a finalizer; spreads labels and seeds over 32 bits. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return hash ^ (hash >>> 15)
}
