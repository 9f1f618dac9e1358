/** Requests that this panel's host sent, newest first, each with its life so far. */
import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import type { RequestInfo } from '../../contract/model.ts'
import type { Operation } from '../../contract/operations.ts'
import type { PanelError } from '../../contract/result.ts'
import { useLink } from './link.ts'
import { useTimeCursor } from './time-cursor.ts'

const keptMax = 200

/** A name for a request before the host has answered; random so that two pages of one host do not collide. */
const newId = (): string => `panel-${Date.now().toString(36)}-${Math.floor(Math.random() * 1e9).toString(36)}`

export const useRequests = defineStore('requests', () => {
  const link = useLink()
  const cursor = useTimeCursor()
  const list = shallowRef<readonly RequestInfo[]>([])
  /** The request whose life is on the screen. */
  const watched = shallowRef<string | null>(null)
  /** A submit that the host refused, so that it has no life to show. */
  const refused = shallowRef<PanelError | null>(null)
  const submitting = shallowRef(false)

  function take(request: RequestInfo): void {
    const others = list.value.filter((other) => other.id !== request.id)
    const isNew = others.length === list.value.length
    list.value = (isNew ? [request, ...others] : list.value.map((other) => (other.id === request.id ? request : other))).slice(0, keptMax)
  }

  /** Counts the clusters: an answer about an earlier one is not shown. */
  let generation = 0

  async function refresh(): Promise<void> {
    const mine = generation
    const result = await link.call('requests', { limit: keptMax })
    if (result.ok && mine === generation) list.value = [...result.value].sort((a, b) => startOf(b) - startOf(a))
  }

  async function submit(operation: Operation, readOnly: boolean): Promise<void> {
    if (!cursor.live) return
    // The button stays where it is, or the keyboard would lose its place; a second press means nothing.
    if (submitting.value) return
    const id = newId()
    watched.value = id
    refused.value = null
    submitting.value = true
    const result = await link.call('submit', { operation, id, readOnly })
    submitting.value = false
    if (!result.ok && watched.value === id && !list.value.some((request) => request.id === id)) refused.value = result.error
  }

  function forget(): void {
    generation += 1
    list.value = []
    watched.value = null
    refused.value = null
  }

  link.onEvent((event) => {
    if (event.type === 'request') take(event.request)
    else if (event.type === 'reset' || (event.type === 'host' && event.host.phase === 'open')) void refresh()
    else if (event.type === 'host') forget()
  })
  void refresh()

  return { list, keptMax, watched, refused, submitting, submit }
})

const startOf = (request: RequestInfo): number => request.stages[0]?.at ?? 0
