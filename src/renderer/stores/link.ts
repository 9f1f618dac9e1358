/**
 * The panel's tie to its host: calls, events, and whether what is on the screen can still be called live. Nothing looks live two
 * seconds after the last word from the host, whatever the transport claims.
 */
import { useIntervalFn } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { Method, Params, ResultOf } from '../../contract/api.ts'
import type { PanelEvent } from '../../contract/events.ts'
import type { Result } from '../../contract/result.ts'
import type { ConnectionState } from '../../contract/shell.ts'
import { visible } from '../lib/format.ts'
import { useShell } from '../shell/current-shell.ts'

const tickMs = 250
const pingAfterMs = 800
const staleAfterMs = 1_500

export const useLink = defineStore('link', () => {
  const shell = useShell()
  const connection = ref<ConnectionState>('connecting')
  /** This machine's clock, ms; advances four times a second and drives everything relative. */
  const now = ref(Date.now())
  const lastWordAt = ref(0)
  const listeners = new Set<(event: PanelEvent) => void>()
  let pinging = false

  const everConnected = computed(() => lastWordAt.value > 0)
  const stale = computed(() => everConnected.value && (connection.value !== 'connected' || now.value - lastWordAt.value > staleAfterMs))

  async function call<M extends Method>(method: M, params: Params<M>): Promise<Result<ResultOf<M>>> {
    const result = await shell.call(method, params)
    if (result.ok || result.error.code !== 'cancelled') lastWordAt.value = Date.now()
    // A refusal can quote what it refuses.
    return result.ok ? result : { ok: false, error: { ...result.error, message: visible(result.error.message) } }
  }

  /** Hears every event from now on. Returns the unsubscribe. */
  function onEvent(listener: (event: PanelEvent) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  async function ping(): Promise<void> {
    if (pinging) return
    pinging = true
    await call('host', {})
    pinging = false
  }

  shell.onConnection((state) => {
    connection.value = state
  })
  shell.onEvents((batch) => {
    lastWordAt.value = Date.now()
    for (const event of batch.events) for (const listener of listeners) listener(event)
  })
  useIntervalFn(() => {
    now.value = Date.now()
    if (connection.value === 'connected' && now.value - lastWordAt.value > pingAfterMs) void ping()
  }, tickMs)

  return { kind: shell.kind, door: shell.door, connection, now, lastWordAt, stale, everConnected, call, onEvent }
})
