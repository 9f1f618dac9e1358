/** The hand-written header against the library that reads it. */
import { expect, it } from 'vitest'
import { Receiver } from 'ws'
import { webSocketHeaderBytes, writeWebSocketHeader } from '../../src/link/websocket-header.ts'

const readBack = (frame: Buffer, isServer: boolean): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const receiver = new Receiver({ isServer, binaryType: 'nodebuffer' })
    receiver.once('message', (data: Buffer, isBinary: boolean) => (isBinary ? resolve(data) : reject(new Error('text'))))
    receiver.once('error', reject)
    receiver.write(frame)
  })

it.each([0, 1, 125, 126, 65_535, 65_536, 300_000])('a message of %i bytes, from either side', async (length) => {
  for (const masks of [false, true]) {
    const ahead = webSocketHeaderBytes(length, masks)
    const frame = Buffer.alloc(ahead + length, 0x5a)
    writeWebSocketHeader(frame, length, masks)
    const payload = await readBack(frame, masks)
    expect(payload.equals(frame.subarray(ahead))).toBe(true)
    expect(payload).toHaveLength(length)
  }
})
