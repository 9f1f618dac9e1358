/** Plain data as lines that people read: a path of names joined by dots, and what is there. Pure. */

import { visible } from './format.ts'

export interface Leaf {
  readonly path: string
  readonly text: string
}

const leavesMax = 5_000

export const isBranch = (value: unknown): value is Readonly<Record<string, unknown>> | readonly unknown[] =>
  typeof value === 'object' && value !== null

/** A leaf, or a branch in few words. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) return `[${value.length}]`
  if (isBranch(value)) return `{${Object.keys(value).length}}`
  return typeof value === 'string' ? visible(value) : JSON.stringify(value)
}

/** All leaves, in order, at most 5,000; an empty branch is one. */
export function flattened(value: unknown, path = '', leaves: Leaf[] = []): readonly Leaf[] {
  if (leaves.length >= leavesMax) return leaves
  if (!isBranch(value) || Object.keys(value).length === 0) leaves.push({ path, text: textOf(value) })
  else
    for (const [name, inner] of Object.entries(value)) {
      const shown = visible(name)
      flattened(inner, path === '' ? shown : `${path}.${shown}`, leaves)
    }
  return leaves
}
