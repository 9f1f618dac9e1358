/**
 * The partition tree (TOCS 2002, section 6.1): a Merkle tree of fixed arity over the partitions of the replicated state.
 * It is kept up to date incrementally, so that a root costs what changed, and its snapshots share all bytes with it.
 */
import { assertThat, present } from './assert.ts'
import { ByteWriter } from './bytes.ts'
import type { Digest } from './ids.ts'

export const TREE_ARITY = 32

export type DigestFunction = (bytes: Uint8Array) => Digest

/** A leaf's digest covers its index and its bytes. */
export const leafDigest = (digest: DigestFunction, index: number, bytes: Uint8Array): Digest => {
  const writer = new ByteWriter(bytes.length + 5)
  writer.u8(0)
  writer.u32(index)
  writer.raw(bytes)
  return digest(writer.finish())
}

/** An inner node's digest covers its place and its children; the tag keeps it apart from every leaf. */
export const nodeDigest = (digest: DigestFunction, level: number, index: number, children: readonly Digest[]): Digest => {
  const writer = new ByteWriter(6 + children.length * 32)
  writer.u8(1)
  writer.u8(level)
  writer.u32(index)
  for (const child of children) writer.digest(child)
  return digest(writer.finish())
}

/** Number of nodes at each level, the root's first, the leaves' last. At least two levels. */
export const treeShape = (leafCount: number): number[] => {
  const shape = [leafCount]
  while (shape[0] !== 1 || shape.length < 2) shape.unshift(Math.ceil(present(shape[0], 'a shape has a first level') / TREE_ARITY))
  return shape
}

/** A tree as it was at one moment. */
export interface TreeSnapshot {
  readonly root: Digest
  readonly leaves: readonly Uint8Array[]
  /** Digests by level (0 is the root) and index. */
  readonly levels: readonly (readonly Digest[])[]
}

/** Digests of the children of a node of a snapshot, or null when there is no such inner node. */
export const childrenOf = (snapshot: TreeSnapshot, level: number, index: number): readonly Digest[] | null => {
  const children = snapshot.levels[level + 1]
  if (children === undefined || index >= (snapshot.levels[level] ?? []).length) return null
  return children.slice(index * TREE_ARITY, (index + 1) * TREE_ARITY)
}

export class PartitionTree {
  readonly #digest: DigestFunction
  readonly #leaves: Uint8Array[]
  readonly #levels: Digest[][]
  /** Nodes above the leaves whose children changed since the last root. */
  readonly #stale = new Set<number>()

  constructor(digest: DigestFunction, leaves: Uint8Array[], known?: Digest[][]) {
    this.#digest = digest
    this.#leaves = leaves
    if (known !== undefined) {
      this.#levels = known
      return
    }
    const shape = treeShape(leaves.length)
    this.#levels = shape.map(() => [])
    this.#levels[shape.length - 1] = leaves.map((bytes, index) => leafDigest(digest, index, bytes))
    for (let level = shape.length - 2; level >= 0; level--) {
      for (let index = 0; index < present(shape[level], 'every level has a size'); index++) this.#renew(level, index)
    }
  }

  /** A copy that goes its own way; the leaves' bytes are shared. */
  copy(): PartitionTree {
    const levels = this.#levels.map((level) => level.slice())
    const tree = new PartitionTree(this.#digest, this.#leaves.slice(), levels)
    for (const index of this.#stale) tree.#stale.add(index)
    return tree
  }

  /** The level of the leaves. */
  get depth(): number {
    return this.#levels.length - 1
  }

  #level(level: number): Digest[] {
    return present(this.#levels[level], 'the tree has this level')
  }

  #renew(level: number, index: number): void {
    const children = this.#level(level + 1).slice(index * TREE_ARITY, (index + 1) * TREE_ARITY)
    this.#level(level)[index] = nodeDigest(this.#digest, level, index, children)
  }

  /** Replaces one leaf. The bytes are kept, not copied: the caller never writes to them again. */
  set(index: number, bytes: Uint8Array): void {
    assertThat(index >= 0 && index < this.#leaves.length, 'a leaf lies inside the tree')
    this.#leaves[index] = bytes
    this.#level(this.depth)[index] = leafDigest(this.#digest, index, bytes)
    this.#stale.add(Math.floor(index / TREE_ARITY))
  }

  leaf(index: number): Uint8Array {
    return present(this.#leaves[index], 'a leaf lies inside the tree')
  }

  leafDigest(index: number): Digest {
    return present(this.#level(this.depth)[index], 'a leaf lies inside the tree')
  }

  root(): Digest {
    let stale = [...this.#stale]
    this.#stale.clear()
    for (let level = this.depth - 1; level >= 0 && stale.length > 0; level--) {
      const parents = new Set<number>()
      for (const index of stale) {
        this.#renew(level, index)
        parents.add(Math.floor(index / TREE_ARITY))
      }
      stale = [...parents]
    }
    return present(this.#level(0)[0], 'a tree has a root')
  }

  /** Costs a copy of references, one per partition and node. */
  snapshot(): TreeSnapshot {
    const root = this.root()
    return { root, leaves: this.#leaves.slice(), levels: this.#levels.map((level) => level.slice()) }
  }
}
