/** What the browser shell lets in and what it refuses: each refusal is clear and counted. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { WebSocket } from 'ws'
import { codeOf, startTestServer, type TestServer } from './support/panel-server.ts'

let server: TestServer

beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

/** How many more were refused for that reason by the end of `act`. */
const refusedBy = async (reason: keyof ReturnType<TestServer['counters']>['refused'], act: () => Promise<void>): Promise<number> => {
  const before = server.counters().refused[reason]
  await act()
  return server.counters().refused[reason] - before
}

const next = (socket: WebSocket): Promise<unknown> =>
  new Promise((resolve, reject) => {
    socket.once('message', (data) => resolve(JSON.parse(String(data))))
    socket.once('close', (code) => reject(new Error(`closed with ${code}`)))
  })
const opened = (socket: WebSocket): Promise<void> => new Promise((resolve) => socket.once('open', () => resolve()))
const closed = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', (code) => resolve(code)))
/** The HTTP status that an upgrade was refused with. */
const refusedUpgrade = (socket: WebSocket): Promise<number> =>
  new Promise((resolve) => {
    socket.on('error', () => undefined)
    socket.once('unexpected-response', (_request, response) => {
      resolve(response.statusCode ?? 0)
      response.resume()
    })
  })

describe('who may talk to it', () => {
  test('the token opens it', async () => {
    const answer = await server.ask('GET', '/api/v1/host')
    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.text)).toMatchObject({ phase: 'closed', cluster: null })
  })

  test.each([
    ['none', null],
    ['another', 'A'.repeat(43)],
    ['a shorter', 'A'],
  ])('%s token is refused', async (_name, token) => {
    const refused = await refusedBy('token', async () => {
      const answer = await server.ask('GET', '/api/v1/host', { token })
      expect(answer.status).toBe(401)
      expect(codeOf(answer)).toBe('unauthorized')
    })
    expect(refused).toBe(1)
  })

  test('a token in the query is no token', async () => {
    expect((await server.ask('GET', `/api/v1/host?token=${server.token}`, { token: null })).status).toBe(401)
  })

  test.each(['evil.example', 'evil.example:80', '127.0.0.1', 'localhost:1'])('Host %j is refused, also for the page', async (host) => {
    const refused = await refusedBy('host', async () => {
      for (const path of ['/api/v1/host', '/']) expect((await server.ask('GET', path, { headers: { host } })).status).toBe(421)
    })
    expect(refused).toBe(2)
  })

  test('localhost is its name too', async () => {
    expect((await server.ask('GET', '/api/v1/host', { headers: { host: `localhost:${server.port}` } })).status).toBe(200)
  })

  test.each([
    ['another site', { origin: 'https://evil.example' }],
    ['another port', { origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { origin: 'null' }],
    ['a page that hides its origin', { 'sec-fetch-site': 'cross-site' }],
  ])('%s is refused even with the token', async (_name, headers) => {
    const refused = await refusedBy('origin', async () => {
      const answer = await server.ask('POST', '/api/v1/clusters', { headers, body: '{"name":"x","replicas":4}' })
      expect(answer.status).toBe(403)
    })
    expect(refused).toBe(1)
  })

  test('its own page is let in', async () => {
    const origin = `http://127.0.0.1:${server.port}`
    expect((await server.ask('GET', '/api/v1/host', { headers: { origin, 'sec-fetch-site': 'same-origin' } })).status).toBe(200)
  })

  test('the socket wants the token, our Host and our Origin too', async () => {
    const token = `token.${server.token}`
    expect(await refusedUpgrade(server.socket(['pbft-panel']))).toBe(401)
    expect(await refusedUpgrade(server.socket(['pbft-panel', 'token.wrong']))).toBe(401)
    expect(await refusedUpgrade(server.socket(['pbft-panel', token], { origin: 'https://evil.example' }))).toBe(403)
    expect(await refusedUpgrade(server.socket(['pbft-panel', token], { host: 'evil.example' }))).toBe(421)
  })
})

