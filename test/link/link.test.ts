/** Links over real sockets. */
import { connect } from 'node:net'
import { request } from 'node:http'
import { WebSocket } from 'ws'
import { afterEach, describe, expect, it } from 'vitest'
import {
  accept,
  dial,
  generateKey,
  linkPath,
  type Accepter,
  type Dialer,
  type DialOptions,
  type Link,
  type LinkRejection,
} from '../../src/link/index.ts'
import { halfOpenMax } from '../../src/link/accept.ts'
import { dialerHandshake } from '../../src/link/handshake.ts'
import { sealFrame } from '../../src/link/frames.ts'
import type { PrivateKey } from '../../src/link/keys.ts'
import type { LinkSettings } from '../../src/link/link.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { makeCluster } from '../support/manifests.ts'
import { until } from '../support/until.ts'

const cluster = makeCluster([1, 2, 3, 4])
const directory = directoryOf(cluster.manifest)
const keyOf = (id: number): PrivateKey => cluster.replicaKeys[id] as PrivateKey
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)

const cleanUp: (() => unknown)[] = []
afterEach(async () => {
  for (const close of cleanUp.splice(0).reverse()) await close()
})

interface Side {
  readonly links: Link[]
  readonly got: string[]
  readonly ends: (string | null)[]
  readonly rejected: LinkRejection[]
}
const side = (): Side => ({ links: [], got: [], ends: [], rejected: [] })
const handlersOf = (into: Side) => (link: Link) => {
  into.links.push(link)
  return {
    onMessages: (messages: readonly Uint8Array[]) => void into.got.push(...messages.map(text)),
    onClose: (_detail: string, rejected: string | null) => void into.ends.push(rejected),
  }
}

const listen = async (into: Side, port = 0, settings: Partial<LinkSettings> = {}): Promise<Accepter> => {
  const accepter = await accept({
    directory,
    id: 0,
    key: keyOf(0),
    host: '127.0.0.1',
    port,
    settings,
    onLink: handlersOf(into),
    onRejected: (reason) => into.rejected.push(reason),
  })
  if (!accepter.ok) throw new Error(accepter.error.message)
  cleanUp.push(() => accepter.value.close())
  return accepter.value
}

const dialTo = (into: Side, port: number, changes: Partial<DialOptions> = {}): Dialer => {
  const dialer = dial({
    directory,
    identity: { role: 'client', name: 'guest', key: cluster.guest },
    to: { id: 0, host: '127.0.0.1', port },
    onLink: handlersOf(into),
    onFailed: (reason) => reason !== null && into.rejected.push(reason),
    ...changes,
  })
  cleanUp.push(() => dialer.close())
  return dialer
}

