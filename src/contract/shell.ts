/** What a shell gives the renderer, the same whether it is Electron's preload or a WebSocket. */
import * as v from 'valibot'
import type { Method, Params, ResultOf } from './api.ts'
import type { EventBatch } from './events.ts'
import type { Result } from './result.ts'
import type { Locale } from './screens.ts'

export interface ShellDoor {
  /** ws: or wss: address of `/api/v1/socket`. */
  readonly socketUrl: string
  readonly token: string
}

export type ConnectionState = 'connecting' | 'connected' | 'lost'

/** What the desktop shows over other windows: plain text. */
export const attentionSchema = v.strictObject({
  title: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  body: v.pipe(v.string(), v.maxLength(1_000)),
})
export type Attention = v.InferOutput<typeof attentionSchema>

export interface PanelShell {
  readonly kind: 'electron' | 'browser'
  /** Where a worker of the page can ask by itself, past the page's own thread; null: by a port, which `askForPort` of the page gets. */
  readonly door: ShellDoor | null
  call<M extends Method>(method: M, params: Params<M>): Promise<Result<ResultOf<M>>>
  /** Delivers from the present on (first a `reset`), and resumes by itself after a lost connection. Returns the unsubscribe. */
  onEvents(listener: (batch: EventBatch) => void): () => void
  onConnection(listener: (state: ConnectionState) => void): () => void
  /** Picks a cluster.json; null when cancelled. The browser shell has none and answers `unsupported` (its page has a text field). */
  pickFile(): Promise<Result<string | null>>
  /** Tells the shell which language the page speaks now, for menus and tray; the browser has none of its own. */
  setLanguage(locale: Locale): void
  /** Whether the desktop shows what `notify` says; `ask`: the user has to allow it first, by `allowNotifications` from a press of a button. */
  notifications(): 'on' | 'ask' | 'off'
  allowNotifications(): Promise<void>
  /** Shown only while the panel is not in front. */
  notify(attention: Attention): void
}

/** Frames of the browser shell's WebSocket (`/api/v1/socket`), JSON text. */
export type ClientFrame =
  | { readonly id: number; readonly method: string; readonly params: unknown }
  | { readonly subscribe: { readonly epoch: string | null; readonly position: number | null } }
  /** Is anybody there? Asked while an answer takes long. */
  | { readonly ping: true }
export type ServerFrame =
  { readonly id: number; readonly result: Result<unknown> } | { readonly events: EventBatch } | { readonly pong: true }

/** IPC channels of Electron: one per method, and these. */
export const ipcChannelOf = (method: Method): string => `panel:call:${method}`
export const ipcSubscribe = 'panel:subscribe'
export const ipcEvents = 'panel:events'
export const ipcLanguage = 'panel:language'
export const ipcNotify = 'panel:notify'
export const ipcPickFile = 'panel:pick-file'
/** By this a worker's port goes to the host: the page posts it to its own window, where the preload takes it. */
export const ipcWorkerPort = 'panel:worker-port'

/** What a worker may ask by its port: recorded messages, since a page of them is 10 MB. The answer is a `PortAnswer`. */
export const portQuestionSchema = v.strictObject({
  id: v.pipe(v.number(), v.safeInteger()),
  method: v.literal('messages'),
  params: v.unknown(),
})
export type PortQuestion = v.InferOutput<typeof portQuestionSchema>
export interface PortAnswer {
  readonly id: number
  readonly result: Result<ResultOf<'messages'>>
}
