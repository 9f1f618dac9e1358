/**
 * The shell of a page in a browser: the contract over one WebSocket to the server that served the page. It connects again by
 * itself, with growing pauses, and resumes the event stream where it broke off.
 */
import type { Method, Params, ResultOf } from '../../contract/api.ts'
import type { EventBatch } from '../../contract/events.ts'
import { fail, type Result } from '../../contract/result.ts'
import type { ClientFrame, ConnectionState, PanelShell, ServerFrame, ShellDoor } from '../../contract/shell.ts'

const pauseMinMs = 200
const pauseMaxMs = 5_000
/** A socket that owes an answer and says nothing for so long, not even that it is there, is dead, whatever TCP thinks. */
const silenceMaxMs = 10_000
const watchEveryMs = 2_000

export interface BrowserShellOptions extends ShellDoor {
  /** Asks the server over HTTP whether the token is good; false only when it certainly is not. */
  readonly tokenAccepted: () => Promise<boolean>
  /** The server refused the token: no further attempt is made. */
  readonly onRefused: () => void
}

/** Also used in workers, which have none to show. */
const notificationsNow = (): 'on' | 'ask' | 'off' => {
  if (typeof Notification === 'undefined' || Notification.permission === 'denied') return 'off'
  return Notification.permission === 'granted' ? 'on' : 'ask'
}

type Settle = (result: Result<unknown>) => void

/** Opens the connection at once. Answers always settle: a call that was under way when the connection broke fails as `timeout`. */
export function createBrowserShell(options: BrowserShellOptions): PanelShell {
  const waiting = new Map<number, Settle>()
  const eventListeners = new Set<(batch: EventBatch) => void>()
  const connectionListeners = new Set<(state: ConnectionState) => void>()
  let state: ConnectionState = 'connecting'
  let socket: WebSocket | null = null
  let nextId = 1
  let pauseMs = pauseMinMs
  let resume: { epoch: string; position: number } | null = null
  let lastFrameAt = 0
  let retry: ReturnType<typeof setTimeout> | undefined

  const setState = (next: ConnectionState): void => {
    if (next === state) return
    state = next
    for (const listener of connectionListeners) listener(next)
  }

  const send = (frame: ClientFrame): void => socket?.send(JSON.stringify(frame))
  const subscribe = (): void => send({ subscribe: { epoch: resume?.epoch ?? null, position: resume?.position ?? null } })

  function onFrame(text: string): void {
    lastFrameAt = performance.now()
    const frame = JSON.parse(text) as ServerFrame
    if ('events' in frame) {
      resume = { epoch: frame.events.epoch, position: frame.events.position }
      for (const listener of eventListeners) listener(frame.events)
      return
    }
    if ('pong' in frame) return
    const settle = waiting.get(frame.id)
    waiting.delete(frame.id)
    settle?.(frame.result)
  }

  function onClosed(opened: boolean): void {
    socket = null
    for (const settle of waiting.values()) {
      settle(fail('timeout', 'The connection was lost before the answer came; look at the screen for whether it was done.'))
    }
    waiting.clear()
    setState(state === 'connecting' && !opened ? 'connecting' : 'lost')
    const reconnect = (): void => {
      clearTimeout(retry)
      retry = setTimeout(connect, pauseMs * (0.75 + Math.random() * 0.5))
      pauseMs = Math.min(pauseMs * 2, pauseMaxMs)
    }
    if (opened) return reconnect()
    // A browser does not tell a page why a WebSocket was refused, so ask where it may say.
    void options.tokenAccepted().then((accepted) => {
      if (accepted) {
        setState('lost')
        reconnect()
      } else options.onRefused()
    })
  }

  function connect(): void {
    clearTimeout(retry)
    const candidate = new WebSocket(options.socketUrl, ['pbft-panel', `token.${options.token}`])
    let opened = false
    socket = candidate
    candidate.onopen = () => {
      opened = true
      pauseMs = pauseMinMs
      lastFrameAt = performance.now()
      setState('connected')
      if (eventListeners.size > 0) subscribe()
    }
    candidate.onmessage = (message: MessageEvent<unknown>) => {
      if (typeof message.data === 'string') onFrame(message.data)
    }
    candidate.onclose = () => onClosed(opened)
  }

  setInterval(() => {
    if (socket?.readyState !== WebSocket.OPEN || waiting.size === 0) return
    const silentMs = performance.now() - lastFrameAt
    if (silentMs > silenceMaxMs) socket.close()
    else if (silentMs > watchEveryMs) send({ ping: true })
  }, watchEveryMs)
  addEventListener('online', () => {
    if (socket === null) connect()
  })
  connect()

  return {
    kind: 'browser',
    door: { socketUrl: options.socketUrl, token: options.token },
    call<M extends Method>(method: M, params: Params<M>): Promise<Result<ResultOf<M>>> {
      if (socket?.readyState !== WebSocket.OPEN) {
        return Promise.resolve(fail('cancelled', 'The panel is not connected to its host; nothing was sent.'))
      }
      const id = nextId++
      if (waiting.size === 0) lastFrameAt = performance.now()
      return new Promise((resolve) => {
        waiting.set(id, resolve as Settle)
        send({ id, method, params })
      })
    },
    onEvents(listener) {
      eventListeners.add(listener)
      resume = null
      if (socket?.readyState === WebSocket.OPEN) subscribe()
      return () => eventListeners.delete(listener)
    },
    onConnection(listener) {
      connectionListeners.add(listener)
      listener(state)
      return () => connectionListeners.delete(listener)
    },
    setLanguage: () => undefined,
    notifications: () => notificationsNow(),
    allowNotifications: async () => void (await Notification.requestPermission()),
    notify: ({ title, body }) => {
      if (notificationsNow() !== 'on' || document.hasFocus()) return
      const shown = new Notification(title, { body, tag: title })
      shown.onclick = () => {
        window.focus()
        shown.close()
      }
    },
    pickFile: () => Promise.resolve(fail('unsupported', 'A browser cannot name a file on the host: type its path.')),
  }
}