describe('a link', () => {
  it('carries messages both ways, in order, many to a frame', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there)
    dialTo(here, accepter.port)
    await until(() => here.links.length === 1 && there.links.length === 1)
    for (let i = 0; i < 1_000; i += 1) here.links[0]?.send(bytes(`m${i}`))
    there.links[0]?.send(bytes('x'.repeat(1_000_000)))
    there.links[0]?.flush()
    await until(() => there.got.length === 1_000 && here.got.length === 1)
    expect(there.got).toEqual(Array.from({ length: 1_000 }, (_, i) => `m${i}`))
    expect(here.got[0]?.length).toBe(1_000_000)
    expect(there.links[0]?.peer).toEqual({ role: 'client', name: 'guest' })
    expect(here.links[0]?.requestKey.equals(there.links[0]?.requestKey as NonNullable<Link['requestKey']>)).toBe(true)
  })

  it('lets what may wait go with what may not, in order, or when it is told to', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there)
    dialTo(here, accepter.port)
    await until(() => here.links.length === 1 && there.links.length === 1)
    const link = here.links[0] as Link
    link.queue(bytes('a'), true)
    const since = link.waitingSince
    expect(since).not.toBeNull()
    link.queue(bytes('b'), true)
    expect(link.waitingSince).toBe(since)
    link.flush()
    expect(link.bufferedBytes).toBeGreaterThan(0)
    link.queue(bytes('c'))
    expect(link.waitingSince).toBeNull()
    link.queue(bytes('d'), true)
    link.flush()
    await until(() => there.got.length === 4)
    link.queue(bytes('e'), true)
    link.flush()
    link.flushAll()
    expect(link.waitingSince).toBeNull()
    await until(() => there.got.length === 5)
    link.queue(bytes('f'), true)
    link.close('done')
    await until(() => there.got.length === 6)
    expect(there.got).toEqual(['a', 'b', 'c', 'd', 'e', 'f'])
  })

  it('comes back after the other side went away, and stays down when closed', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there)
    const dialer = dialTo(here, accepter.port, { pauseMs: 5, pauseMaxMs: 20 })
    await until(() => here.links.length === 1)
    await accepter.close()
    await until(() => here.ends.length === 1 && dialer.link === null)
    await listen(there, accepter.port)
    await until(() => here.links.length === 2 && there.links.length === 2)
    dialer.close()
    await until(() => there.ends.length === 2)
    expect(here.links[1]?.open).toBe(false)
  })

  it('ends when the peer gives no sign', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there, 0, { heartbeatMs: 20, missedMax: 2 })
    dialTo(here, accepter.port)
    await until(() => there.links.length === 1)
    // A peer whose process stands still: nothing is read, so nothing is answered.
    const stuck = await rawPeer(accepter.port)
    stuck.pause()
    await until(() => there.links.length === 2 && there.links[1]?.open === false)
    expect(there.links[0]?.open).toBe(true)
  })

  it('keeps what a peer does not take under its cap, and counts what it drops', async () => {
    const there = side()
    const accepter = await listen(there, 0, { queueBytesMax: 2_000_000 })
    const stuck = await rawPeer(accepter.port)
    stuck.pause()
    await until(() => there.links.length === 1)
    const link = there.links[0] as Link
    const message = new Uint8Array(100_000)
    for (let i = 0; i < 400; i += 1) {
      link.send(message)
      link.flush()
    }
    expect(link.droppedMessages).toBeGreaterThan(100)
    // Own queue, what the socket may hold, and one frame.
    expect(link.bufferedBytes).toBeLessThan(2_000_000 + 1_048_576 + 2 * 262_144 + 1_000)
  })
})

