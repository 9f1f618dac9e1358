/** Opens a run's file: checks it as a whole and unpacks it into a folder of its own. Nothing of its content names anything on the disk. */
import { closeSync, fstatSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { segmentName } from '../../pbft/wire/index.ts'
import { readParts, type RunPart } from '../run-file/content.ts'
import type { ReadAt, RunFileLimits } from '../run-file/format.ts'
import { journalName, recordingName } from '../runs/names.ts'
import type { DocumentOf, RunHead } from '../runs/schemas.ts'
import { Journal } from './journal.ts'
import type { JournalRecord } from './protocol.ts'

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Reads a file that may be cut or grow meanwhile. */
const fileOf = (descriptor: number): ReadAt => ({
  size: fstatSync(descriptor).size,
  read(at, length) {
    const { size } = this
    const buffer = Buffer.alloc(Math.max(0, Math.min(length, size - at)))
    return buffer.subarray(0, readSync(descriptor, buffer, 0, buffer.length, at))
  },
})

/**
 * Unpacks `file` into `folder`, which must not exist. Throws RunFileError for what is wrong with the file, the system's error for the disk;
 * nothing is left of the folder then.
 */
export const unpackRunFile = async (file: string, folder: string, limits: RunFileLimits): Promise<RunHead> => {
  const descriptor = openSync(file, 'r')
  try {
    mkdirSync(folder, { mode: 0o700 })
    try {
      return await unpack(fileOf(descriptor), folder, limits)
    } catch (error) {
      rmSync(folder, { recursive: true, force: true })
      throw error
    }
  } finally {
    closeSync(descriptor)
  }
}

const unpack = async (file: ReadAt, folder: string, limits: RunFileLimits): Promise<RunHead> => {
  const journal = new Journal(join(folder, journalName), Number.MAX_SAFE_INTEGER)
  const segments = new SegmentWriter(folder)
  let head: RunHead | null = null
  try {
    for (const part of readParts(file, limits)) {
      if (part.part === 'head') head = part.head
      else if (part.part === 'segment') segments.write(part)
      else journal.write(recordsOf(part))
      await breathe()
    }
  } finally {
    segments.close()
    journal.close()
  }
  if (head === null) throw new Error('a file without a head passed its check')
  return head
}

const recordsOf = (part: Extract<RunPart, { part: 'documents' | 'entries' }>): JournalRecord[] => {
  if (part.part === 'entries')
    return part.entries.flatMap(({ rows, ...entry }) => [
      { kind: 'entry', entry },
      { kind: 'ledger', seq: entry.seq, rows },
    ])
  return part.documents.map((document): JournalRecord => {
    switch (part.kind) {
      case 'view':
        return { kind: 'view', view: document as DocumentOf<'view'> }
      case 'checkpoint':
        return { kind: 'checkpoint', checkpoint: document as DocumentOf<'checkpoint'> }
      case 'request': {
        const request = document as DocumentOf<'request'>
        return { kind: 'request', request, at: request.stages.at(-1)?.at ?? 0 }
      }
      case 'alarm':
        return { kind: 'alarm', alarm: document as DocumentOf<'alarm'> }
      case 'evidence':
        return { kind: 'evidence', evidence: document as DocumentOf<'evidence'> }
      case 'fault':
        return { kind: 'fault', fault: document as DocumentOf<'fault'> }
      case 'sample':
        return { kind: 'sample', sample: document as DocumentOf<'sample'> }
      case 'status':
        return { kind: 'status', status: document as DocumentOf<'status'> }
      case 'band':
        return { kind: 'band', band: document as DocumentOf<'band'> }
    }
  })
}

class SegmentWriter {
  readonly #folder: string
  #descriptor: number | null = null

  constructor(folder: string) {
    this.#folder = folder
  }

  write({ replica, segment, bytes, isFirst }: Extract<RunPart, { part: 'segment' }>): void {
    if (isFirst || this.#descriptor === null) {
      this.close()
      const recording = join(this.#folder, recordingName(replica))
      mkdirSync(recording, { recursive: true })
      this.#descriptor = openSync(join(recording, segmentName(segment)), 'wx', 0o600)
    }
    writeSync(this.#descriptor, bytes)
  }

  close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor)
    this.#descriptor = null
  }
}
