/** The worker that holds the index of messages, so that the page's own thread only draws. */
import type { MessagesPage } from '../../contract/messages.ts'
import { MessageIndex, type Drawn, type MessageRow, type MessageSummary } from '../lib/message-index.ts'

export type ToIndex =
  | { readonly type: 'load'; readonly page: MessagesPage }
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
  | { readonly type: 'loaded'; readonly rows: readonly MessageRow[]; readonly kinds: readonly string[]; readonly count: number }
  | { readonly type: 'malformed' }
  | { readonly type: 'visible'; readonly turn: number; readonly drawn: Drawn }
  | { readonly type: 'list'; readonly turn: number; readonly total: number; readonly messages: readonly MessageSummary[] }
  | { readonly type: 'one'; readonly turn: number; readonly message: MessageSummary | null }

let index: MessageIndex | null = null

function answer(message: ToIndex): FromIndex | null {
  if (message.type === 'load') {
    index = MessageIndex.of(message.page)
    return index === null ? { type: 'malformed' } : { type: 'loaded', rows: index.rows, kinds: message.page.kinds, count: index.count }
  }
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
  const reply = answer(event.data)
  if (reply !== null) postMessage(reply)
})
