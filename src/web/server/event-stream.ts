/** `GET /api/v1/events`: the event stream as server-sent events, resumable by Last-Event-ID. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { refusalAnswer, sendError } from './answers.ts'
import type { Context } from './context.ts'
import { streamsMax, unreadBytesMax } from './limits.ts'
import { withIsoTimes } from './present.ts'

const heartbeatMs = 15_000

/** An id is `EPOCH:POSITION`; anything else begins from the present. */
export const parseEventId = (text: string | undefined): { readonly epoch: string; readonly position: number } | null => {
  const found = /^([A-Za-z0-9._-]{1,64}):(\d{1,16})$/.exec(text ?? '')
  return found?.[1] === undefined ? null : { epoch: found[1], position: Number(found[2]) }
}

export interface EventStreams {
  open(request: IncomingMessage, response: ServerResponse): void
  closeAll(): void
}

export const createEventStreams = (context: Context): EventStreams => {
  const responses = new Set<ServerResponse>()
  return {
    open(request, response) {
      if (responses.size >= streamsMax) {
        context.counters.refuse('busy')
        return sendError(response, refusalAnswer('busy').error)
      }
      responses.add(response)
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' })
      const header = request.headers['last-event-id']
      const from = parseEventId(Array.isArray(header) ? header[0] : header)
      const unsubscribe = context.host.subscribe(from, (batch) => {
        // A reader that is too slow is let go; it comes back with its last id and gets what it missed, or a reset.
        if (response.writableLength > unreadBytesMax) return void response.destroy()
        response.write(`id: ${batch.epoch}:${batch.position}\ndata: ${JSON.stringify(withIsoTimes(batch.events))}\n\n`)
      })
      const heartbeat = setInterval(() => response.write(': still here\n\n'), heartbeatMs)
      response.on('close', () => {
        clearInterval(heartbeat)
        unsubscribe()
        responses.delete(response)
      })
    },
    closeAll() {
      for (const response of responses) response.destroy()
    },
  }
}
