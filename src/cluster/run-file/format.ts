/**
 * The container of a run's file (docs/run-files.md): a header, records with a checksum each, and an end record with a digest of everything
 * before it. Nothing in it names a file or a folder: recordings are known by the numbers of replica and segment.
 */
import { createHash, type Hash } from 'node:crypto'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { RunFileProblem } from '../../contract/runs.ts'
import { crc32 } from '../../pbft/wire/index.ts'

const magic = Buffer.from('PBFTRUN\n', 'latin1')
export const formatVersion = 1
export const headerBytes = magic.length + 4
export const recordHeadBytes = 16

/** In the order in which a file has them. */
export const recordKinds = { head: 1, documents: 2, entries: 3, segment: 4, end: 9 } as const
export type RecordKind = keyof typeof recordKinds
const kindOf = new Map<number, RecordKind>(Object.entries(recordKinds).map(([name, code]) => [code, name as RecordKind]))

/** Largest content of one record, bytes: a batch of the largest values, in JSON. */
export const recordBytesMax = 64 * 1_048_576
/** Records are closed when they hold about so much. */
export const recordBytesWanted = 262_144
const deflated = 1
/** Smaller ones are not worth it. */
const deflateBytesMin = 64

/** What is wrong with a file, and where in it. */
export class RunFileError extends Error {
  readonly problem: RunFileProblem
  readonly at: number
  constructor(problem: RunFileProblem, at: number, message: string) {
    super(message)
    this.problem = problem
    this.at = at
  }
}

const fileHeader = (): Buffer => {
  const header = Buffer.alloc(headerBytes)
  magic.copy(header)
  header.writeUInt16BE(formatVersion, magic.length)
  return header
}

const recordOf = (kind: RecordKind, content: Uint8Array): Buffer => {
  const packed = content.length >= deflateBytesMin ? deflateRawSync(content) : content
  const stored = packed.length < content.length ? packed : content
  const head = Buffer.alloc(recordHeadBytes)
  head.writeUInt8(recordKinds[kind], 0)
  head.writeUInt8(stored === content ? 0 : deflated, 1)
  head.writeUInt32BE(content.length, 4)
  head.writeUInt32BE(stored.length, 8)
  head.writeUInt32BE(crc32(stored), 12)
  return Buffer.concat([head, stored])
}

/** Puts a file together, piece by piece; `put` writes or collects them. */
export class RunFileBuilder {
  readonly #put: (bytes: Uint8Array) => void
  readonly #hash: Hash = createHash('sha256')
  #records = 0
  #bytes = 0

  constructor(put: (bytes: Uint8Array) => void) {
    this.#put = put
    this.#add(fileHeader())
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes
  }

  add(kind: Exclude<RecordKind, 'end'>, content: Uint8Array): void {
    if (content.length > recordBytesMax) throw new RunFileError('too-large', this.#bytes, `a ${kind} record has ${content.length} bytes`)
    this.#records += 1
    this.#add(recordOf(kind, content))
  }

  addJson(kind: Exclude<RecordKind, 'end'>, value: unknown): void {
    this.add(kind, Buffer.from(JSON.stringify(value)))
  }

  end(): void {
    const content = Buffer.alloc(36)
    content.writeUInt32BE(this.#records, 0)
    this.#hash.copy().digest().copy(content, 4)
    this.#add(recordOf('end', content))
  }

  #add(bytes: Buffer): void {
    this.#hash.update(bytes)
    this.#bytes += bytes.length
    this.#put(bytes)
  }
}

export interface RunFileLimits {
  /** Of the file, bytes. */
  readonly fileBytesMax: number
  /** Of everything in it together, unpacked, bytes. */
  readonly contentBytesMax: number
}

export interface FileRecord {
  readonly kind: Exclude<RecordKind, 'end'>
  readonly content: Buffer
  /** Where it begins. */
  readonly at: number
}

/** A file of `size` bytes as a reader sees it: up to `length` bytes from a place. */
export interface ReadAt {
  readonly size: number
  read(at: number, length: number): Buffer
}

/**
 * The records of a file, checked one by one; the last step checks the whole. Throws RunFileError. What was handed out before an error is
 * part of a file that must not be used.
 */
export function* readRecords(file: ReadAt, limits: RunFileLimits): Generator<FileRecord> {
  if (file.size > limits.fileBytesMax)
    throw new RunFileError('too-large', 0, `the file has ${file.size} bytes, more than the ${limits.fileBytesMax} that are taken`)
  const hash = createHash('sha256')
  const take = (at: number, length: number, what: string): Buffer => {
    const bytes = file.read(at, length)
    if (bytes.length < length) throw new RunFileError('truncated', at, `the file ends within ${what}`)
    return bytes
  }
  if (file.size < headerBytes) throw new RunFileError('not-a-run', 0, 'the file is too short to be a run')
  const header = take(0, headerBytes, 'its header')
  if (!header.subarray(0, magic.length).equals(magic)) throw new RunFileError('not-a-run', 0, 'the file is not a run of PBFT Panel')
  const version = header.readUInt16BE(magic.length)
  if (version !== formatVersion)
    throw new RunFileError('other-version', magic.length, `the file has format ${version}; this program knows ${formatVersion}`)
  if (header.readUInt16BE(magic.length + 2) !== 0) throw new RunFileError('damaged', magic.length + 2, 'reserved bytes are not zero')
  hash.update(header)
  let [at, records, content] = [headerBytes, 0, 0]
  for (;;) {
    const head = take(at, recordHeadBytes, 'the head of a record')
    const kind = kindOf.get(head.readUInt8(0))
    const flags = head.readUInt8(1)
    if (kind === undefined || flags > deflated || head.readUInt16BE(2) !== 0)
      throw new RunFileError('damaged', at, 'a record has an unknown kind or flags')
    const [plainBytes, storedBytes] = [head.readUInt32BE(4), head.readUInt32BE(8)]
    content += plainBytes
    if (plainBytes > recordBytesMax || storedBytes > recordBytesMax || content > limits.contentBytesMax)
      throw new RunFileError('too-large', at, `the file unpacks to more than the ${limits.contentBytesMax} bytes that are taken`)
    const stored = take(at + recordHeadBytes, storedBytes, 'a record')
    if (crc32(stored) !== head.readUInt32BE(12)) throw new RunFileError('damaged', at, 'a record does not fit its checksum')
    const plain = flags === deflated ? inflate(stored, plainBytes, at) : stored
    if (plain.length !== plainBytes) throw new RunFileError('damaged', at, 'a record has another length than it says')
    const next = at + recordHeadBytes + storedBytes
    if (kind === 'end') {
      checkEnd(plain, { records, digest: hash.digest(), at })
      if (next !== file.size) throw new RunFileError('trailing-bytes', next, 'something follows the end of the run')
      return
    }
    hash.update(head).update(stored)
    records += 1
    yield { kind, content: plain, at }
    at = next
  }
}

const inflate = (stored: Buffer, plainBytes: number, at: number): Buffer => {
  try {
    return inflateRawSync(stored, { maxOutputLength: Math.max(1, plainBytes) })
  } catch {
    throw new RunFileError('damaged', at, 'a record cannot be unpacked to the length that it says')
  }
}

const checkEnd = (content: Buffer, expected: { readonly records: number; readonly digest: Buffer; readonly at: number }): void => {
  const isWhole = content.length === 36 && content.readUInt32BE(0) === expected.records && content.subarray(4).equals(expected.digest)
  if (!isWhole) throw new RunFileError('damaged', expected.at, 'the file does not fit its digest')
}
