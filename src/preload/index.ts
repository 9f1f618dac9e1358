/** What Electron's page gets of the world outside: the contract, by named functions. Nothing of Node, nothing of Electron. */
import { contextBridge, ipcRenderer } from 'electron'
import { methods, type Method } from '../contract/api.ts'
import type { EventBatch } from '../contract/events.ts'
import { fail } from '../contract/result.ts'
import {
  ipcChannelOf,
  ipcEvents,
  ipcLanguage,
  ipcNotify,
  ipcPickFile,
  ipcSubscribe,
  ipcWorkerPort,
  type PanelShell,
} from '../contract/shell.ts'

const listeners = new Set<(batch: EventBatch) => void>()

ipcRenderer.on(ipcEvents, (_event, batch: EventBatch) => {
  for (const listener of listeners) listener(batch)
})

const call = (method: Method, params: unknown): Promise<unknown> =>
  methods.includes(method) ? ipcRenderer.invoke(ipcChannelOf(method), params) : Promise.resolve(fail('not-found', 'There is no such call.'))

const shell: PanelShell = {
  kind: 'electron',
  door: null,
  call: call as PanelShell['call'],
  onEvents(listener) {
    listeners.add(listener)
    ipcRenderer.send(ipcSubscribe, true)
    return () => {
      listeners.delete(listener)
      if (listeners.size === 0) ipcRenderer.send(ipcSubscribe, false)
    }
  },
  // The page and its host are one app: while there is a page, it is connected.
  onConnection(listener) {
    listener('connected')
    return () => undefined
  },
  notifications: () => 'on',
  allowNotifications: () => Promise.resolve(),
  notify: (attention) => ipcRenderer.send(ipcNotify, attention),
  setLanguage: (locale) => ipcRenderer.send(ipcLanguage, locale),
  pickFile: () => ipcRenderer.invoke(ipcPickFile),
}

contextBridge.exposeInMainWorld('panelShell', shell)

// No function of the bridge can be handed a port: the page posts it to its own window.
window.addEventListener('message', (event) => {
  const [port] = event.ports
  if (event.source !== window || event.origin !== location.origin || event.data !== ipcWorkerPort || port === undefined) return
  ipcRenderer.postMessage(ipcWorkerPort, null, [port])
})
