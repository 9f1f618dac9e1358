/** The recording of one replica as it lies in a folder: its blocks by time and position, read when they are wanted. Grows while it is looked at. */
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import {
  blockHeaderBytes,
  crc32,
  decodeEntries,
  positionOf,
  readBlock,
  readBlockHead,
  segmentName,
  segmentOfName,
  type BlockHead,
  type RecordedEntry,
  type Timed,
} from '../../pbft/wire/index.ts'

export interface BlockPlace extends BlockHead {
  readonly segment: number
  readonly offset: number
  readonly bytes: number
  /** Of its first entry. */
  readonly position: number
}

export class Segments {
  readonly #folder: string
  #blocks: BlockPlace[] = []
  /** How far each segment was read; `damaged`: what follows there is not readable. */
  readonly #read = new Map<number, { offset: number; damaged: boolean }>()

  constructor(folder: string) {
    this.#folder = folder
  }

  /** In the order of their positions. */
  get blocks(): readonly BlockPlace[] {
    return this.#blocks
  }

  /** Segments that end in something that is no whole block: a crash while it was written, or a rotten disk. */
  get damaged(): number[] {
    return [...this.#read].filter(([, { damaged }]) => damaged).map(([segment]) => segment)
  }

  get bytes(): number {
    return [...this.#read.values()].reduce((sum, { offset }) => sum + offset, 0)
  }

  /** Looks for what was written or dropped since the last time. A folder that does not exist is an empty recording. */
  refresh(): void {
    let names: string[]
    try {
      names = readdirSync(this.#folder)
    } catch {
      names = []
    }
    const segments = names.flatMap((name) => segmentOfName(name) ?? []).sort((a, b) => a - b)
    const there = new Set(segments)
    if ([...this.#read.keys()].some((segment) => !there.has(segment))) {
      this.#blocks = this.#blocks.filter(({ segment }) => there.has(segment))
      for (const segment of [...this.#read.keys()]) if (!there.has(segment)) this.#read.delete(segment)
    }
    for (const segment of segments) this.#refreshSegment(segment)
  }

  /** The entries of a block; null when it is not there any more, or was damaged since. Entries that mean nothing are left out as null. */
  load(block: BlockPlace): (Timed<RecordedEntry> | null)[] | null {
    const bytes = this.#readPart(block.segment, block.offset, block.bytes)
    const read = readBlock(bytes, crc32)
    if (!read.ok) return null
    const entries = read.entries.flatMap((entry): readonly (Timed<RecordedEntry> | null)[] => {
      const decoded = decodeEntries(entry)
      return decoded.ok ? decoded.value : [null]
    })
    return entries.length === block.count ? entries : null
  }

  #refreshSegment(segment: number): void {
    const state = this.#read.get(segment) ?? { offset: 0, damaged: false }
    this.#read.set(segment, state)
    const size = statSync(join(this.#folder, segmentName(segment)), { throwIfNoEntry: false })?.size ?? 0
    // Of a segment that was cut by a crash nothing is added; of the one being written the rest of a block may be on its way.
    while (!state.damaged && size - state.offset >= blockHeaderBytes) {
      const read = readBlockHead(this.#readPart(segment, state.offset, blockHeaderBytes))
      if (!read.ok) {
        state.damaged = true
        return
      }
      if (state.offset + read.bytes > size) return
      const position = positionOf(segment, read.head.firstIndex)
      this.#blocks.push({ ...read.head, segment, offset: state.offset, bytes: read.bytes, position })
      state.offset += read.bytes
    }
  }

  #readPart(segment: number, offset: number, length: number): Uint8Array {
    let descriptor: number
    try {
      descriptor = openSync(join(this.#folder, segmentName(segment)), 'r')
    } catch {
      return new Uint8Array(0)
    }
    try {
      const buffer = new Uint8Array(length)
      let at = 0
      for (;;) {
        const got = readSync(descriptor, buffer, at, length - at, offset + at)
        at += got
        if (got === 0 || at === length) return buffer.subarray(0, at)
      }
    } finally {
      closeSync(descriptor)
    }
  }
}
