import fc from 'fast-check'
import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { writeTag } from '../../src/link/frame-tag.ts'
import { openFrame, sealFrame, tagOffset } from '../../src/link/frames.ts'

const key = createSecretKey(Buffer.alloc(32, 7))
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

it('messages come out as they went in', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 }), fc.nat(), (messages, counter) => {
      const opened = openFrame(key, counter, sealFrame(key, counter, messages))
      expect(opened.ok && opened.messages.map((m) => [...m])).toEqual(messages.map((m) => [...m]))
    }),
    { numRuns: 200 },
  )
})

describe('refuses', () => {
  const frame = sealFrame(key, 5, [bytes('one'), bytes('two')])

  it('a changed byte anywhere', () => {
    for (let at = 0; at < frame.length; at += 1) {
      const bad = Buffer.from(frame)
      bad[at] = (bad[at] as number) ^ 0x10
      expect(openFrame(key, 5, bad)).toMatchObject({ ok: false, reason: 'bad-mac' })
    }
  })

  it('another key, a cut frame, a longer one', () => {
    expect(openFrame(createSecretKey(Buffer.alloc(32, 8)), 5, frame)).toMatchObject({ reason: 'bad-mac' })
    expect(openFrame(key, 5, frame.subarray(0, frame.length - 1))).toMatchObject({ reason: 'bad-mac' })
    expect(openFrame(key, 5, Buffer.concat([frame, Buffer.from([0])]))).toMatchObject({ reason: 'bad-mac' })
    expect(openFrame(key, 5, frame.subarray(0, 23))).toMatchObject({ reason: 'bad-frame' })
  })

  it('a frame that was seen, skipped or moved', () => {
    for (const due of [4, 6, 0]) expect(openFrame(key, due, frame)).toMatchObject({ reason: 'bad-counter' })
  })

  it('authentic frames whose inside is wrong', () => {
    const sealRaw = (payload: Buffer): Buffer => {
      const frame = Buffer.concat([Buffer.alloc(24), payload])
      writeTag(key, 0, payload, frame, tagOffset)
      return frame
    }
    expect(openFrame(key, 0, sealRaw(Buffer.from([0, 0])))).toMatchObject({ reason: 'bad-frame' })
    expect(openFrame(key, 0, sealRaw(Buffer.from([0, 0, 0, 2, 1])))).toMatchObject({ reason: 'bad-frame' })
    expect(openFrame(key, 0, sealRaw(Buffer.from([0xff, 0xff, 0xff, 0xff, 1])))).toMatchObject({ reason: 'too-large' })
    expect(openFrame(key, 0, sealRaw(Buffer.alloc(0)))).toMatchObject({ ok: true, messages: [] })
  })
})
