/**
 * An established link: queues messages, bundles them into sealed frames, opens what comes, notices a dead peer.
 * Loss, order and duplication are the transport's (none while the link lives); a link that breaks loses what was unsent.
 */
import type { KeyObject } from 'node:crypto'
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import { frameBytesOf, messageBytesMax, openFrame, sealFrame, tagOffset } from './frames.ts'
import type { Peer, Session } from './handshake.ts'
import type { FrameReader } from './frame-reader.ts'
import type { FrameFailure } from './rejections.ts'
import { SendQueue } from './send-queue.ts'
import { webSocketHeaderBytes, writeWebSocketHeader } from './websocket-header.ts'

/** While the socket holds this much, frames wait in our own queue, where they can still be dropped. */
const socketBytesMax = 1_048_576

const textFrame = { ok: false, reason: 'bad-frame', detail: 'a text frame' } as const

export interface LinkSettings {
  /** Most bytes of unsent messages; beyond it the oldest are dropped and counted. */
  readonly queueBytesMax: number
  /** Period of pings, ms. A peer is dead after `missedMax` periods without a sign of it. */
  readonly heartbeatMs: number
  readonly missedMax: number
}
export const defaultLinkSettings: LinkSettings = { queueBytesMax: 64 * 1_048_576, heartbeatMs: 1_000, missedMax: 5 }

export interface LinkHandlers {
  /** All messages of one frame, in order; views into its buffer, which is not used again. */
  onMessages(messages: readonly Uint8Array[]): void
  /** Called once. `rejected` when the peer broke the rules, null when the link ended otherwise. */
  onClose(detail: string, rejected: FrameFailure | null): void
}

export interface Link {
  readonly peer: Peer
  readonly requestKey: KeyObject
  readonly open: boolean
  /** Unsent messages here and in the socket, bytes. */
  readonly bufferedBytes: number
  /** Messages dropped since the link began because the peer did not take them. */
  readonly droppedMessages: number
  /** When the peer's last frame came, ms since the epoch; when the link began, before the first. */
  readonly heardAt: number
  /**
   * Queues a message; it leaves with the others of this turn of the event loop, or at `flush`. The bytes must not change
   * any more. Ignored after the end. Throws a RangeError for a message over 32 MiB: a defect of the caller.
   */
  send(message: Uint8Array): void
  /** As `send`, but it leaves at the next `flush` only, which the caller owes; if it `mayWait`, with one that may not, or at `flushAll`. */
  queue(message: Uint8Array, mayWait?: boolean): void
  /** Since when all that is queued may wait, ms as of `performance.now`; null: nothing waits. */
  readonly waitingSince: number | null
  flush(): void
  flushAll(): void
  /** Spoils the MAC of the next frame, as a broken wire would. For fault injection. */
  corruptNextFrame(): void
  /** Sends what is queued (as far as the socket takes it) and ends the link. */
  close(detail: string): void
}

/** An open WebSocket, and what carries it: our frames are written and read there, whole and between those of the library. */
export interface Carrier {
  readonly socket: WebSocket
  readonly raw: Duplex
  readonly reader: FrameReader
  readonly isDialer: boolean
}

class SocketLink implements Link {
  readonly #socket: WebSocket
  readonly #raw: Duplex
  readonly #masks: boolean
  readonly #session: Session
  readonly #settings: LinkSettings
  readonly #queue: SendQueue
  readonly #heartbeat: NodeJS.Timeout
  #handlers: LinkHandlers | null = null
  #open = true
  #end: { readonly detail: string; readonly rejected: FrameFailure | null } | null = null
  #sendCounter = 0
  #receiveCounter = 0
  #heardAt = Date.now()
  #missed = 0
  #scheduled = false
  /** Something in the queue may not wait. */
  #hurries = false
  #waitingSince: number | null = null
  #corrupt = false

