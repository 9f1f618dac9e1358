/** The browser shell's server over a real host without a cluster, and a raw HTTP client that may set any header. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { WebSocket } from 'ws'
import { createHost } from '../../../src/cluster/host.ts'
import { launchByNode } from '../../../src/cluster/launch-node.ts'
import { entries } from '../../../src/web/paths.ts'
import { startServer, type PanelServer } from '../../../src/web/server/server.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly text: string
}

export interface TestServer extends PanelServer {
  readonly port: number
  readonly log: readonly string[]
  ask(
    verb: string,
    path: string,
    options?: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string; readonly token?: string | null },
  ): Promise<Answer>
  socket(protocols: readonly string[], headers?: Readonly<Record<string, string>>): WebSocket
  stop(): Promise<void>
}

/** A server on a free port of loopback, with a page folder that holds one small page. */
export const startTestServer = async (): Promise<TestServer> => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-web-'))
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>page</title>')
  const host = createHost({
    dataFolder: join(folder, 'data'),
    logsFolder: join(folder, 'logs'),
    scenariosFolder: resolve(import.meta.dirname, '../../../resources/scenarios'),
    sampleRun: resolve(import.meta.dirname, '../../../resources/runs/sample.pbftrun'),
    shell: 'browser',
    version: '0.0.0',
    locale: 'en',
    launch: launchByNode,
    entries,
  })
  const log: string[] = []
  const server = await startServer({
    host,
    pageFolder: folder,
    version: '0.0.0',
    address: '127.0.0.1',
    port: 0,
    log: (line) => log.push(line),
  })
  const port = Number(new URL(server.url).port)
  return {
    ...server,
    port,
    log,
    ask: (verb, path, { headers = {}, body, token = server.token } = {}) =>
      new Promise((resolve, reject) => {
        const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
        const outgoing = request({ host: '127.0.0.1', port, path, method: verb, headers: { ...authorization, ...headers } }, (incoming) => {
          const chunks: Buffer[] = []
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
          incoming.on('end', () =>
            resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: Buffer.concat(chunks).toString() }),
          )
        })
        outgoing.on('error', reject)
        outgoing.end(body)
      }),
    socket: (protocols, headers = {}) => new WebSocket(`ws://127.0.0.1:${port}/api/v1/socket`, [...protocols], { headers }),
    async stop() {
      await server.close()
      await host.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** The error code in an answer. */
export const codeOf = (answer: Answer): unknown => (JSON.parse(answer.text) as { error?: { code: unknown } }).error?.code