/** A proven client on a bare WebSocket. */
const rawPeer = async (
  port: number,
  onReady?: (socket: WebSocket, seal: (counter: number, ...messages: Uint8Array[]) => Buffer) => void,
): Promise<WebSocket> => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${linkPath}`)
  cleanUp.push(() => socket.terminate())
  const handshake = dialerHandshake(directory, { role: 'client', name: 'guest', key: cluster.guest }, 0)
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => socket.send(handshake.hello))
    socket.on('message', (data: Buffer) => {
      const step = handshake.onMessage(data)
      if (step.kind === 'continue') socket.send(step.send)
      else if (step.kind === 'done') {
        socket.removeAllListeners('message')
        onReady?.(socket, (counter, ...messages) => sealFrame(step.session.sendKey, counter, messages))
        resolve()
      } else reject(new Error(step.detail))
    })
  })
  return socket
}

describe('counts and closes', () => {
  const breaks = async (
    send: (socket: WebSocket, seal: (counter: number, ...messages: Uint8Array[]) => Buffer) => void,
    reason: LinkRejection,
  ): Promise<Side> => {
    const there = side()
    const accepter = await listen(there)
    const socket = await rawPeer(accepter.port, send)
    await until(() => there.rejected.length > 0 && socket.readyState === WebSocket.CLOSED)
    expect(there.rejected).toEqual([reason])
    expect(there.ends).toEqual([reason])
    return there
  }

  it('a frame that was tampered with', async () => {
    const there = await breaks((socket, seal) => {
      const frame = seal(0, bytes('pay 1'))
      frame[frame.length - 1] = 0x39
      socket.send(frame)
    }, 'bad-mac')
    expect(there.got).toEqual([])
  })
  it('a frame that was replayed', async () => {
    const there = await breaks((socket, seal) => {
      socket.send(seal(0, bytes('once')))
      socket.send(seal(0, bytes('once')))
    }, 'bad-counter')
    expect(there.got).toEqual(['once'])
  })
  it('a frame that is too large', async () => {
    await breaks((socket) => socket.send(Buffer.alloc(40 * 1_048_576)), 'too-large')
  })
  it('garbage', async () => {
    await breaks((socket) => socket.send(Buffer.from('garbage')), 'bad-frame')
  })
  it('text', async () => {
    await breaks((socket) => socket.send('{}'), 'bad-frame')
  })
  it('a frame that was corrupted by a fault', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there)
    dialTo(here, accepter.port, { pauseMs: 5 })
    await until(() => here.links.length === 1)
    here.links[0]?.corruptNextFrame()
    here.links[0]?.send(bytes('spoilt'))
    await until(() => there.rejected.length === 1 && here.links.length === 2)
    expect(there.rejected).toEqual(['bad-mac'])
    expect(there.got).toEqual([])
  })
})

describe('strangers', () => {
  it('a wrong key is refused on both sides by name', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there)
    let said = ''
    dialTo(here, accepter.port, {
      identity: { role: 'replica', name: '2', key: generateKey() },
      pauseMs: 60_000,
      pauseMaxMs: 60_000,
      onFailed: (reason, detail) => {
        here.rejected.push(reason as LinkRejection)
        said = detail
      },
    })
    await until(() => here.rejected.length === 1)
    expect(here.rejected).toEqual(['wrong-key'])
    expect(there.rejected).toEqual(['wrong-key'])
    expect(said).toContain('replica 0 refused')
  })

  it('a client may not open a control link', async () => {
    const [here, there] = [side(), side()]
    const accepter = await listen(there)
    dialTo(here, accepter.port, { identity: { role: 'control', name: 'guest', key: cluster.guest } })
    await until(() => there.rejected.length > 0)
    expect(there.rejected[0]).toBe('not-operator')
    expect(there.links).toEqual([])
  })

  it('plain HTTP, other paths and web pages', async () => {
    const there = side()
    const accepter = await listen(there)
    const statusOf = (path: string, headers: Record<string, string> = {}): Promise<number | undefined> =>
      new Promise((resolve, reject) => {
        request({ host: '127.0.0.1', port: accepter.port, path, headers }, (response) => {
          response.resume()
          resolve(response.statusCode)
        })
          .on('error', reject)
          .end()
      })
    const upgrade = {
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    }
    expect(await statusOf('/')).toBe(404)
    expect(await statusOf(linkPath)).toBe(426)
    expect(await statusOf('/other', upgrade)).toBe(404)
    expect(await statusOf(linkPath, { ...upgrade, Origin: 'http://evil.example' })).toBe(403)
    expect(await statusOf(linkPath, { ...upgrade, 'Sec-WebSocket-Key': 'short' })).toBe(400)
    expect(there.rejected).toEqual(Array.from({ length: 5 }, () => 'not-a-link'))
  })

  it('garbage instead of a handshake, however much of it', async () => {
    const there = side()
    const accepter = await listen(there)
    for (const garbage of [Buffer.from('garbage'), Buffer.alloc(5_000), Buffer.alloc(1_000_000)]) {
      there.rejected.length = 0
      const socket = new WebSocket(`ws://127.0.0.1:${accepter.port}${linkPath}`)
      socket.on('error', () => undefined)
      socket.once('open', () => socket.send(garbage))
      await until(() => socket.readyState === WebSocket.CLOSED)
      expect(there.rejected).toContain('malformed')
    }
    const raw = connect(accepter.port, '127.0.0.1')
    raw.on('error', () => undefined)
    raw.end('\x16\x03\x01 no HTTP\r\n\r\n')
    await until(() => raw.destroyed)
  })

  it('more half-open handshakes than allowed', async () => {
    const there = side()
    const accepter = await listen(there)
    const sockets: WebSocket[] = []
    for (let i = 0; i < halfOpenMax; i += 1) sockets.push(new WebSocket(`ws://127.0.0.1:${accepter.port}${linkPath}`))
    cleanUp.push(() => sockets.forEach((socket) => socket.terminate()))
    await until(() => sockets.every((socket) => socket.readyState === WebSocket.OPEN))
    const here = side()
    const dialer = dialTo(here, accepter.port, { pauseMs: 5, pauseMaxMs: 10 })
    await until(() => there.rejected.length > 0)
    expect(there.rejected[0]).toBe('too-many')
    sockets.forEach((socket) => socket.terminate())
    await until(() => dialer.link !== null)
  })
})

it('a taken port is a typed failure', async () => {
  const there = side()
  const accepter = await listen(there)
  const second = await accept({
    directory,
    id: 0,
    key: keyOf(0),
    host: '127.0.0.1',
    port: accepter.port,
    onLink: handlersOf(there),
    onRejected: () => undefined,
  })
  expect(second).toMatchObject({ ok: false, error: { code: 'start-failed' } })
  expect(!second.ok && second.error.message).toContain('the port is taken')
})
