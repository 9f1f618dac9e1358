/**
 * Reads WebSocket messages off the socket in place of the library's receiver, which spends more on a short frame than we do on
 * everything else in it: a writable stream, a state machine and an event for each.
 *
 * It understands what links send: whole binary messages. All else goes to the library as it came, whole frame by whole frame, so that the
 * library stays the one that opens, closes, answers pings and objects: all frames until a taker is set (the handshake), control
 * frames always; and everything from the first frame on that is none of these (text, fragments, reserved bits, too long).
 */
import type { Duplex } from 'node:stream'

const finalBinary = 0x82
const controlBit = 0x08
const finalBit = 0x80
const reservedBits = 0x70
const maskBit = 0x80
const maskBytes = 4
const controlBytesMax = 125
const twoTo32 = 4_294_967_296

interface Header {
  /** Of the header, with the mask. */
  readonly bytes: number
  readonly payload: number
  readonly isBinary: boolean
}

/** Null: it is not there as a whole. `irregular`: none that we read. */
const headerAt = (chunk: Buffer, at: number, isMasked: boolean, payloadMax: number): Header | 'irregular' | null => {
  if (chunk.length - at < 2) return null
  const first = chunk[at] as number
  const second = chunk[at + 1] as number
  const isBinary = first === finalBinary
  const isControl = (first & controlBit) !== 0 && (first & finalBit) !== 0 && (first & reservedBits) === 0
  if ((!isBinary && !isControl) || ((second & maskBit) !== 0) !== isMasked) return 'irregular'
  const short = second & ~maskBit
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0
  const bytes = 2 + lengthBytes + (isMasked ? maskBytes : 0)
  if (chunk.length - at < bytes) return null
  const payload =
    lengthBytes === 0
      ? short
      : lengthBytes === 2
        ? chunk.readUInt16BE(at + 2)
        : chunk.readUInt32BE(at + 2) * twoTo32 + chunk.readUInt32BE(at + 6)
  if (payload > payloadMax || (isControl && payload > controlBytesMax)) return 'irregular'
  return { bytes, payload, isBinary }
}

/** In place; nothing for the zero mask, which our own dialers send. */
const unmask = (payload: Buffer, mask: Buffer): void => {
  if (mask.readUInt32BE(0) === 0) return
  for (let i = 0; i < payload.length; i++) payload[i] = (payload[i] as number) ^ (mask[i & 3] as number)
}

export class FrameReader {
  readonly #raw: Duplex
  readonly #library: ((chunk: Buffer) => void)[]
  readonly #isMasked: boolean
  readonly #payloadMax: number
  #take: ((payload: Buffer) => void) | null = null
  /** The rest of a frame that began; nothing is done with it before there are `#needed` bytes. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #needed = 0

  /**
   * Begins at once; `raw` carries a WebSocket that just opened, and the library has not been given anything of it yet. `isMasked`: the
   * other side is the dialer. Longer messages than `payloadMax` bytes are left to the library, which refuses them.
   */
  constructor(raw: Duplex, isMasked: boolean, payloadMax: number) {
    this.#raw = raw
    this.#isMasked = isMasked
    this.#payloadMax = payloadMax
    this.#library = raw.listeners('data') as ((chunk: Buffer) => void)[]
    raw.removeAllListeners('data')
    raw.on('data', this.#onData)
  }

  /** From the next frame on binary messages go to `take`; their bytes are not used again. */
  takeWith(take: (payload: Buffer) => void): void {
    this.#take = take
  }

  #pass(chunk: Buffer): void {
    for (const listener of this.#library) listener.call(this.#raw, chunk)
  }

  /** For good: the library also stops listening when it objects. */
  #giveBack(rest: Buffer): void {
    for (const listener of this.#library) this.#raw.on('data', listener)
    this.#raw.off('data', this.#onData)
    this.#pass(rest)
  }

  #keep(rest: Buffer, needed: number): void {
    this.#waiting.push(rest)
    this.#waitingBytes += rest.length
    this.#needed = needed
  }

  readonly #onData = (received: Buffer): void => {
    if (this.#waitingBytes === 0) {
      this.#split(received)
      return
    }
    this.#keep(received, this.#needed)
    if (this.#waitingBytes < this.#needed) return
    const joined = Buffer.concat(this.#waiting, this.#waitingBytes)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#split(joined)
  }

  #split(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      const header = headerAt(chunk, at, this.#isMasked, this.#payloadMax)
      if (header === 'irregular') {
        this.#giveBack(chunk.subarray(at))
        return
      }
      const end = header === null ? Number.POSITIVE_INFINITY : at + header.bytes + header.payload
      if (header === null || end > chunk.length) {
        this.#keep(chunk.subarray(at), header === null ? chunk.length - at + 1 : end - at)
        return
      }
      if (this.#take === null || !header.isBinary) this.#pass(chunk.subarray(at, end))
      else {
        const begin = at + header.bytes
        const payload = chunk.subarray(begin, end)
        if (this.#isMasked) unmask(payload, chunk.subarray(begin - maskBytes, begin))
        this.#take(payload)
      }
      at = end
    }
  }
}
