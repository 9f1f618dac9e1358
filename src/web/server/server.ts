/** The browser shell's server: the page, the API and the WebSocket on one port, loopback unless told otherwise. */
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { isIPv6, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import sirv from 'sirv'
import type { Host } from '../../cluster/host-interface.ts'
import { sendError, refusalAnswer } from './answers.ts'
import { apiPrefix, createApi } from './api.ts'
import type { Context } from './context.ts'
import { createCounters, type ShellCounters } from './counters.ts'
import { createEventStreams } from './event-stream.ts'
import { createToken, isOurHost } from './guard.ts'
import { securityHeaders } from './headers.ts'
import { connectionsMax, createRateLimit, urlCharsMax } from './limits.ts'
import { createSockets } from './socket.ts'

export interface PanelServerOptions {
  readonly host: Host
  /** Folder of the built page. */
  readonly pageFolder: string
  readonly version: string
  /** Address to listen on, and port (0: any free one). */
  readonly address: string
  readonly port: number
  /** One line per kind of refusal, for the log. */
  readonly log: (line: string) => void
}

export interface PanelServer {
  /** `http://HOST:PORT`, without a token. */
  readonly url: string
  readonly token: string
  counters(): ShellCounters
  close(): Promise<void>
}

/** The request's address; null when it is none. Doubled slashes at its beginning are one. */
const urlOf = (request: IncomingMessage): URL | null => {
  const text = request.url ?? '/'
  if (text.length > urlCharsMax || !text.startsWith('/')) return null
  try {
    return new URL(`http://panel${text.replace(/^\/+/, '/')}`)
  } catch {
    return null
  }
}

const createPage = (folder: string) => {
  const serve = sirv(folder, {
    etag: true,
    // Names of built assets carry a digest; the page itself is asked for anew each time.
    setHeaders: (response, path) =>
      response.setHeader('cache-control', path.startsWith('/assets/') ? 'max-age=31536000, immutable' : 'no-cache'),
  })
  const isBuilt = existsSync(join(folder, 'index.html'))
  return (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return sendError(response, { code: 'bad-request', message: 'Here only GET can be used.' }, 405)
    }
    const message = isBuilt ? 'There is no such page.' : 'The page is not built: run npm run build.'
    serve(request, response, () => sendError(response, { code: 'not-found', message }))
  }
}

/** Starts listening. Rejects when the address cannot be had. */
export const startServer = async (options: PanelServerOptions): Promise<PanelServer> => {
  const now = (): number => performance.now()
  const context: Context = {
    host: options.host,
    token: createToken(),
    version: options.version,
    counters: createCounters((reason, count) => options.log(`refused: ${reason} (${count} so far)`)),
    bound: { host: options.address, port: options.port },
    callRate: createRateLimit(1_000, 2_000, now),
    strangerRate: createRateLimit(20, 100, now),
    now,
  }
  const streams = createEventStreams(context)
  const sockets = createSockets(context)
  const api = createApi(context, streams)
  const page = createPage(options.pageFolder)

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    context.counters.countRequest()
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
    const url = urlOf(request)
    const reason = url === null ? 'malformed' : isOurHost(request.headers.host, context.bound) ? null : 'host'
    if (url === null || reason !== null) {
      context.counters.refuse(reason ?? 'malformed')
      const refusal = refusalAnswer(reason ?? 'malformed')
      return sendError(response, refusal.error, refusal.status)
    }
    if (url.pathname.startsWith(apiPrefix)) return api(request, response, url)
    page(request, response)
  }

  const server = createServer({ maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 60_000 }, (request, response) => {
    answer(request, response).catch((error: unknown) => {
      options.log(`a request failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
      if (response.headersSent) response.destroy()
      else sendError(response, { code: 'internal', message: 'A defect of the panel; its log says more.' })
    })
  })
  server.maxConnections = connectionsMax
  server.on('upgrade', (request, duplex, head) => sockets.upgrade(request, duplex, head))
  server.on('clientError', (_error, duplex) => {
    context.counters.refuse('malformed')
    if (duplex.writable) duplex.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.address, () => resolve())
  })
  const { port } = server.address() as AddressInfo
  context.bound = { host: options.address, port }
  const name = isIPv6(options.address) ? `[${options.address}]` : options.address
  return {
    url: `http://${name}:${port}`,
    token: context.token,
    counters: () => context.counters.read(),
    close: () =>
      new Promise((resolve) => {
        streams.closeAll()
        sockets.closeAll()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
