/** Keeps one link to one replica: dials, and dials again with growing pauses whenever it fails or ends. */
import type { Duplex } from 'node:stream'
import { WebSocket } from 'ws'
import { establish, handshakeTimeoutMs } from './establish.ts'
import { FrameReader } from './frame-reader.ts'
import { frameBytesMax } from './frames.ts'
import { dialerHandshake, type DialerIdentity } from './handshake.ts'
import { createLink, defaultLinkSettings, type Link, type LinkHandlers, type LinkSettings } from './link.ts'
import type { Directory } from './manifest.ts'
import type { LinkRejection } from './rejections.ts'

/** The path of links on a replica's port. */
export const linkPath = '/link'

export interface DialOptions {
  readonly directory: Directory
  readonly identity: DialerIdentity
  /** The replica to dial, and where it listens. */
  readonly to: { readonly id: number; readonly host: string; readonly port: number }
  /** First and longest pause between attempts, ms; each is doubled and spread by half (default 50 and 2,000). */
  readonly pauseMs?: number
  readonly pauseMaxMs?: number
  readonly settings?: Partial<LinkSettings>
  /** A link is up. Handlers get its messages and its end; a new attempt follows by itself. */
  onLink(link: Link): LinkHandlers
  /** An attempt failed. `reason` null: nothing answered, or the connection broke. Otherwise who refused whom is in `detail`. */
  onFailed?(reason: LinkRejection | null, detail: string): void
}

export interface Dialer {
  /** The link while it is up. */
  readonly link: Link | null
  /** Stops dialling and closes the link. */
  close(): void
}

const addressOf = (host: string, port: number): string => `ws://${host.includes(':') ? `[${host}]` : host}:${port}${linkPath}`

/** Begins dialling at once; never throws for anything the other side does. */
export const dial = (options: DialOptions): Dialer => {
  const { directory, identity, to } = options
  const settings = { ...defaultLinkSettings, ...options.settings }
  const pauseMinMs = options.pauseMs ?? 50
  const pauseMaxMs = options.pauseMaxMs ?? 2_000
  let pauseMs = pauseMinMs
  let timer: NodeJS.Timeout | null = null
  let socket: WebSocket | null = null
  let link: Link | null = null
  let closed = false

  const again = (): void => {
    socket = null
    link = null
    if (closed) return
    // Half fixed, half random: replicas that lost each other together do not come back in step.
    timer = setTimeout(attempt, pauseMs / 2 + (Math.random() * pauseMs) / 2)
    pauseMs = Math.min(pauseMs * 2, pauseMaxMs)
  }

  const failedWith = (reason: LinkRejection | null, detail: string): void => {
    if (!closed) options.onFailed?.(reason, detail)
    again()
  }

  const attempt = (): void => {
    timer = null
    const opening = new WebSocket(addressOf(to.host, to.port), {
      perMessageDeflate: false,
      maxPayload: frameBytesMax,
      handshakeTimeout: handshakeTimeoutMs,
      skipUTF8Validation: true,
      // Masking protects proxies from scripts in browsers; here it would only cost a pass over every byte.
      generateMask: (mask) => mask.fill(0),
    })
    socket = opening
    const onEarlyError = (error: Error): void => failedWith(null, `replica ${to.id} at ${to.host}:${to.port}: ${error.message}`)
    opening.once('error', onEarlyError)
    let raw: Duplex | null = null
    opening.once('upgrade', (response) => {
      raw = response.socket
    })
    opening.once('open', () => {
      opening.off('error', onEarlyError)
      if (raw === null) throw new Error('invariant broken: a WebSocket opens after its upgrade')
      const carrier = { socket: opening, raw, reader: new FrameReader(raw, false, frameBytesMax), isDialer: true }
      const handshake = dialerHandshake(directory, identity, to.id)
      establish(opening, handshake, handshake.hello, {
        onSession(session) {
          pauseMs = pauseMinMs
          createLink(carrier, session, settings, (made) => {
            link = made
            const handlers = options.onLink(made)
            return {
              onMessages: handlers.onMessages,
              onClose(detail, rejected) {
                handlers.onClose(detail, rejected)
                again()
              },
            }
          })
        },
        onFailed: (reason, detail, remote) =>
          failedWith(reason, remote ? `replica ${to.id} refused this ${identity.role} ${identity.name}: ${reason}` : detail),
        onLost: (detail) => failedWith(null, `replica ${to.id} at ${to.host}:${to.port}: ${detail}`),
      })
    })
  }

  attempt()
  return {
    get link() {
      return link
    },
    close() {
      if (closed) return
      closed = true
      if (timer !== null) clearTimeout(timer)
      if (link !== null) link.close('closed here')
      else socket?.terminate()
    },
  }
}