describe('what it takes', () => {
  test.each([
    ['not JSON', '{'],
    ['an unknown field', '{"operation":{"type":"get","key":"k"},"sudo":true}'],
    ['a wrong type', '{"operation":{"type":"get","key":7}}'],
    ['an unknown operation', '{"operation":{"type":"drop"}}'],
    ['nothing', ''],
  ])('%s is refused as a request', async (_name, body) => {
    const answer = await server.ask('POST', '/api/v1/requests', { body })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'bad-request'])
  })

  test('a body where none is taken is refused', async () => {
    const answer = await server.ask('POST', '/api/v1/replicas/1/stop', { body: '{"x":1}' })
    expect([answer.status, codeOf(answer)]).toEqual([400, 'bad-request'])
    expect(answer.text).toContain('takes no body')
  })

  test('a body over the limit is not read to its end', async () => {
    const refused = await refusedBy('size', async () => {
      const answer = await server
        .ask('POST', '/api/v1/requests', { headers: { 'content-length': '99999999' } })
        .catch((error: Error) => error)
      if (!(answer instanceof Error)) expect(answer.status).toBe(413)
    })
    expect(refused).toBe(1)
  })

  test.each([
    ['GET', '/api/v1/log?after=-1', 400],
    ['GET', '/api/v1/log?after=x', 400],
    ['GET', '/api/v1/log?limit=0', 400],
    ['GET', '/api/v1/log?order=desc', 400],
    ['GET', '/api/v1/log?after=1&after=3', 400],
    ['GET', '/api/v1/log/x', 400],
    ['GET', '/api/v1/log/%E0%A4%A', 400],
    ['GET', '/api/v1/nothing', 404],
    ['PUT', '/api/v1/status', 405],
    ['POST', '/api/v1/replicas/0/explode', 400],
  ])('%s %s answers %d', async (verb, path, status) => {
    const answer = await server.ask(verb, path)
    expect(answer.status).toBe(status)
    expect(codeOf(answer)).toBe(status === 404 ? 'not-found' : 'bad-request')
  })

  test('without a cluster it says so', async () => {
    for (const path of ['status', 'log', 'views', 'checkpoints', 'replicas/0']) {
      const answer = await server.ask('GET', `/api/v1/${path}`)
      expect([path, answer.status, codeOf(answer)]).toEqual([path, 409, 'no-cluster'])
    }
  })

  test('a malformed frame closes the socket, and is counted', async () => {
    for (const frame of [
      '{',
      '[]',
      '{"id":1}',
      '{"id":1,"method":"format","params":{}}',
      '{"id":-1,"method":"host","params":{}}',
      '{"subscribe":{}}',
    ]) {
      const socket = server.socket(['pbft-panel', `token.${server.token}`])
      await opened(socket)
      const refused = await refusedBy('malformed', async () => {
        socket.send(frame)
        expect(await closed(socket)).toBe(1008)
      })
      expect(refused).toBe(1)
    }
  })

  test('a frame over the limit closes the socket, and is counted', async () => {
    const socket = server.socket(['pbft-panel', `token.${server.token}`])
    await opened(socket)
    const refused = await refusedBy('malformed', async () => {
      socket.send('x'.repeat(9 * 1_048_576))
      expect(await closed(socket)).toBe(1009)
    })
    expect(refused).toBe(1)
  })

  test('a flood of calls is refused, not queued', async () => {
    const socket = server.socket(['pbft-panel', `token.${server.token}`])
    await opened(socket)
    const calls = 3_000
    const codes: unknown[] = []
    const done = new Promise<void>((resolve) =>
      socket.on('message', (data) => {
        const { result } = JSON.parse(String(data)) as { result: { ok: boolean; error?: { code: string } } }
        codes.push(result.ok ? 'ok' : result.error?.code)
        if (codes.length === calls) resolve()
      }),
    )
    const refused = await refusedBy('rate', async () => {
      for (let id = 0; id < calls; id++) socket.send(JSON.stringify({ id, method: 'about', params: {} }))
      await done
    })
    socket.close()
    expect(codes.filter((code) => code === 'ok').length).toBeGreaterThan(0)
    expect(codes.filter((code) => code === 'rate-limited')).toHaveLength(refused)
    expect(refused).toBeGreaterThan(0)
  })
})

describe('what it answers', () => {
  test('a call over the socket, and a reset for a new subscriber', async () => {
    const socket = server.socket(['pbft-panel', `token.${server.token}`])
    await opened(socket)
    expect(socket.protocol).toBe('pbft-panel')
    socket.send(JSON.stringify({ id: 7, method: 'host', params: {} }))
    expect(await next(socket)).toMatchObject({ id: 7, result: { ok: true, value: { phase: 'closed' } } })
    socket.send(JSON.stringify({ subscribe: { epoch: null, position: null } }))
    expect(await next(socket)).toMatchObject({ events: { events: [{ type: 'reset' }] } })
    socket.send(JSON.stringify({ ping: true }))
    expect(await next(socket)).toEqual({ pong: true })
    socket.close()
  })

  test('the page comes with a policy that lets nothing in', async () => {
    const { status, headers, text } = await server.ask('GET', '/', { token: null })
    expect([status, text]).toEqual([200, '<!doctype html><title>page</title>'])
    const policy = String(headers['content-security-policy'])
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toMatch(/unsafe|\*/)
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer' })
  })

  test.each(['/../package.json', '/%2e%2e/package.json', '/..%2f..%2fetc/passwd', '/data/x'])('%s is no page', async (path) => {
    expect((await server.ask('GET', path)).status).toBe(404)
  })

  test('reported policy violations are counted', async () => {
    const before = server.counters().cspViolations
    const answer = await server.ask('POST', '/api/v1/csp-report', { token: null, body: '{"csp-report":{}}' })
    expect(answer.status).toBe(204)
    expect(server.counters().cspViolations).toBe(before + 1)
  })

  test('its counters are metrics', async () => {
    const { text } = await server.ask('GET', '/api/v1/metrics')
    expect(text).toMatch(/^pbft_panel_refused_total\{reason="token"\} \d+$/m)
    expect(text).toMatch(/^pbft_panel_http_requests_total \d+$/m)
  })

  test('openapi.json describes every call, with the schemas that are enforced', async () => {
    const document = JSON.parse((await server.ask('GET', '/api/v1/openapi.json')).text) as {
      paths: Record<
        string,
        Record<string, { requestBody?: { content: { 'application/json': { schema: { required?: string[]; oneOf?: unknown[] } } } } }>
      >
    }
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        '/status',
        '/log',
        '/log/{seq}',
        '/views',
        '/checkpoints',
        '/replicas/{id}',
        '/requests',
        '/faults',
        '/faults/{id}',
        '/events',
        '/metrics',
      ]),
    )
    expect(document.paths['/requests']?.['post']?.requestBody?.content['application/json'].schema.required).toEqual(['operation'])
    expect(document.paths['/faults']?.['post']?.requestBody?.content['application/json'].schema.oneOf?.length).toBeGreaterThan(5)
  })
})
