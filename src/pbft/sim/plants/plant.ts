/**
 * A planted bug: a change to the sources of `src/pbft` as data. Nothing in the code knows of it; whoever wants a broken engine makes
 * a copy of the sources with the change applied and runs that.
 */

export interface Plant {
  readonly name: string
  /** Which line of the list of pitfalls (protocol.md, section 11) it falls into; null: none of them. */
  readonly pitfall: number | null
  /** What it breaks, for people. */
  readonly breaks: string
  /** Relative to `src/pbft`; what is only in real processes begins with `../`. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
  /** How many replicas show it, where four do not. */
  readonly replicas?: number
}

/** The source with the bug in it. Throws when `find` is not there exactly once: the plant has to follow the code. */
export function applyPlant(source: string, plant: Plant): string {
  const at = source.indexOf(plant.find)
  if (at < 0) throw new Error(`plant ${plant.name}: ${plant.file} has nothing to change`)
  if (source.includes(plant.find, at + 1)) throw new Error(`plant ${plant.name}: ${plant.file} has several places to change`)
  return source.slice(0, at) + plant.replace + source.slice(at + plant.find.length)
}