  constructor({ socket, raw, reader, isDialer }: Carrier, session: Session, settings: LinkSettings) {
    this.#socket = socket
    this.#raw = raw
    this.#masks = isDialer
    this.#session = session
    this.#settings = settings
    this.#queue = new SendQueue(settings.queueBytesMax)
    this.#heartbeat = setInterval(() => this.#beat(), settings.heartbeatMs)
    reader.takeWith((data) => this.#onFrame(data, true))
    // What the reader leaves to the library: no correct peer sends it.
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#onFrame(data, isBinary))
    socket.on('pong', () => {
      this.#missed = 0
    })
    socket.on('close', () => this.#finish('the connection was closed', null))
    // ws reports an oversized frame as an error with this code; every error is followed by 'close'.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#finish(error.message, error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too-large' : null),
    )
  }

  /** Called once, in the turn in which the link was made: nothing can have come before. */
  handleWith(handlers: LinkHandlers): void {
    this.#handlers = handlers
    // Whoever made the handlers may have closed the link meanwhile.
    if (this.#end !== null) handlers.onClose(this.#end.detail, this.#end.rejected)
  }

  get peer(): Peer {
    return this.#session.peer
  }

  get requestKey(): KeyObject {
    return this.#session.requestKey
  }

  get open(): boolean {
    return this.#open
  }

  get bufferedBytes(): number {
    return this.#queue.bytes + this.#raw.writableLength
  }

  get droppedMessages(): number {
    return this.#queue.dropped
  }

  get heardAt(): number {
    return this.#heardAt
  }

  get waitingSince(): number | null {
    return this.#waitingSince
  }

  queue(message: Uint8Array, mayWait = false): void {
    if (message.length > messageBytesMax) throw new RangeError(`a message of ${message.length} bytes`)
    if (!this.#open) return
    this.#queue.push(message)
    if (!mayWait) {
      this.#hurries = true
      this.#waitingSince = null
    } else if (!this.#hurries) this.#waitingSince ??= performance.now()
  }

  send(message: Uint8Array): void {
    this.queue(message)
    if (this.#scheduled || !this.#open) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.flush()
    })
  }

  /** False also while the two sides say goodbye: nothing may follow a close frame. */
  get #isWritable(): boolean {
    return this.#open && this.#socket.readyState === this.#socket.OPEN
  }

  flushAll(): void {
    this.#hurries = true
    this.flush()
  }

  flush(): void {
    if (!this.#hurries) return
    this.#waitingSince = null
    while (this.#isWritable && !this.#queue.isEmpty && this.#raw.writableLength < socketBytesMax) {
      const messages = this.#queue.takeFrame()
      const length = frameBytesOf(messages)
      const ahead = webSocketHeaderBytes(length, this.#masks)
      const frame = sealFrame(this.#session.sendKey, this.#sendCounter, messages, ahead)
      writeWebSocketHeader(frame, length, this.#masks)
      this.#sendCounter += 1
      if (this.#corrupt) frame[ahead + tagOffset] = (frame[ahead + tagOffset] as number) ^ 0xff
      this.#corrupt = false
      // Errors surface as 'close'. Whoever is left in the queue goes on when the socket has taken this frame.
      if (this.#queue.isEmpty) this.#raw.write(frame)
      else this.#raw.write(frame, () => this.flush())
    }
    if (this.#queue.isEmpty) this.#hurries = false
  }

  corruptNextFrame(): void {
    this.#corrupt = true
  }

  close(detail: string): void {
    if (!this.#open) return
    this.flushAll()
    this.#finish(detail, null)
    this.#socket.close(1000)
  }

  #onFrame(data: Buffer, isBinary: boolean): void {
    if (!this.#open) return
    const opened = isBinary ? openFrame(this.#session.receiveKey, this.#receiveCounter, data) : textFrame
    if (!opened.ok) {
      this.#finish(opened.detail, opened.reason)
      this.#socket.terminate()
      return
    }
    this.#receiveCounter += 1
    this.#missed = 0
    this.#heardAt = Date.now()
    this.#handlers?.onMessages(opened.messages)
  }

  /** Counts periods, not time: a pause of this process is one period, and no peer dies of it. */
  #beat(): void {
    const { missedMax, heartbeatMs } = this.#settings
    this.#missed += 1
    if (this.#missed <= missedMax) {
      this.#socket.ping()
      return
    }
    this.#finish(`no sign of it for ${missedMax * heartbeatMs} ms`, null)
    this.#socket.terminate()
  }

  #finish(detail: string, rejected: FrameFailure | null): void {
    if (!this.#open) return
    this.#open = false
    this.#end = { detail, rejected }
    clearInterval(this.#heartbeat)
    this.#queue.clear()
    this.#waitingSince = null
    this.#handlers?.onClose(detail, rejected)
  }
}

/** Takes over an open WebSocket after its handshake. `makeHandlers` gets the link and says what is done with what it brings. */
export const createLink = (
  carrier: Carrier,
  session: Session,
  settings: LinkSettings,
  makeHandlers: (link: Link) => LinkHandlers,
): Link => {
  const link = new SocketLink(carrier, session, settings)
  link.handleWith(makeHandlers(link))
  return link
}
