/**
 * Commits on their way into the database: one file, one write and one flush a commit, used again from its beginning once the database has
 * all that is in it. A transaction of the database costs several times as much, in time and in CPU, and is then needed once for many commits.
 *
 *   block: magic 4 | CRC-32 of all that follows 4 | body length 4 | nonce 8 | number of the block 4 | body
 *   body:  (length 4 | record | number of partitions 4 | (index 4 | length 4 | partition)*)*
 *
 * The nonce is drawn anew whenever the file begins anew, and stands in the database: what an earlier use has left, and what clients have
 * us write, is no block of this one. What follows a block that is not whole was never acknowledged, unless a whole one comes after it:
 * then a block rotted, and the file is damaged.
 */
import { closeSync, existsSync, fdatasyncSync, fstatSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { crc32 } from 'node:zlib'
import type { PartitionBytes } from '../pbft/protocol/records.ts'

const magic = 0x50424a31
const headerBytes = 24
/** Commits that would make the file larger go to the database, with all that is in the file. */
const journalBytesMax = 8 * 1_048_576

/** A record as the disk has it; partitions belong to checkpoints. */
export interface Entry {
  readonly bytes: Uint8Array
  readonly partitions: readonly PartitionBytes[]
}

const sizeOf = ({ bytes, partitions }: Entry): number => partitions.reduce((sum, one) => sum + 8 + one.bytes.length, 8 + bytes.length)

const encodeBlock = (nonce: Buffer, number: number, entries: readonly Entry[]): Buffer => {
  const block = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + sizeOf(entry), headerBytes))
  let at = headerBytes
  const put = (bytes: Uint8Array): void => {
    at = block.writeUInt32BE(bytes.length, at)
    block.set(bytes, at)
    at += bytes.length
  }
  for (const { bytes, partitions } of entries) {
    put(bytes)
    at = block.writeUInt32BE(partitions.length, at)
    for (const partition of partitions) {
      at = block.writeUInt32BE(partition.index, at)
      put(partition.bytes)
    }
  }
  block.writeUInt32BE(magic, 0)
  block.writeUInt32BE(block.length - headerBytes, 8)
  block.set(nonce, 12)
  block.writeUInt32BE(number, 20)
  block.writeUInt32BE(crc32(block.subarray(8)), 4)
  return block
}

/** The block at `at`; null when there is no whole one of this nonce. */
const blockAt = (
  file: Buffer,
  at: number,
  nonce: Buffer,
): { readonly number: number; readonly body: Buffer; readonly end: number } | null => {
  if (file.length - at < headerBytes || file.readUInt32BE(at) !== magic) return null
  const end = at + headerBytes + file.readUInt32BE(at + 8)
  if (end > file.length || nonce.compare(file, at + 12, at + 20) !== 0) return null
  if (crc32(file.subarray(at + 8, end)) !== file.readUInt32BE(at + 4)) return null
  return { number: file.readUInt32BE(at + 20), body: file.subarray(at + headerBytes, end), end }
}

/** Whole blocks have been written by `encodeBlock`. */
const decodeBody = (body: Buffer): Entry[] => {
  const entries: Entry[] = []
  let at = 0
  const u32 = (): number => {
    at += 4
    return body.readUInt32BE(at - 4)
  }
  const take = (): Uint8Array => {
    const length = u32()
    at += length
    return new Uint8Array(body.subarray(at - length, at))
  }
  while (at < body.length) {
    const bytes = take()
    entries.push({ bytes, partitions: Array.from({ length: u32() }, () => ({ index: u32(), bytes: take() })) })
  }
  return entries
}

const hasLaterBlock = (file: Buffer, from: number, nonce: Buffer, number: number): boolean => {
  for (let at = file.indexOf(nonce, from); at >= 0; at = file.indexOf(nonce, at + 1)) {
    const block = at < 12 ? null : blockAt(file, at - 12, nonce)
    if (block !== null && block.number > number) return true
  }
  return false
}

/** What stands in the bytes of a journal: its commits, and where they end. Null when a block among them is damaged. */
export const readJournal = (
  file: Buffer,
  nonce: Buffer,
): { readonly commits: readonly (readonly Entry[])[]; readonly end: number } | null => {
  const commits: Entry[][] = []
  let end = 0
  for (let block = blockAt(file, 0, nonce); block?.number === commits.length; block = blockAt(file, end, nonce)) {
    commits.push(decodeBody(block.body))
    end = block.end
  }
  return hasLaterBlock(file, end, nonce, commits.length) ? null : { commits, end }
}

export class Journal {
  readonly #path: string
  readonly #flushes: boolean
  readonly #descriptor: number
  readonly #inode: number
  #nonce: Buffer = Buffer.alloc(0)
  #end = 0
  #number = 0

  /** Opens or makes the file. `flushes`: a commit is on the platter when `append` returns. Throws the system's error. */
  constructor(path: string, flushes: boolean) {
    this.#path = path
    this.#flushes = flushes
    const isNew = !existsSync(path)
    this.#descriptor = openSync(path, isNew ? 'w+' : 'r+', 0o600)
    this.#inode = fstatSync(this.#descriptor).ino
    if (isNew && flushes) flushFolder(dirname(path))
  }

  /** All commits since the file began with this nonce; null when it is damaged. */
  read(nonce: Buffer): readonly (readonly Entry[])[] | null {
    return readJournal(readFileSync(this.#path), nonce)?.commits ?? null
  }

  /** From now on it holds nothing; `nonce` has 8 bytes, and is in the database. */
  restart(nonce: Buffer): void {
    this.#nonce = nonce
    this.#end = 0
    this.#number = 0
  }

  fits(entries: readonly Entry[]): boolean {
    return this.#end + entries.reduce((sum, entry) => sum + sizeOf(entry), headerBytes) <= journalBytesMax
  }

  /** One commit; durable when it returns. Throws the system's error; what was written then is no block. */
  append(entries: readonly Entry[]): void {
    const block = encodeBlock(this.#nonce, this.#number, entries)
    for (let written = 0; written < block.length;) {
      written += writeSync(this.#descriptor, block, written, block.length - written, this.#end + written)
    }
    if (this.#flushes) fdatasyncSync(this.#descriptor)
    this.#end += block.length
    this.#number += 1
  }

  get isThere(): boolean {
    return statSync(this.#path, { throwIfNoEntry: false })?.ino === this.#inode
  }

  get bytes(): number {
    return fstatSync(this.#descriptor).size
  }

  close(): void {
    closeSync(this.#descriptor)
  }
}

/** So that the file's name is there after a loss of power. */
const flushFolder = (folder: string): void => {
  // Windows has no such thing, and does not need it.
  if (process.platform === 'win32') return
  const descriptor = openSync(folder, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
