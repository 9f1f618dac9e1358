/** The copy of a recording that lies on another machine: its segments, as they were fetched, bounded; the oldest go. */
import { appendFileSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { segmentName, segmentOfName } from '../../pbft/wire/index.ts'
import type { RecordedPlace, RecorderQueries } from './protocol.ts'
import { QueryError } from './replays.ts'

export class FetchedRecording {
  readonly #folder: string
  /** Oldest first. */
  readonly #segments: { readonly number: number; bytes: number }[]

  /** What an earlier run fetched is gone on with. */
  constructor(folder: string) {
    this.#folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    this.#segments = readdirSync(folder)
      .flatMap((name) => segmentOfName(name) ?? [])
      .sort((a, b) => a - b)
      .map((number) => ({ number, bytes: statSync(this.#path(number)).size }))
  }

  /** Where the next piece belongs. */
  get place(): RecordedPlace {
    const last = this.#segments.at(-1)
    return { segment: last?.number ?? 0, offset: last?.bytes ?? 0 }
  }

  /**
   * Adds a piece that goes on where the copy ends, or begins a later segment; at most `bytesMax` in all stay. Throws QueryError for any
   * other piece: whoever sent it does not hold to what it was asked.
   */
  add(at: RecordedPlace, bytes: Uint8Array, bytesMax: number): void {
    const { segment, offset } = this.place
    const goesOn = at.segment === segment && at.offset === offset && segment > 0
    if (!goesOn && (at.segment <= segment || at.offset !== 0))
      throw new QueryError('bad-request', `bytes ${at.offset} of segment ${at.segment} do not follow byte ${offset} of segment ${segment}`)
    if (at.offset + bytes.length > bytesMax)
      throw new QueryError('too-large', `segment ${at.segment} alone has more than ${bytesMax} bytes`)
    appendFileSync(this.#path(at.segment), bytes, { mode: 0o600 })
    if (!goesOn) this.#segments.push({ number: at.segment, bytes: 0 })
    const last = this.#segments.at(-1)
    if (last !== undefined) last.bytes += bytes.length
    let total = this.#segments.reduce((sum, one) => sum + one.bytes, 0)
    while (total > bytesMax && this.#segments.length > 1) {
      const oldest = this.#segments.shift()
      total -= oldest?.bytes ?? 0
      if (oldest !== undefined) rmSync(this.#path(oldest.number), { force: true })
    }
  }

  /** Deletes all of it: the recording that it copies has begun anew. */
  clear(): void {
    for (const { number } of this.#segments) rmSync(this.#path(number), { force: true })
    this.#segments.length = 0
  }

  #path(segment: number): string {
    return join(this.#folder, segmentName(segment))
  }
}

/** The copies that a host fetches, by their folders. */
export class FetchedRecordings {
  readonly #copies = new Map<string, FetchedRecording>()

  /** See `fetched` of the protocol. Throws QueryError, or the system's error for the disk. */
  take({ folder, bytesMax, piece, anew }: RecorderQueries['fetched']['params']): RecordedPlace {
    const copy = this.#copies.get(folder) ?? new FetchedRecording(folder)
    this.#copies.set(folder, copy)
    if (anew) copy.clear()
    if (piece !== null) copy.add(piece, Buffer.from(piece.bytes, 'base64'), bytesMax)
    return copy.place
  }
}
