/** How a worker asks Electron's host by itself: a port whose other end the preload hands on. */
import type { Params, ResultOf } from '../../contract/api.ts'
import type { Result } from '../../contract/result.ts'
import { ipcWorkerPort, type PortAnswer, type PortQuestion } from '../../contract/shell.ts'

/** On the page: the worker's end. The one that was asked for before is closed by the host. */
export function askForPort(): MessagePort {
  const { port1, port2 } = new MessageChannel()
  window.postMessage(ipcWorkerPort, location.origin, [port2])
  return port1
}

export type AskMessages = (params: Params<'messages'>) => Promise<Result<ResultOf<'messages'>>>

/** In the worker: asks by its end. */
export function askByPort(port: MessagePort): AskMessages {
  const waiting = new Map<number, (result: PortAnswer['result']) => void>()
  let nextId = 1
  port.onmessage = ({ data }: MessageEvent<PortAnswer>) => {
    waiting.get(data.id)?.(data.result)
    waiting.delete(data.id)
  }
  return (params) =>
    new Promise((resolve) => {
      const id = nextId++
      waiting.set(id, resolve)
      port.postMessage({ id, method: 'messages', params } satisfies PortQuestion)
    })
}
