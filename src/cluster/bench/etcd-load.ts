/**
 * Closed-loop clients of an etcd cluster: gRPC over one HTTP/2 connection to each member. Its JSON gateway would be less code, but
 * costs etcd several times the work of the request itself.
 */
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import type { LoadSettings } from './load-protocol.ts'
import type { MeasuredWindow } from './measured-window.ts'
import type { RunningLoad } from './pbft-load.ts'

/** A member's limit on streams is 2^32-1; Node's own default of 100 outstanding would queue the rest here. */
const streamsMax = 4_294_967_295
/** Beyond this a protobuf length takes more than the two bytes written here. */
const fieldBytesMax = 16_383

/** A length-delimited protobuf field. */
const field = (number: number, bytes: Buffer): Buffer => {
  if (bytes.length > fieldBytesMax) throw new RangeError(`a field of ${bytes.length} bytes`)
  const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), bytes])
}

/** A gRPC message: not compressed, its length, its bytes. */
const framed = (message: Buffer): Buffer => {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(message.length, 1)
  return Buffer.concat([header, message])
}

/** Resolves with whether gRPC says that it succeeded. */
const call = (session: ClientHttp2Session, method: string, body: Buffer): Promise<boolean> =>
  new Promise((resolve) => {
    let succeeded = false
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: `/etcdserverpb.KV/${method}`,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    })
    stream.once('trailers', (trailers) => (succeeded = trailers['grpc-status'] === '0'))
    stream.once('error', () => undefined)
    stream.once('close', () => resolve(succeeded))
    stream.resume()
    stream.end(body)
  })

/** Clients are spread over the members. */
export const startEtcdLoad = (settings: LoadSettings, urls: readonly string[], window: MeasuredWindow): RunningLoad => {
  const sessions = urls.map((url) => connect(url, { peerMaxConcurrentStreams: streamsMax }))
  for (const session of sessions) session.on('error', () => undefined)
  const value = field(2, Buffer.from('x'.repeat(settings.valueBytes)))
  const keys = Array.from({ length: settings.keys }, (_, k) => field(1, Buffer.from(`key-${k}`)))
  const bodies = keys.map((key) => framed(settings.operation === 'put' ? Buffer.concat([key, value]) : key))
  const method = settings.operation === 'put' ? 'Put' : 'Range'
  let running = true
  let next = 0

  const loop = async (session: ClientHttp2Session): Promise<void> => {
    while (running) {
      const startedAt = performance.now()
      const succeeded = await call(session, method, bodies[next++ % bodies.length] as Buffer)
      const now = performance.now()
      if (succeeded) window.completed(now, now - startedAt, 0, 0)
      else window.wrong()
    }
  }

  for (let client = 0; client < settings.clients; client++) void loop(sessions[client % sessions.length] as ClientHttp2Session)
  return {
    stop() {
      running = false
      for (const session of sessions) session.destroy()
    },
  }
}
