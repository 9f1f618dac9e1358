/** Closed-loop clients of an etcd cluster, through its gRPC-JSON gateway over kept-alive connections: one for each client. */
import { Agent, request } from 'node:http'
import type { LoadSettings } from './load-protocol.ts'
import type { MeasuredWindow } from './measured-window.ts'
import type { RunningLoad } from './pbft-load.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')

const call = (agent: Agent, url: string, body: string): Promise<boolean> =>
  new Promise((resolve) => {
    const sent = request(url, { agent, method: 'POST', headers: { 'content-length': Buffer.byteLength(body) } }, (response) => {
      response.resume()
      response.once('end', () => resolve(response.statusCode === 200))
    })
    sent.once('error', () => resolve(false))
    sent.end(body)
  })

/** Clients are spread over the members. */
export const startEtcdLoad = (settings: LoadSettings, urls: readonly string[], window: MeasuredWindow): RunningLoad => {
  const agent = new Agent({ keepAlive: true, maxSockets: settings.clients })
  const value = base64('x'.repeat(settings.valueBytes))
  const puts = Array.from({ length: settings.keys }, (_, k) => JSON.stringify({ key: base64(`key-${k}`), value }))
  let running = true
  let nextKey = 0

  const loop = async (client: number): Promise<void> => {
    const url = urls[client % urls.length] ?? ''
    const get = JSON.stringify({ key: base64(`key-${client % settings.keys}`) })
    while (running) {
      const startedAt = performance.now()
      const isPut = settings.operation === 'put'
      const body = isPut ? (puts[nextKey++ % puts.length] as string) : get
      const succeeded = await call(agent, `${url}/v3/kv/${isPut ? 'put' : 'range'}`, body)
      const now = performance.now()
      if (succeeded) window.completed(now, now - startedAt, 0, 0)
      else window.wrong()
    }
  }

  for (let client = 0; client < settings.clients; client++) void loop(client)
  return {
    stop() {
      running = false
      agent.destroy()
    },
  }
}
