/** The accepting side of a replica: one port for replicas, clients and control; nothing else is served there. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer, type WebSocket } from 'ws'
import { fail, ok, type Result } from '../contract/result.ts'
import { linkPath } from './dial.ts'
import { establish, handshakeTimeoutMs } from './establish.ts'
import { FrameReader } from './frame-reader.ts'
import { frameBytesMax } from './frames.ts'
import { accepterHandshake, handshakeBytesMax } from './handshake.ts'
import type { PrivateKey } from './keys.ts'
import { createLink, defaultLinkSettings, type Link, type LinkHandlers, type LinkSettings } from './link.ts'
import type { Directory } from './manifest.ts'
import type { OnRejected } from './rejections.ts'

/** Most connections whose handshake is not finished; more are refused with 503. */
export const halfOpenMax = 64
/** A stranger may send at most three handshake messages and the HTTP upgrade. */
const strangerBytesMax = 4 * handshakeBytesMax

export interface AcceptOptions {
  readonly directory: Directory
  readonly id: number
  readonly key: PrivateKey
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  readonly settings?: Partial<LinkSettings>
  /** A link is up, its peer proven. Several links of one peer may exist; who owns links decides. */
  onLink(link: Link): LinkHandlers
  readonly onRejected: OnRejected
}

export interface Accepter {
  readonly port: number
  /** Closes the port and all links; resolves when the port is free. */
  close(): Promise<void>
}

const answer = (socket: Duplex, status: string): void => {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}

/** Listens; `start-failed` when the port is taken or the address is not ours. */
export const accept = (options: AcceptOptions): Promise<Result<Accepter>> => {
  const settings = { ...defaultLinkSettings, ...options.settings }
  const sockets = new Set<WebSocket>()
  let halfOpen = 0

  const refusePlain = (request: IncomingMessage, response: ServerResponse): void => {
    options.onRejected('not-a-link', 'a plain HTTP request')
    response.writeHead(request.url === linkPath ? 426 : 404, { 'Content-Length': 0, Connection: 'close' }).end()
  }
  const server = createServer({ headersTimeout: handshakeTimeoutMs, requestTimeout: handshakeTimeoutMs, maxHeaderSize: 8_192 }, refusePlain)
  const upgrader = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: frameBytesMax,
    clientTracking: false,
    skipUTF8Validation: true,
  })

  const onSocket = (socket: WebSocket, raw: Duplex): void => {
    sockets.add(socket)
    halfOpen += 1
    const reader = new FrameReader(raw, true, frameBytesMax)
    let strangerBytes = 0
    // ws would gather a whole frame before it shows it; until the peer is proven that is bounded here.
    const guard = (chunk: Buffer): void => {
      strangerBytes += chunk.length
      if (strangerBytes > strangerBytesMax) {
        options.onRejected('malformed', 'too many bytes before the end of the handshake')
        raw.destroy()
      }
    }
    raw.on('data', guard)
    const settled = (): void => {
      halfOpen -= 1
      raw.off('data', guard)
    }
    socket.on('close', () => sockets.delete(socket))
    establish(socket, accepterHandshake(options.directory, options.id, options.key), null, {
      onSession(session) {
        settled()
        createLink({ socket, raw, reader, isDialer: false }, session, settings, (link) => {
          const handlers = options.onLink(link)
          return {
            onMessages: handlers.onMessages,
            onClose(detail, rejected) {
              if (rejected !== null) options.onRejected(rejected, `${link.peer.role} ${link.peer.name}: ${detail}`)
              handlers.onClose(detail, rejected)
            },
          }
        })
      },
      onFailed(reason, detail) {
        settled()
        options.onRejected(reason, detail)
      },
      onLost: settled,
    })
  }

  server.on('upgrade', (request: IncomingMessage, raw: Duplex, head: Buffer) => {
    raw.on('error', () => raw.destroy())
    // A browser always says where a page comes from; no page has business here.
    if (request.url !== linkPath || request.headers.origin !== undefined) {
      options.onRejected('not-a-link', request.url === linkPath ? 'a web page' : 'a WebSocket elsewhere')
      answer(raw, request.url === linkPath ? '403 Forbidden' : '404 Not Found')
      return
    }
    if (halfOpen >= halfOpenMax) {
      options.onRejected('too-many', `${halfOpen} handshakes are under way`)
      answer(raw, '503 Service Unavailable')
      return
    }
    upgrader.handleUpgrade(request, raw, head, (socket) => onSocket(socket, raw))
  })
  upgrader.on('wsClientError', (error, raw) => {
    options.onRejected('not-a-link', error.message.slice(0, 200))
    answer(raw, '400 Bad Request')
  })
  server.on('clientError', (_error, raw) => {
    options.onRejected('malformed', 'no HTTP')
    raw.destroy()
  })

  const accepter = (): Accepter => ({
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.terminate()
        server.closeAllConnections()
      }),
  })

  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message
      resolve(fail('start-failed', `cannot listen on ${options.host}:${options.port}: ${why}`, { code: error.code }))
    })
    server.listen({ host: options.host, port: options.port, backlog: 511 }, () => {
      server.removeAllListeners('error')
      server.on('error', (error) => options.onRejected('malformed', error.message.slice(0, 200)))
      resolve(ok(accepter()))
    })
  })
}
