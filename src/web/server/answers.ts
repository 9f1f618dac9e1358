/** How answers and refusals leave over HTTP. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail, type PanelError, type Result } from '../../contract/result.ts'
import type { RefusalReason } from './counters.ts'
import { httpStatusOf } from './http-errors.ts'

const refusals: Readonly<Record<RefusalReason, { readonly status: number; readonly error: PanelError }>> = {
  host: {
    status: 421,
    error: { code: 'unauthorized', message: 'This Host is not this panel: use the address that it printed when it started.' },
  },
  origin: { status: 403, error: { code: 'unauthorized', message: 'Pages of another origin may not talk to this panel.' } },
  token: {
    status: 401,
    error: { code: 'unauthorized', message: 'The session token is missing or wrong; the panel printed it when it started.' },
  },
  rate: { status: 429, error: { code: 'rate-limited', message: 'Too many requests in a short time: wait a second.' } },
  size: { status: 413, error: { code: 'too-large', message: 'The request is larger than this panel takes.' } },
  malformed: { status: 400, error: { code: 'bad-request', message: 'The request is not well-formed.' } },
  busy: { status: 503, error: { code: 'busy', message: 'Too many connections are open: close one.' } },
}

export const refusalAnswer = (reason: RefusalReason): { readonly status: number; readonly error: PanelError } => refusals[reason]

export const sendText = (response: ServerResponse, status: number, type: string, text: string): void => {
  const body = Buffer.from(text)
  response.writeHead(status, { 'content-type': type, 'content-length': body.length, 'cache-control': 'no-store' })
  response.end(body)
}

export const sendJson = (response: ServerResponse, status: number, value: unknown): void =>
  sendText(response, status, 'application/json; charset=utf-8', JSON.stringify(value))

export const sendError = (response: ServerResponse, error: PanelError, status = httpStatusOf[error.code]): void => {
  sendJson(response, status, { error })
}

/**
 * Reads a body of at most `bytesMax`. A longer one is not read on: the answer goes out and the connection closes.
 * Resolves to null when it was too long or broke off.
 */
export const readBody = (request: IncomingMessage, bytesMax: number): Promise<Result<Buffer>> =>
  new Promise((resolve) => {
    const tooLarge = fail('too-large', `The body is larger than ${bytesMax} bytes.`)
    if (Number(request.headers['content-length'] ?? 0) > bytesMax) return resolve(tooLarge)
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > bytesMax) {
        request.pause()
        resolve(tooLarge)
      } else chunks.push(chunk)
    })
    request.on('end', () => resolve({ ok: true, value: Buffer.concat(chunks) }))
    request.on('error', () => resolve(fail('bad-request', 'The body broke off.')))
  })
