/** `/api/v1/socket`: the page's connection. Frames of contract/shell.ts, one WebSocket per page. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import * as v from 'valibot'
import { WebSocketServer, type RawData, type WebSocket } from 'ws'
import { methods, type Method } from '../../contract/api.ts'
import { fail, type Result } from '../../contract/result.ts'
import type { ServerFrame } from '../../contract/shell.ts'
import { refusalAnswer } from './answers.ts'
import type { Context } from './context.ts'
import type { RefusalReason } from './counters.ts'
import { panelProtocol, refusalOf } from './guard.ts'
import { bodyBytesMax, callsMax, createRateLimit, socketsMax, unreadBytesMax } from './limits.ts'

export const socketPath = '/api/v1/socket'

const id = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const position = v.strictObject({ epoch: v.nullable(v.pipe(v.string(), v.maxLength(64))), position: v.nullable(id) })
const frameSchema = v.union([
  v.strictObject({ id, method: v.picklist(methods), params: v.unknown() }),
  v.strictObject({ subscribe: position }),
  v.strictObject({ ping: v.literal(true) }),
])

/** Close codes: of the WebSocket standard, and "try again later". */
const policyViolation = 1008
const tryAgainLater = 1013

const parse = (data: RawData, binary: boolean): v.InferOutput<typeof frameSchema> | null => {
  if (binary) return null
  try {
    const frame = v.safeParse(frameSchema, JSON.parse(String(data)))
    return frame.success ? frame.output : null
  } catch {
    return null
  }
}

/** One page's connection: answers its calls, sends it events from when it subscribed. */
const serve = (context: Context, socket: WebSocket): void => {
  const rate = createRateLimit(500, 1_000, context.now)
  let underWay = 0
  let unsubscribe = (): void => undefined

  const send = (frame: ServerFrame): void => {
    // A reader that is too slow is let go; it comes back with its position and gets what it missed, or a reset.
    if (socket.bufferedAmount > unreadBytesMax) socket.close(tryAgainLater, 'too slow')
    else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame))
  }
  const refused = (call: number, reason: RefusalReason): void => {
    context.counters.refuse(reason)
    const { error } = refusalAnswer(reason)
    send({ id: call, result: fail(error.code, error.message) })
  }
  const answer = async (call: number, method: Method, params: unknown): Promise<void> => {
    if (!rate.take()) return refused(call, 'rate')
    if (underWay >= callsMax) return refused(call, 'busy')
    underWay += 1
    const result: Result<unknown> = await context.host.call(method, params)
    underWay -= 1
    send({ id: call, result })
  }

  socket.on('message', (data, binary) => {
    context.counters.countFrame()
    const frame = parse(data, binary)
    if (frame === null) {
      context.counters.refuse('malformed')
      return socket.close(policyViolation, 'not a frame')
    }
    if ('method' in frame) return void answer(frame.id, frame.method, frame.params)
    if ('ping' in frame) return rate.take() ? send({ pong: true }) : context.counters.refuse('rate')
    unsubscribe()
    const { epoch, position: at } = frame.subscribe
    unsubscribe = context.host.subscribe(epoch === null || at === null ? null : { epoch, position: at }, (events) => send({ events }))
  })
  // A frame over the limit, or broken on the wire: ws closes the connection itself.
  socket.on('error', () => context.counters.refuse('malformed'))
  socket.on('close', () => unsubscribe())
}

export interface Sockets {
  /** Takes over an upgrade request, or refuses it with a plain HTTP answer. */
  upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): void
  closeAll(): void
}

const refuseUpgrade = (duplex: Duplex, reason: RefusalReason): void => {
  const { status, error } = refusalAnswer(reason)
  const body = JSON.stringify({ error })
  const head = [
    `HTTP/1.1 ${status} Refused`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  duplex.end(`${head.join('\r\n')}\r\n\r\n${body}`)
}

export const createSockets = (context: Context): Sockets => {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: bodyBytesMax,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has(panelProtocol) ? panelProtocol : false),
  })
  return {
    upgrade(request, duplex, head) {
      duplex.on('error', () => duplex.destroy())
      const path = (request.url ?? '').split('?')[0]
      const reason: RefusalReason | null =
        refusalOf(request, context.bound, context.token) ??
        (path === socketPath ? (server.clients.size >= socketsMax ? 'busy' : null) : 'malformed')
      if (reason !== null) {
        context.counters.refuse(context.strangerRate.take() ? reason : 'rate')
        return refuseUpgrade(duplex, reason)
      }
      server.handleUpgrade(request, duplex, head, (socket) => serve(context, socket))
    },
    closeAll() {
      for (const socket of server.clients) socket.terminate()
      server.close()
    },
  }
}
