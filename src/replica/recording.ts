/**
 * What this replica writes down for those who look at the run afterwards: each input of its core with its time, and in short what left.
 * It never slows the protocol: entries are written into a block in memory, at once, since keeping what they are made of costs the
 * collector more than that; blocks go to the disk in the background, and their memory is used again. What the disk does not take in time is
 * dropped, and the block after the gap says how much was. `durability` is not for it: nothing here is promised to anyone.
 */
import { appendFile, closeSync, mkdirSync, open, readdirSync, readSync, openSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import type { TransportFaults } from '../contract/faults.ts'
import type { ProtocolConfig } from '../pbft/protocol/config.ts'
import { asReplicaId, type Digest, type ReplicaId, type SeqNo } from '../pbft/protocol/ids.ts'
import type { ClientMessage, Message } from '../pbft/protocol/messages.ts'
import type { Persisted } from '../pbft/protocol/records.ts'
import type { Input } from '../pbft/protocol/steps.ts'
import {
  BlockWriter,
  blockBytesTarget,
  encodeRecord,
  headOf,
  segmentEntriesMax,
  segmentName,
  segmentOfName,
  type SendFate,
  type ShortEntry,
} from '../pbft/wire/index.ts'

/** By so much the clock and the times of entries may differ, ms. */
const clockStepMs = 5
/** Entries wait at most this long for their block, ms. */
const flushMs = 100
/** Sealed and not written yet: beyond this, what comes is dropped. */
const waitingBytesMax = 16 * 1_048_576
/** What the disk held at the start is recorded up to this size; with more, this start cannot be replayed. */
const startBytesMax = 64 * 1_048_576
/** What an entry takes beside bytes and texts of any length, at most. */
const shortBytes = 1_024
/** Buffers of blocks that are kept for the next ones. */
const sparesMax = 2
const segmentsPerRecording = 16
const segmentBytesMin = 262_144

interface Recipient {
  readonly replica: ReplicaId
  readonly fate: SendFate
}

export interface RecordingStatus {
  /** All segments together, bytes. */
  readonly bytes: number
  /** When the last entry was made, ms since the epoch; 0: there is none. */
  readonly lastAt: number
  /** Entries dropped since the start. */
  readonly lost: number
}

/** Where another reader of the recording is: a segment's number and an offset in it. */
export interface RecordingPlace {
  readonly segment: number
  readonly offset: number
}

export interface Recording {
  start(config: ProtocolConfig, persisted: Persisted): void
  /** `wire`: the bytes that `input`'s message came in; null: it is encoded anew. */
  input(input: Input, nowMs: number, wire: Uint8Array | null): void
  signed<Signature extends Uint8Array>(signature: Signature): Signature
  rejected(reason: string): void
  checkpoint(seq: SeqNo, digest: Digest): void
  sent(message: Message, bytes: Uint8Array, to: readonly Recipient[]): void
  sentToClient(message: ClientMessage, bytes: Uint8Array, fate: SendFate): void
  /** A bundle of `count` replies that was handed to a client's link. */
  sentReplies(bundle: Uint8Array, count: number): void
  /** Kept from the core. `from`: a replica's number or a principal. */
  refused(from: string, reason: string, bytes: Uint8Array): void
  faults(faults: TransportFaults): void
  status(): RecordingStatus
  /** Number of the segment that is being written; 0: nothing is recorded. */
  readonly last: number
  /** Up to `bytesMax` bytes from there on, and where they begin: the next segment when that one is gone or read. Null: nothing more. */
  read(from: RecordingPlace, bytesMax: number): { readonly place: RecordingPlace; readonly bytes: Uint8Array } | null
  /** Resolves when everything is written. */
  close(): Promise<void>
}

export interface RecordingOptions {
  readonly folder: string
  readonly clusterId: string
  readonly id: number
  /** All segments together, bytes; the oldest go. */
  readonly bytesMax: number
  /** It cannot be written any more, and ends. */
  onFailed(error: unknown): void
}

export const noRecording: Recording = {
  start: () => undefined,
  input: () => undefined,
  signed: (signature) => signature,
  rejected: () => undefined,
  checkpoint: () => undefined,
  sent: () => undefined,
  sentToClient: () => undefined,
  sentReplies: () => undefined,
  refused: () => undefined,
  faults: () => undefined,
  status: () => ({ bytes: 0, lastAt: 0, lost: 0 }),
  last: 0,
  read: () => null,
  close: () => Promise.resolve(),
}

interface Segment {
  readonly number: number
  bytes: number
}

interface Sealed {
  readonly segment: number
  readonly block: Uint8Array<ArrayBuffer>
}

const crc = (bytes: Uint8Array): number => crc32(bytes)

class FileRecording implements Recording {
  readonly #options: RecordingOptions
  readonly #segmentBytes: number
  /** Oldest first; the last one is being written. */
  readonly #segments: Segment[]
  /** The one that is being filled, and buffers for the next ones. */
  #block: BlockWriter | null = null
  #spares: Uint8Array<ArrayBuffer>[] = []
  #index = 0
  #lastAt = 0
  #lostBefore = 0
  #lost = 0
  #waiting: Sealed[] = []
  #waitingBytes = 0
  #writing = false
  /** The open file and its segment. */
  #file: { readonly segment: number; readonly descriptor: number } | null = null
  #timer: NodeJS.Timeout | null = null
  /** Nothing more is taken: it failed or was closed. */
  #failed = false
  #starting = false
  #onClosed: (() => void) | null = null
  #origin = performance.timeOrigin

  constructor(options: RecordingOptions) {
    this.#options = options
    this.#segmentBytes = Math.max(segmentBytesMin, Math.floor(options.bytesMax / segmentsPerRecording))
    mkdirSync(options.folder, { recursive: true })
    this.#segments = readdirSync(options.folder)
      .flatMap((name) => segmentOfName(name) ?? [])
      .sort((a, b) => a - b)
      .map((number) => ({ number, bytes: statSync(this.#path(number)).size }))
    this.#beginSegment()
  }

  start(config: ProtocolConfig, persisted: Persisted): void {
    const records = persisted.records.map(encodeRecord)
    const size = [...records, ...persisted.partitions.map(({ bytes }) => bytes)].reduce((sum, { length }) => sum + length, 0)
    const whole = size <= startBytesMax
    const text = JSON.stringify(config)
    this.#put({ kind: 'start', config: text, whole }, text.length)
    if (!whole) return
    // It has to be whole to be of use, however long the disk takes.
    this.#starting = true
    for (const { index, bytes } of persisted.partitions) this.#put({ kind: 'partition', index, bytes }, bytes.length)
    for (const bytes of records) this.#put({ kind: 'record', bytes }, bytes.length)
    this.#starting = false
  }

  input(input: Input, nowMs: number, wire: Uint8Array | null): void {
    let at = this.#stamp()
    if (Math.abs(at - nowMs) > clockStepMs) {
      this.#followClock()
      at = this.#stamp()
    }
    const block = this.#blockFor(wire?.length ?? 0)
    if (block === null) return
    this.#lastAt = at
    try {
      block.input(input, nowMs, wire, at)
    } catch {
      this.#lose(1)
    }
  }

  signed<Signature extends Uint8Array>(signature: Signature): Signature {
    this.#put({ kind: 'signed', signature })
    return signature
  }

  rejected(reason: string): void {
    this.#put({ kind: 'rejected', reason }, reason.length)
  }

  checkpoint(seq: SeqNo, digest: Digest): void {
    this.#put({ kind: 'checkpoint', seq, digest })
  }

  sent(message: Message, bytes: Uint8Array, to: readonly Recipient[]): void {
    this.#put({ kind: 'sent', head: headOf(message), size: bytes.length, sum: crc32(bytes), to, fate: 'sent' })
  }

  sentToClient(message: ClientMessage, bytes: Uint8Array, fate: SendFate): void {
    this.#put({ kind: 'sent', head: headOf(message), size: bytes.length, sum: crc32(bytes), to: [], fate })
  }

  sentReplies(bundle: Uint8Array, count: number): void {
    const block = this.#blockFor(bundle.length, count)
    if (block === null) return
    this.#lastAt = this.#stamp()
    block.replies(bundle, count, this.#lastAt)
  }

  refused(from: string, reason: string, bytes: Uint8Array): void {
    const size = from.length + reason.length
    this.#put({ kind: 'refused', from, reason, type: bytes[0] ?? 0, size: bytes.length, sum: crc32(bytes) }, size)
  }

  faults(faults: TransportFaults): void {
    const text = JSON.stringify(faults)
    this.#put({ kind: 'faults', faults: text }, text.length)
  }

  status(): RecordingStatus {
    return { bytes: this.#segments.reduce((sum, { bytes }) => sum + bytes, 0), lastAt: this.#lastAt, lost: this.#lost }
  }

  get last(): number {
    return this.#segments.at(-1)?.number ?? 0
  }

  read(from: RecordingPlace, bytesMax: number): { readonly place: RecordingPlace; readonly bytes: Uint8Array } | null {
    for (const { number } of this.#segments) {
      if (number < from.segment) continue
      const offset = number === from.segment ? from.offset : 0
      const bytes = readPart(this.#path(number), offset, bytesMax)
      if (bytes.length > 0) return { place: { segment: number, offset }, bytes }
    }
    return null
  }

  close(): Promise<void> {
    this.#put({ kind: 'end' })
    this.#seal()
    return new Promise((resolve) => {
      this.#onClosed = resolve
      this.#write()
    })
  }

  /**
   * The clock may have been set: times here have to stay near those that others compare them with. Or this process was put aside between
   * two looks; then the clocks agree at the next one.
   */
  #followClock(): void {
    const difference = Date.now() - this.#stamp()
    if (Math.abs(difference) > clockStepMs) this.#origin += difference
  }

  #stamp(): number {
    return this.#origin + performance.now()
  }

  /** `size`: of its bytes or texts of any length. What cannot be encoded is lost, and counted; the protocol never hears of it. */
  #put(entry: ShortEntry, size = 0): void {
    const block = this.#blockFor(size)
    if (block === null) return
    this.#lastAt = this.#stamp()
    try {
      block.entry(entry, this.#lastAt)
    } catch {
      this.#lose(1)
    }
  }

  /** Where an entry with `size` bytes of any length goes; null: nowhere. `count`: for how many it stands. */
  #blockFor(size: number, count = 1): BlockWriter | null {
    if (this.#failed) return null
    if (this.#waitingBytes > waitingBytesMax && !this.#starting) {
      this.#lose(count)
      return null
    }
    if (this.#block !== null && this.#block.bytes + shortBytes + size > blockBytesTarget) this.#seal()
    this.#timer ??= setTimeout(() => this.#seal(), flushMs)
    this.#block ??= new BlockWriter(this.#spares.pop() ?? new Uint8Array(blockBytesTarget))
    return this.#block
  }

  #lose(count: number): void {
    // What came before the gap goes into a block of its own, so that the next one can say where the gap is.
    this.#seal()
    this.#lost += count
    this.#lostBefore += count
  }

  #seal(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    const block = this.#block
    const segment = this.#segments.at(-1)
    if (block === null || block.count === 0 || segment === undefined || this.#failed) return
    this.#block = null
    const sealed = block.seal({ firstIndex: this.#index, lost: this.#lostBefore }, crc)
    this.#index += block.count
    this.#lostBefore = 0
    segment.bytes += sealed.length
    this.#waiting.push({ segment: segment.number, block: this.#fitted(sealed) })
    this.#waitingBytes += sealed.length
    if (segment.bytes >= this.#segmentBytes || this.#index >= segmentEntriesMax) this.#beginSegment()
    this.#write()
  }

  #beginSegment(): void {
    this.#segments.push({ number: (this.#segments.at(-1)?.number ?? 0) + 1, bytes: 0 })
    this.#index = 0
    let total = this.#segments.reduce((sum, { bytes }) => sum + bytes, 0)
    while (total > this.#options.bytesMax - this.#segmentBytes && this.#segments.length > 2) {
      const oldest = this.#segments.shift() as Segment
      total -= oldest.bytes
      this.#forget(oldest.number)
    }
    this.#put({ kind: 'segment', clusterId: this.#options.clusterId, replica: asReplicaId(this.#options.id) })
  }

  /** What still waits to be written to a segment that goes must not make its file anew. */
  #forget(segment: number): void {
    const gone = this.#waiting.filter((waiting, index) => waiting.segment === segment && !(this.#writing && index === 0))
    this.#waiting = this.#waiting.filter((waiting) => !gone.includes(waiting))
    for (const { block } of gone) this.#waitingBytes -= block.length
    rmSync(this.#path(segment), { force: true })
  }

  #path(segment: number): string {
    return join(this.#options.folder, segmentName(segment))
  }

  #write(): void {
    if (this.#writing) return
    const next = this.#waiting[0]
    if (next === undefined || this.#failed) {
      if (this.#onClosed !== null) this.#end(this.#onClosed)
      return
    }
    this.#writing = true
    this.#withFile(next.segment, (descriptor) => {
      appendFile(descriptor, next.block, (error) => {
        this.#writing = false
        this.#waiting.shift()
        this.#waitingBytes -= next.block.length
        this.#spare(next.block)
        // Its segment went while it was being written.
        if (next.segment < (this.#segments[0]?.number ?? 0)) rmSync(this.#path(next.segment), { force: true })
        if (error !== null) this.#fail(error)
        this.#write()
      })
    })
  }

  /** What waits must not take much more memory than it has bytes: a small block leaves its buffer to the next one. */
  #fitted(block: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (block.length > blockBytesTarget / 2) return block
    const copy = block.slice()
    this.#spare(block)
    return copy
  }

  /** The buffer of a block that was written; one that was made for a large entry goes. */
  #spare({ buffer }: Uint8Array<ArrayBuffer>): void {
    if (buffer.byteLength === blockBytesTarget && this.#spares.length < sparesMax) this.#spares.push(new Uint8Array(buffer))
  }

  #end(resolve: () => void): void {
    if (this.#file !== null) closeSync(this.#file.descriptor)
    this.#file = null
    this.#failed = true
    this.#onClosed = null
    resolve()
  }

  #withFile(segment: number, use: (descriptor: number) => void): void {
    if (this.#file?.segment === segment) {
      use(this.#file.descriptor)
      return
    }
    if (this.#file !== null) closeSync(this.#file.descriptor)
    this.#file = null
    open(this.#path(segment), 'a', 0o600, (error, descriptor) => {
      if (error !== null) {
        this.#writing = false
        this.#fail(error)
        this.#write()
        return
      }
      this.#file = { segment, descriptor }
      use(descriptor)
    })
  }

  #fail(error: unknown): void {
    if (this.#failed) return
    this.#failed = true
    this.#waiting.length = 0
    this.#waitingBytes = 0
    this.#block = null
    this.#spares = []
    this.#options.onFailed(error)
  }
}

const readPart = (path: string, offset: number, bytesMax: number): Uint8Array => {
  let descriptor: number
  try {
    descriptor = openSync(path, 'r')
  } catch {
    // Not begun yet.
    return new Uint8Array(0)
  }
  try {
    const buffer = new Uint8Array(bytesMax)
    return buffer.subarray(0, readSync(descriptor, buffer, 0, bytesMax, offset))
  } finally {
    closeSync(descriptor)
  }
}

/** Begins a new segment in the folder, which is created. Throws the system's error when that cannot be. */
export const openRecording = (options: RecordingOptions): Recording => new FileRecording(options)
