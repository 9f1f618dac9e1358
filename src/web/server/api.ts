/** `/api/v1`: the contract over HTTP, for scripts. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail, ok, type Result } from '../../contract/result.ts'
import { readBody, refusalAnswer, sendError, sendJson, sendText } from './answers.ts'
import type { Context } from './context.ts'
import type { RefusalReason } from './counters.ts'
import type { EventStreams } from './event-stream.ts'
import { refusalOf } from './guard.ts'
import { cspReportPath } from './headers.ts'
import { bodyBytesMax, cspReportBytesMax } from './limits.ts'
import { metricsText } from './metrics.ts'
import { openapi } from './openapi.ts'
import { findRoute, type Route } from './routes.ts'

export const apiPrefix = '/api/v1/'

const refuse = (context: Context, response: ServerResponse, reason: RefusalReason): void => {
  context.counters.refuse(reason)
  const { status, error } = refusalAnswer(reason)
  if (reason === 'rate' || reason === 'size') response.setHeader('connection', 'close')
  sendError(response, error, status)
}

/** The segments of a path under /api/v1/; null when it is no valid encoding. */
const segmentsOf = (path: string): readonly string[] | null => {
  try {
    return path.slice(apiPrefix.length).split('/').map(decodeURIComponent)
  } catch {
    return null
  }
}

/** The JSON in a request's body; undefined for an empty one. */
const readJson = async (context: Context, request: IncomingMessage): Promise<Result<unknown>> => {
  const body = await readBody(request, bodyBytesMax)
  if (!body.ok) {
    context.counters.refuse('size')
    return body
  }
  if (body.value.length === 0) return ok(undefined)
  try {
    return ok(JSON.parse(body.value.toString('utf8')))
  } catch {
    context.counters.refuse('malformed')
    return fail('bad-request', 'The body is not JSON.')
  }
}

/** No body, or the `{}` that some clients always send. */
const isEmpty = (body: unknown): boolean =>
  body === undefined || (typeof body === 'object' && body !== null && !Array.isArray(body) && Object.keys(body).length === 0)

/** Pages send what their policy stopped, and cannot send a token with it: only counted, and only so often. */
const takeCspReport = async (context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  if (!context.strangerRate.take()) return refuse(context, response, 'rate')
  const body = await readBody(request, cspReportBytesMax)
  if (!body.ok) return refuse(context, response, 'size')
  context.counters.countCspViolation()
  response.writeHead(204).end()
}

const callRoute = async (
  context: Context,
  route: Route,
  path: Readonly<Record<string, string>>,
  query: URLSearchParams,
  request: IncomingMessage,
): Promise<Result<unknown>> => {
  const unknown = [...query.keys()].find((name) => !route.query.includes(name))
  if (unknown !== undefined) return fail('bad-request', `There is no query parameter "${unknown.slice(0, 40)}" here.`)
  const repeated = route.query.find((name) => query.getAll(name).length > 1)
  if (repeated !== undefined) return fail('bad-request', `The query parameter "${repeated}" is given more than once.`)
  const body = route.verb === 'POST' ? await readJson(context, request) : ok(undefined)
  if (!body.ok) return body
  if (route.body === null && !isEmpty(body.value)) return fail('bad-request', 'This call takes no body.')
  const params = route.params({ path, query, body: body.value })
  if (!params.ok) return params
  const result = await context.host.call(route.method, params.value)
  return result.ok ? ok(route.present(result.value, context.counters.read())) : result
}

const sendMetrics = async (context: Context, response: ServerResponse): Promise<void> => {
  const status = await context.host.call('status', {})
  sendText(response, 200, 'text/plain; version=0.0.4; charset=utf-8', metricsText(status.ok ? status.value : null, context.counters.read()))
}

/** Answers one request whose path begins with /api/v1/. */
export const createApi = (context: Context, streams: EventStreams) => {
  const document = openapi(context.version)
  return async (request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> => {
    const verb = request.method ?? 'GET'
    if (url.pathname === cspReportPath && verb === 'POST') return takeCspReport(context, request, response)
    const refusal = refusalOf(request, context.bound, context.token)
    if (refusal !== null) return refuse(context, response, context.strangerRate.take() ? refusal : 'rate')
    if (!context.callRate.take()) return refuse(context, response, 'rate')
    const segments = segmentsOf(url.pathname)
    if (segments === null) return refuse(context, response, 'malformed')
    const name = verb === 'GET' && segments.length === 1 ? segments[0] : ''
    if (name === 'events') return streams.open(request, response)
    if (name === 'metrics') return sendMetrics(context, response)
    if (name === 'openapi.json') return sendJson(response, 200, document)
    const found = findRoute(verb, segments)
    if (!found.found) {
      if (found.verbs.length === 0) return sendError(response, { code: 'not-found', message: 'There is no such call; see openapi.json.' })
      response.setHeader('allow', found.verbs.join(', '))
      return sendError(response, { code: 'bad-request', message: `Here only ${found.verbs.join(', ')} can be used.` }, 405)
    }
    const result = await callRoute(context, found.route, found.path, url.searchParams, request)
    if (result.ok) return sendJson(response, 200, result.value)
    if (result.error.code === 'too-large') response.setHeader('connection', 'close')
    sendError(response, result.error)
  }
}
