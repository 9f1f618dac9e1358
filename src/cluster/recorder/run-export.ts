/** Writes a run into one file. */
import { closeSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { segmentName, segmentOfName } from '../../pbft/wire/index.ts'
import { documentsMax, segmentHeadBytes } from '../run-file/content.ts'
import { recordBytesWanted, RunFileBuilder } from '../run-file/format.ts'
import { documentKinds } from '../runs/schemas.ts'
import { processesOf } from './replay-source.ts'
import type { RunPlace } from './protocol.ts'
import type { RunSource } from './run-source.ts'
import { Segments } from './segments.ts'

/** Pieces of a segment, bytes. */
const pieceBytes = 1_048_576

/** Lets what else this process has to do go on. */
const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export interface WrittenRun {
  readonly bytes: number
}

/** Writes the file; nothing is left of it after an error. Throws the system's error. */
export const writeRunFile = async (place: RunPlace, source: RunSource, file: string): Promise<WrittenRun> => {
  const descriptor = openSync(file, 'wx', 0o600)
  try {
    const builder = new RunFileBuilder((bytes) => writeSync(descriptor, bytes))
    builder.addJson('head', place.record.head)
    addDocuments(builder, source)
    await addEntries(builder, source)
    for (const [replica, folder] of place.replicas.entries()) await addRecording(builder, replica, folder, place)
    builder.end()
    closeSync(descriptor)
    return { bytes: builder.bytes }
  } catch (error) {
    closeSync(descriptor)
    rmSync(file, { force: true })
    throw error
  }
}

const addDocuments = (builder: RunFileBuilder, source: RunSource): void => {
  let left = documentsMax
  for (const kind of documentKinds) {
    const documents = source.documents(kind).slice(-left)
    left -= documents.length
    for (const part of inPortions(documents)) builder.addJson('documents', { kind, documents: part })
  }
}

const addEntries = async (builder: RunFileBuilder, source: RunSource): Promise<void> => {
  for (const entries of source.entries()) {
    for (const part of inPortions(entries)) builder.addJson('entries', part)
    await breathe()
  }
}

/** Portions of about as many bytes as a record should have. */
function* inPortions<T>(items: readonly T[]): Generator<T[]> {
  let [portion, chars]: [T[], number] = [[], 0]
  for (const item of items) {
    portion.push(item)
    chars += JSON.stringify(item).length
    if (chars < recordBytesWanted) continue
    yield portion
    ;[portion, chars] = [[], 0]
  }
  if (portion.length > 0) yield portion
}

/** The segments of the processes that ran during the run, as far as their whole blocks go. */
const addRecording = async (builder: RunFileBuilder, replica: number, folder: string, { record }: RunPlace): Promise<void> => {
  const { began, ended } = record.head.info
  const ahead = record.head.offsets[replica] ?? 0
  const segments = new Segments(folder)
  segments.refresh()
  const wanted = new Map<number, number>()
  for (const { blocks, firstAt, lastAt } of processesOf(segments)) {
    if (lastAt - ahead < began || firstAt - ahead > (ended ?? Number.MAX_SAFE_INTEGER)) continue
    // Of a process that goes on what came after the run is not part of it.
    for (const { segment, offset, bytes, firstAt: at } of blocks)
      if (ended === null || at - ahead <= ended) wanted.set(segment, Math.max(wanted.get(segment) ?? 0, offset + bytes))
  }
  if (wanted.size === 0) return
  const there = new Set(readdirSync(folder, { withFileTypes: true }).flatMap(({ name }) => segmentOfName(name) ?? []))
  for (const [segment, length] of [...wanted].sort(([a], [b]) => a - b)) {
    if (!there.has(segment)) continue
    for (const piece of piecesOf(join(folder, segmentName(segment)), length)) {
      const head = Buffer.alloc(segmentHeadBytes)
      head.writeUInt16BE(replica, 0)
      head.writeUInt32BE(segment, 2)
      builder.add('segment', Buffer.concat([head, piece]))
      await breathe()
    }
  }
}

function* piecesOf(file: string, length: number): Generator<Buffer> {
  const descriptor = openSync(file, 'r')
  try {
    for (let at = 0; at < length;) {
      const piece = Buffer.alloc(Math.min(pieceBytes, length - at))
      const got = readSync(descriptor, piece, 0, piece.length, at)
      if (got === 0) return
      yield piece.subarray(0, got)
      at += got
    }
  } finally {
    closeSync(descriptor)
  }
}
