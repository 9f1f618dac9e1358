/** The worker with the index of messages, as promises. Only the newest question of what is in sight is put to it. */
import { onBeforeUnmount, shallowRef } from 'vue'
import type { Params } from '../../contract/api.ts'
import type { MessagesHead } from '../../contract/messages.ts'
import type { Result } from '../../contract/result.ts'
import type { ShellDoor } from '../../contract/shell.ts'
import type { Drawn, MessageRow, MessageSummary } from '../lib/message-index.ts'
import { askForPort } from '../shell/worker-port.ts'
import { useLink } from '../stores/link.ts'
import type { FromIndex, ToIndex } from '../workers/messages.ts'

export interface MessageList {
  readonly total: number
  readonly messages: readonly MessageSummary[]
}

type Question = Exclude<ToIndex, { type: 'door' }>
/** A question before it has its turn. */
type Asked<T extends Question['type']> = Omit<Extract<Question, { type: T }>, 'turn' | 'type'>

/** The worker asks the host past this thread: a page of messages is 10 MB. */
function openDoor(worker: Worker, given: ShellDoor | null): void {
  // A copy: a store's own objects are proxies, which cannot be sent.
  const door = given === null ? askForPort() : { ...given }
  worker.postMessage({ type: 'door', door } satisfies ToIndex, door instanceof MessagePort ? [door] : [])
}

export function useMessageIndex() {
  const link = useLink()
  const worker = new Worker(new URL('../workers/messages.ts', import.meta.url), { type: 'module' })
  const drawn = shallowRef<Drawn | null>(null)
  const rows = shallowRef<readonly MessageRow[]>([])
  const kinds = shallowRef<readonly string[]>([])
  const waiting = new Map<number, (answer: FromIndex) => void>()
  let turn = 0
  let looking = false
  let next: Asked<'visible'> | null = null

  const put = (message: Question): void => worker.postMessage(message)
  openDoor(worker, link.door)

  function look(wanted: Asked<'visible'>): void {
    if (looking) {
      next = wanted
      return
    }
    looking = true
    turn += 1
    put({ type: 'visible', turn, ...wanted })
  }

  function onSeen(seen: Drawn): void {
    drawn.value = seen
    looking = false
    if (next === null) return
    const wanted = next
    next = null
    look(wanted)
  }

  worker.onmessage = (event: MessageEvent<FromIndex>) => {
    const message = event.data
    switch (message.type) {
      case 'visible':
        return onSeen(message.drawn)
      case 'loaded':
        if (message.rows === null || !message.result.ok) break
        rows.value = message.rows
        kinds.value = message.result.value.kinds
    }
    waiting.get(message.turn)?.(message)
    waiting.delete(message.turn)
  }
  onBeforeUnmount(() => worker.terminate())

  const ask = (message: (turn: number) => Question): Promise<FromIndex> =>
    new Promise((resolve) => {
      turn += 1
      waiting.set(turn, resolve)
      put(message(turn))
    })

  async function one(message: (turn: number) => Question): Promise<MessageSummary | null> {
    const answer = await ask(message)
    return answer.type === 'one' ? answer.message : null
  }

  /** Fetches messages into the index; `held` when it has all of them now. */
  async function hold(params: Params<'messages'>): Promise<{ readonly result: Result<MessagesHead>; readonly held: boolean }> {
    const answer = await ask((mine) => ({ type: 'fetch', turn: mine, params }))
    if (answer.type !== 'loaded') throw new Error('the worker answered another question')
    return { result: answer.result, held: answer.rows !== null }
  }

  return {
    drawn,
    rows,
    kinds,
    look,
    hold,
    find: (id: number) => one((mine) => ({ type: 'find', turn: mine, id })),
    step: (wanted: Asked<'step'>) => one((mine) => ({ type: 'step', turn: mine, ...wanted })),
    async list(wanted: Asked<'list'>): Promise<MessageList> {
      const answer = await ask((mine) => ({ type: 'list', turn: mine, ...wanted }))
      return answer.type === 'list' ? answer : { total: 0, messages: [] }
    },
  }
}
