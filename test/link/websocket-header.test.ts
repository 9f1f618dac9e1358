/** The hand-written header against the library at the other end of a real connection. */
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { webSocketHeaderBytes, writeWebSocketHeader } from '../../src/link/websocket-header.ts'

const framed = (length: number, masks: boolean): { readonly frame: Buffer; readonly payload: Buffer } => {
  const ahead = webSocketHeaderBytes(length, masks)
  const frame = Buffer.alloc(ahead + length, 0x5a)
  writeWebSocketHeader(frame, length, masks)
  return { frame, payload: frame.subarray(ahead) }
}

const nextMessage = (socket: WebSocket): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    socket.once('message', (data: Buffer, isBinary) => (isBinary ? resolve(data) : reject(new Error('a text message'))))
    socket.once('error', reject)
  })

it('messages of every length, from either side', async () => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const accepted = new Promise<{ readonly socket: WebSocket; readonly raw: Duplex }>((resolve) =>
    server.once('connection', (socket, request) => resolve({ socket, raw: request.socket })),
  )
  await new Promise((resolve) => server.once('listening', resolve))
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const upgraded = new Promise<Duplex>((resolve) => client.once('upgrade', (response) => resolve(response.socket)))
  const [there, raw] = await Promise.all([accepted, upgraded])
  try {
    for (const length of [0, 1, 125, 126, 65_535, 65_536, 300_000]) {
      const [fromClient, fromServer] = [framed(length, true), framed(length, false)]
      const [atServer, atClient] = [nextMessage(there.socket), nextMessage(client)]
      raw.write(fromClient.frame)
      there.raw.write(fromServer.frame)
      expect((await atServer).equals(fromClient.payload)).toBe(true)
      expect((await atClient).equals(fromServer.payload)).toBe(true)
    }
  } finally {
    client.terminate()
    server.close()
  }
})
