/**
 * An established link: queues messages, bundles them into sealed frames, opens what comes, notices a dead peer.
 * Loss, order and duplication are the transport's (none while the link lives); a link that breaks loses what was unsent.
 */
import type { WebSocket } from 'ws'
import { frameBytesTarget, framedBytes, messageBytesMax, openFrame, sealFrame } from './frames.ts'
import type { Peer, Session } from './handshake.ts'
import type { FrameFailure } from './rejections.ts'
import type { KeyObject } from 'node:crypto'

/** While the socket holds this much, frames wait in our own queue, where they can still be dropped. */
const socketBytesMax = 1_048_576

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
  flush(): void
  /** Spoils the MAC of the next frame, as a broken wire would. For fault injection. */
  corruptNextFrame(): void
  /** Sends what is queued (as far as the socket takes it) and ends the link. */
  close(detail: string): void
}

/** Takes over an open WebSocket after its handshake. `handlers` may be called from the next event on. */
export const createLink = (
  socket: WebSocket,
  session: Session,
  settings: LinkSettings,
  makeHandlers: (link: Link) => LinkHandlers,
): Link => {
  let queue: Uint8Array[] = []
  let head = 0
  let queuedBytes = 0
  let droppedMessages = 0
  let sendCounter = 0
  let receiveCounter = 0
  let heardAt = Date.now()
  let missed = 0
  let scheduled = false
  let corrupt = false
  let open = true
  let handlers: LinkHandlers | null = null
  /** The end, when `makeHandlers` itself closes the link. */
  const early: { readonly detail: string; readonly rejected: FrameFailure | null }[] = []

  /** Lets go of what was sent or dropped, at a cost that is constant for each message. */
  const compact = (): void => {
    if (head === queue.length) queue = []
    else if (head > 1_024 && head * 2 > queue.length) queue = queue.slice(head)
    else return
    head = 0
  }

  const takeFrame = (): readonly Uint8Array[] => {
    const first = head
    let bytes = 0
    while (head < queue.length) {
      const size = framedBytes(queue[head] as Uint8Array)
      if (head > first && bytes + size > frameBytesTarget) break
      bytes += size
      head += 1
    }
    const messages = first === 0 && head === queue.length ? queue : queue.slice(first, head)
    queuedBytes -= bytes
    compact()
    return messages
  }

  const pump = (): void => {
    while (open && head < queue.length && socket.bufferedAmount < socketBytesMax) {
      const frame = sealFrame(session.sendKey, sendCounter, takeFrame())
      sendCounter += 1
      if (corrupt) frame[8] = (frame[8] as number) ^ 0xff
      corrupt = false
      // The callback runs when the socket has taken the frame; errors surface as 'close'.
      socket.send(frame, { binary: true, compress: false }, () => {
        if (head < queue.length) pump()
      })
    }
  }

  const dropOldest = (): void => {
    while (queuedBytes > settings.queueBytesMax && head < queue.length - 1) {
      queuedBytes -= framedBytes(queue[head] as Uint8Array)
      // Frees the bytes now; the slot goes with the next compaction.
      queue[head] = new Uint8Array(0)
      head += 1
      droppedMessages += 1
    }
    compact()
  }

  const end = (detail: string, rejected: FrameFailure | null): void => {
    if (!open) return
    open = false
    clearInterval(heartbeat)
    queue = []
    head = 0
    queuedBytes = 0
    if (handlers === null) early.push({ detail, rejected })
    else handlers.onClose(detail, rejected)
  }

  const onFrame = (data: Buffer, isBinary: boolean): void => {
    if (!open) return
    const opened = isBinary
      ? openFrame(session.receiveKey, receiveCounter, data)
      : ({ ok: false, reason: 'bad-frame', detail: 'a text frame' } as const)
    if (!opened.ok) {
      end(opened.detail, opened.reason)
      socket.terminate()
      return
    }
    receiveCounter += 1
    missed = 0
    heardAt = Date.now()
    handlers?.onMessages(opened.messages)
  }

  const link: Link = {
    peer: session.peer,
    requestKey: session.requestKey,
    get open() {
      return open
    },
    get bufferedBytes() {
      return queuedBytes + socket.bufferedAmount
    },
    get droppedMessages() {
      return droppedMessages
    },
    get heardAt() {
      return heardAt
    },
    send(message) {
      if (message.length > messageBytesMax) throw new RangeError(`a message of ${message.length} bytes`)
      if (!open) return
      queue.push(message)
      queuedBytes += framedBytes(message)
      if (queuedBytes > settings.queueBytesMax) dropOldest()
      if (scheduled) return
      scheduled = true
      setImmediate(() => {
        scheduled = false
        pump()
      })
    },
    flush: pump,
    corruptNextFrame() {
      corrupt = true
    },
    close(detail) {
      if (!open) return
      pump()
      end(detail, null)
      socket.close(1000)
    },
  }

  const heartbeat = setInterval(() => {
    missed += 1
    if (missed > settings.missedMax) {
      end(`no sign of it for ${settings.missedMax * settings.heartbeatMs} ms`, null)
      socket.terminate()
      return
    }
    socket.ping()
  }, settings.heartbeatMs)
  handlers = makeHandlers(link)
  for (const it of early) handlers.onClose(it.detail, it.rejected)
  socket.on('message', onFrame)
  socket.on('pong', () => {
    missed = 0
  })
  socket.on('close', () => end('the connection was closed', null))
  // ws reports an oversized frame as an error with this code; every error is followed by 'close'.
  socket.on('error', (error: NodeJS.ErrnoException) =>
    end(error.message, error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? 'too-large' : null),
  )
  return link
}
