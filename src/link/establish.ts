/** Runs a handshake over an open WebSocket and makes the link of it. */
import type { WebSocket } from 'ws'
import { handshakeBytesMax, type Handshake, type Session } from './handshake.ts'
import type { HandshakeFailure } from './rejections.ts'

/** Longest time from an open socket to an established link, ms. */
export const handshakeTimeoutMs = 5_000
/** WebSocket close code of a refused handshake; its reason is the `HandshakeFailure`. */
const refusedCode = 4_001

export interface Establishment {
  /** Makes the link; called in the same turn in which the last handshake message came, so that no frame is lost. */
  onSession(session: Session): void
  /** The handshake failed; `remote` when it was the other side that refused. Called at most once, never after `onSession`. */
  onFailed(reason: HandshakeFailure, detail: string, remote: boolean): void
  /** The socket closed or broke before the end, without a reason of the protocol. */
  onLost(detail: string): void
}

/** Drives `handshake`; `first` is sent at once when there is one. */
export const establish = (socket: WebSocket, handshake: Handshake, first: Uint8Array | null, outcome: Establishment): void => {
  let settled = false
  const settle = (): boolean => {
    if (settled) return false
    settled = true
    clearTimeout(timer)
    socket.off('message', onMessage)
    socket.off('close', onClose)
    return true
  }
  const refuse = (reason: HandshakeFailure, detail: string): void => {
    if (!settle()) return
    outcome.onFailed(reason, detail, false)
    socket.close(refusedCode, reason)
    // A peer that ignores the close must not keep the socket.
    setTimeout(() => socket.terminate(), 1_000).unref()
  }
  const onMessage = (data: Buffer, isBinary: boolean): void => {
    if (!isBinary || data.length > handshakeBytesMax) {
      refuse('malformed', isBinary ? `a handshake message of ${data.length} bytes` : 'a text message')
      return
    }
    const step = handshake.onMessage(data)
    if (step.kind === 'failed') {
      refuse(step.reason, step.detail)
      return
    }
    if (step.send !== null) socket.send(step.send)
    if (step.kind === 'done' && settle()) {
      socket.off('error', onError)
      outcome.onSession(step.session)
    }
  }
  const onClose = (code: number, reason: Buffer): void => {
    if (!settle()) return
    if (code === refusedCode) outcome.onFailed(asFailure(reason.toString('utf8')), 'it refused the handshake', true)
    else outcome.onLost(code === 1006 ? 'the connection broke' : `the connection was closed (${code})`)
  }
  const onError = (error: Error): void => {
    if (settle()) outcome.onLost(error.message)
    socket.terminate()
  }
  const timer = setTimeout(() => refuse('timeout', `no handshake within ${handshakeTimeoutMs} ms`), handshakeTimeoutMs)
  socket.on('message', onMessage)
  socket.on('close', onClose)
  socket.on('error', onError)
  if (first !== null) socket.send(first)
}

const known: readonly HandshakeFailure[] = [
  'wrong-cluster',
  'wrong-peer',
  'unknown-peer',
  'wrong-key',
  'bad-signature',
  'not-operator',
  'timeout',
  'too-many',
]
const asFailure = (text: string): HandshakeFailure => known.find((reason) => reason === text) ?? 'malformed'
