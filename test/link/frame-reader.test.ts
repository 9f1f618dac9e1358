/** Frames in all the pieces in which a network may hand them over. */
import fc from 'fast-check'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { FrameReader } from '../../src/link/frame-reader.ts'
import { webSocketHeaderBytes, writeWebSocketHeader } from '../../src/link/websocket-header.ts'

const payloadMax = 70_000

interface Frame {
  readonly bytes: Buffer
  readonly payload: Buffer
  readonly isControl: boolean
}

const frameOf = (isControl: boolean, payload: Buffer, mask: Buffer | null): Frame => {
  const header = Buffer.alloc(webSocketHeaderBytes(payload.length, mask !== null))
  writeWebSocketHeader(header, payload.length, mask !== null)
  if (isControl) header[0] = 0x89
  mask?.copy(header, header.length - 4)
  const masked = Buffer.from(payload)
  if (mask !== null) for (let i = 0; i < masked.length; i++) masked[i]! ^= mask[i & 3]!
  return { bytes: Buffer.concat([header, masked]), payload, isControl }
}

/** What the library and the taker were given of `stream` when it came in pieces of these lengths. */
const read = (stream: Buffer, cuts: readonly number[], isMasked: boolean, takes: boolean) => {
  const raw = new PassThrough()
  const library: Buffer[] = []
  const taken: string[] = []
  raw.on('data', (chunk: Buffer) => library.push(Buffer.from(chunk)))
  const reader = new FrameReader(raw, isMasked, payloadMax)
  if (takes) reader.takeWith((payload) => taken.push(Buffer.from(payload).toString('hex')))
  const places = [...new Set([0, ...cuts.map((cut) => cut % (stream.length + 1)), stream.length])].sort((a, b) => a - b)
  for (const [i, begin] of places.entries()) {
    const piece = stream.subarray(begin, places[i + 1])
    if (piece.length > 0) raw.emit('data', Buffer.from(piece))
  }
  return { library: Buffer.concat(library), taken }
}

const masks = fc.constantFrom(Buffer.alloc(4), Buffer.from([1, 2, 3, 250]))
const frames = fc.array(
  fc.oneof(
    fc.record({ isControl: fc.constant(false), size: fc.constantFrom(0, 1, 90, 125, 126, 300, 65_535, 65_536) }),
    fc.record({ isControl: fc.constant(true), size: fc.integer({ min: 0, max: 125 }) }),
  ),
  { maxLength: 8 },
)

it('takes binary messages, and leaves the rest to the library, wherever the stream is cut', () => {
  fc.assert(
    fc.property(
      frames,
      fc.boolean(),
      masks,
      fc.array(fc.nat(200_000), { maxLength: 12 }),
      fc.boolean(),
      (shapes, isMasked, mask, cuts, takes) => {
        const made = shapes.map(({ isControl, size }, i) => frameOf(isControl, Buffer.alloc(size, i + 1), isMasked ? mask : null))
        const got = read(Buffer.concat(made.map(({ bytes }) => bytes)), cuts, isMasked, takes)
        const own = takes ? made.filter(({ isControl }) => !isControl) : []
        expect(got.taken).toEqual(own.map(({ payload }) => payload.toString('hex')))
        expect(got.library.equals(Buffer.concat(made.filter((frame) => !own.includes(frame)).map(({ bytes }) => bytes)))).toBe(true)
      },
    ),
    { numRuns: 200 },
  )
})

it('leaves everything to the library from the first thing on that links do not send', () => {
  const good = frameOf(false, Buffer.from('good'), null)
  const irregular = [
    Buffer.from([0x81, 1, 65]),
    Buffer.from([0x02, 1, 65]),
    Buffer.from([0xc2, 1, 65]),
    Buffer.from([0x09, 0]),
    Buffer.from([0x89, 126, 0, 126]),
    Buffer.from([0x82, 0x80, 0, 0, 0, 0]),
    Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 1, 0x11, 0x71]),
    Buffer.from([0x82, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
  ]
  for (const bytes of irregular) {
    const after = Buffer.concat([bytes, good.bytes])
    const got = read(Buffer.concat([good.bytes, after]), [3, 7, 9], false, true)
    expect(got.taken, bytes.toString('hex')).toEqual([good.payload.toString('hex')])
    expect(got.library.equals(after), bytes.toString('hex')).toBe(true)
  }
})
