/** What one process of a replica recorded, as the replayer reads it: block by block, with holes where something is lost. */
import type { ReplaySource } from '../../pbft/replay/index.ts'
import { positionOf, type RecordedEntry, type Timed } from '../../pbft/wire/index.ts'
import type { BlockPlace, Segments } from './segments.ts'

const cachedBlocksMax = 8

/** One process's part of a recording. */
export interface RecordedProcess {
  readonly blocks: readonly BlockPlace[]
  /** Index of its `start` in the source; null: it is gone, and nothing can be replayed. */
  readonly start: number | null
  /** ms since the epoch, by the replica's clock. */
  readonly firstAt: number
  readonly lastAt: number
  /** Entries that were lost while it ran. */
  readonly lost: number
}

/** The processes of a recording, the oldest first. Each began a segment, and its `start` is the second entry there. */
export const processesOf = (segments: Segments): RecordedProcess[] => {
  const groups: { blocks: BlockPlace[]; start: number | null }[] = []
  for (const block of segments.blocks) {
    const starts = block.firstIndex === 0 ? (segments.load(block) ?? []).findIndex((entry) => entry?.kind === 'start') : -1
    const group = groups.at(-1)
    if (starts >= 0) groups.push({ blocks: [block], start: starts })
    else if (group === undefined) groups.push({ blocks: [block], start: null })
    else group.blocks.push(block)
  }
  return groups.map(({ blocks, start }) => ({
    blocks,
    start,
    firstAt: blocks[0]?.firstAt ?? 0,
    lastAt: blocks.at(-1)?.lastAt ?? 0,
    lost: blocks.reduce((sum, { lost }) => sum + lost, 0),
  }))
}

interface Part {
  readonly block: BlockPlace
  /** Index of its first entry in the source. */
  readonly base: number
}

/** Whether entries are missing between two blocks that follow each other. */
const isHole = (before: BlockPlace, block: BlockPlace): boolean => {
  if (block.lost > 0) return true
  if (block.segment === before.segment) return block.firstIndex !== before.firstIndex + before.count
  return block.segment !== before.segment + 1 || block.firstIndex !== 0
}

export class BlockSource implements ReplaySource {
  readonly count: number
  readonly #segments: Segments
  readonly #parts: Part[] = []
  readonly #cache = new Map<number, readonly (Timed<RecordedEntry> | null)[]>()

  constructor(segments: Segments, { blocks }: Pick<RecordedProcess, 'blocks'>) {
    this.#segments = segments
    let next = 0
    for (const [i, block] of blocks.entries()) {
      const before = blocks[i - 1]
      // A hole is an entry that cannot be read.
      if (before !== undefined && isHole(before, block)) next += 1
      this.#parts.push({ block, base: next })
      next += block.count
    }
    this.count = next
  }

  entry(index: number): Timed<RecordedEntry> | null {
    const part = this.#partOf(index)
    if (part === null) return null
    return this.#load(part)[index - part.base] ?? null
  }

  /** Where to begin to look for what was recorded from `at` on, ms since the epoch: the first entry of its block. */
  indexAt(at: number): number {
    return this.#parts.find(({ block }) => block.lastAt >= at)?.base ?? this.count
  }

  /** Where the entry is in the recording; null for a hole. */
  positionAt(index: number): number | null {
    const part = this.#partOf(index)
    return part === null ? null : positionOf(part.block.segment, part.block.firstIndex + index - part.base)
  }

  #partOf(index: number): Part | null {
    let [low, high] = [0, this.#parts.length - 1]
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#parts[middle]?.base ?? 0) <= index) low = middle
      else high = middle - 1
    }
    const part = this.#parts[low]
    return part !== undefined && index >= part.base && index < part.base + part.block.count ? part : null
  }

  #load({ block, base }: Part): readonly (Timed<RecordedEntry> | null)[] {
    const cached = this.#cache.get(base)
    if (cached !== undefined) return cached
    const loaded = this.#segments.load(block) ?? []
    this.#cache.set(base, loaded)
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size <= cachedBlocksMax) break
      this.#cache.delete(oldest)
    }
    return loaded
  }
}
