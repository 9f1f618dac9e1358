/**
 * The worker that fetches, decodes and indexes messages, so that the page's own thread only draws: a page of 100,000 is 10 MB of JSON.
 */
import type { Params } from '../../contract/api.ts'
import type { MessagesHead, MessagesPage } from '../../contract/messages.ts'
import { fail, ok, type Result } from '../../contract/result.ts'
import type { PanelShell, ShellDoor } from '../../contract/shell.ts'
import { MessageIndex, type Drawn, type MessageRow, type MessageSummary } from '../lib/message-index.ts'
import { createBrowserShell } from '../shell/browser-shell.ts'
import { askByPort, type AskMessages } from '../shell/worker-port.ts'

export type ToIndex =
  /** The first: where the host is asked. */
  | { readonly type: 'door'; readonly door: ShellDoor | MessagePort }
  /** Asks the host by itself; the newest of these wins. */
  | { readonly type: 'fetch'; readonly turn: number; readonly params: Params<'messages'> }
  | { readonly type: 'visible'; readonly turn: number; readonly from: number; readonly to: number; readonly pixels: number }
  | {
      readonly type: 'list'
      readonly turn: number
      readonly from: number
      readonly to: number
      readonly offset: number
      readonly limit: number
    }
  | { readonly type: 'find'; readonly turn: number; readonly id: number }
  | {
      readonly type: 'step'
      readonly turn: number
      readonly id: number | null
      readonly at: number
      readonly row: number
      readonly by: -1 | 0 | 1
    }

export type FromIndex =
  /** An answer came. The index holds its messages where `rows` is not null: the limit cut none off, and nothing newer was asked. */
  | { readonly type: 'loaded'; readonly turn: number; readonly result: Result<MessagesHead>; readonly rows: readonly MessageRow[] | null }
  | { readonly type: 'visible'; readonly turn: number; readonly drawn: Drawn }
  | { readonly type: 'list'; readonly turn: number; readonly total: number; readonly messages: readonly MessageSummary[] }
  | { readonly type: 'one'; readonly turn: number; readonly message: MessageSummary | null }

let index: MessageIndex | null = null
let askHost: AskMessages | null = null
let newest = 0

function load(turn: number, page: MessagesPage): FromIndex {
  const { packed: _, ...head } = page
  if (turn !== newest || page.total > page.count) return { type: 'loaded', turn, result: ok(head), rows: null }
  const made = MessageIndex.of(page)
  if (made === null)
    return { type: 'loaded', turn, result: fail('internal', 'The answer does not hold the messages that it names.'), rows: null }
  index = made
  return { type: 'loaded', turn, result: ok(head), rows: made.rows }
}

function askBy(door: ShellDoor | MessagePort): AskMessages {
  if (door instanceof MessagePort) return askByPort(door)
  // Whether the token is good is found out by the page, which cannot go on without it.
  const shell = connected(createBrowserShell({ ...door, tokenAccepted: () => Promise.resolve(true), onRefused: () => undefined }))
  return async (params) => (await shell).call('messages', params)
}

async function fetchPage({ turn, params }: Extract<ToIndex, { type: 'fetch' }>, ask: AskMessages): Promise<FromIndex> {
  const result = await ask(params)
  return result.ok ? load(turn, result.value) : { type: 'loaded', turn, result, rows: null }
}

const connected = (made: PanelShell): Promise<PanelShell> =>
  new Promise((resolve) => {
    made.onConnection((state) => {
      if (state === 'connected') resolve(made)
    })
  })

/** The arrays are given away, not copied. */
const buffersOf = (drawn: Drawn): Transferable[] =>
  Object.values(drawn).flatMap((column: unknown) =>
    column instanceof Float64Array || column instanceof Int32Array ? [column.buffer as ArrayBuffer] : [],
  )

type Question = Exclude<ToIndex, { type: 'door' | 'fetch' }>

function answer(message: Question): FromIndex | null {
  if (index === null) return null
  const { turn } = message
  switch (message.type) {
    case 'visible':
      return { type: 'visible', turn, drawn: index.visible(message.from, message.to, message.pixels) }
    case 'list':
      return { type: 'list', turn, ...index.list(message.from, message.to, message.offset, message.limit) }
    case 'find':
      return { type: 'one', turn, message: index.find(message.id) }
    case 'step':
      return { type: 'one', turn, message: index.step(message.id, message.at, message.row, message.by) }
  }
}

addEventListener('message', (event: MessageEvent<ToIndex>) => {
  const message = event.data
  if (message.type === 'door') {
    askHost = askBy(message.door)
    return
  }
  if (message.type === 'fetch') {
    newest = message.turn
    if (askHost !== null) void fetchPage(message, askHost).then((reply) => postMessage(reply))
    return
  }
  const reply = answer(message)
  if (reply !== null) postMessage(reply, { transfer: reply.type === 'visible' ? buffersOf(reply.drawn) : [] })
})
