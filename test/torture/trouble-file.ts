/** What trouble.ts reads: the trouble of one replica's machine. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Places at which a process can die: around a commit to its journal, and around a frame that leaves. */
export const killPoints = ['before-commit', 'after-commit', 'before-send', 'after-send'] as const
export type KillPoint = (typeof killPoints)[number]

export interface Trouble {
  /** SIGKILL to itself at the `count`-th time that it comes to `point` from now on. */
  readonly kill: { readonly point: KillPoint; readonly count: number } | null
  /** Added to its clock, ms. */
  readonly clockOffsetMs: number
  /** How much longer every such commit takes, ms; the process stands still meanwhile. */
  readonly commitDelayMs: number
}

export const calm: Trouble = { kill: null, clockOffsetMs: 0, commitDelayMs: 0 }

export const troubleFileName = (id: string): string => `trouble-${id}.json`

/** Replaces a replica's trouble; a process that runs learns of it within 50 ms, one that starts has it at once. */
export const setTrouble = (folder: string, id: number, trouble: Trouble): void => {
  const file = join(folder, troubleFileName(String(id)))
  writeFileSync(`${file}.new`, JSON.stringify(trouble))
  renameSync(`${file}.new`, file)
}
