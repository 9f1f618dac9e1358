/** The contract over IPC: one channel per method, the event stream, the file picker. Every message's sender is checked. */
import * as v from 'valibot'
import {
  dialog,
  ipcMain,
  type BrowserWindow,
  type IpcMainEvent,
  type IpcMainInvokeEvent,
  type MessagePortMain,
  type WebContents,
} from 'electron'
import type { Host } from '../cluster/host-interface.ts'
import { methods } from '../contract/api.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { locales, type Locale } from '../contract/screens.ts'
import {
  attentionSchema,
  ipcChannelOf,
  ipcEvents,
  ipcLanguage,
  ipcNotify,
  ipcPickFile,
  ipcSubscribe,
  ipcWorkerPort,
  portQuestionSchema,
  type Attention,
  type PortAnswer,
} from '../contract/shell.ts'
import { pageOrigin } from './protocol.ts'

/** Only the main frame of our own window, showing our own page, is listened to. */
const isOurPage = (event: IpcMainEvent | IpcMainInvokeEvent, window: BrowserWindow | null): boolean => {
  const frame = event.senderFrame
  if (window === null || window.isDestroyed() || frame === null || event.sender !== window.webContents) return false
  return frame === window.webContents.mainFrame && frame.url.startsWith(`${pageOrigin}/`)
}

const refused = fail('unauthorized', 'Only the panel itself may ask.')

const pickFile = async (window: BrowserWindow): Promise<Result<string | null>> => {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    properties: ['openFile'],
    filters: [{ name: 'cluster.json', extensions: ['json'] }],
  })
  return ok(canceled ? null : (filePaths[0] ?? null))
}

/** Sends events to a page until it goes away, loads anew or asks for no more. */
const createEventSender = (host: Host) => {
  let stop = (): void => undefined
  return {
    stop: () => stop(),
    start(page: WebContents) {
      stop()
      stop = host.subscribe(null, (batch) => {
        if (!page.isDestroyed() && !page.isCrashed()) page.send(ipcEvents, batch)
      })
    },
  }
}

/** Answers a worker of the page by the port that it was given; the one that comes next takes its place. */
const createPortServer = (host: Host, log: (line: string) => void) => {
  let port: MessagePortMain | null = null
  const stop = (): void => {
    port?.close()
    port = null
  }
  return {
    stop,
    start(given: MessagePortMain) {
      stop()
      port = given
      given.on('message', ({ data }) => {
        const question = v.safeParse(portQuestionSchema, data)
        if (!question.success) return log('denied: a worker asked what it may not')
        const { id, method, params } = question.output
        void host.call(method, params).then((result) => {
          // The one that asked may be gone by now.
          if (port === given) given.postMessage({ id, result } satisfies PortAnswer)
        })
      })
      given.start()
    },
  }
}

export interface IpcOptions {
  readonly host: Host
  /** The one window, null while there is none. */
  window(): BrowserWindow | null
  /** The page speaks another language now. */
  onLanguage(locale: Locale): void
  /** The page wants the user's attention. */
  onNotify(attention: Attention): void
  log(line: string): void
}

/** Registers every channel there is. */
export const registerIpc = ({ host, window, onLanguage, onNotify, log }: IpcOptions): { pageGone(): void } => {
  const events = createEventSender(host)
  const worker = createPortServer(host, log)
  const check = (event: IpcMainEvent | IpcMainInvokeEvent, channel: string): boolean => {
    const ours = isOurPage(event, window())
    if (!ours) log(`denied: ${channel} from ${event.senderFrame?.url ?? 'a frame that is gone'}`)
    return ours
  }
  for (const method of methods) {
    const channel = ipcChannelOf(method)
    ipcMain.handle(channel, (event, params: unknown) => (check(event, channel) ? host.call(method, params) : refused))
  }
  ipcMain.handle(ipcPickFile, (event) => {
    const parent = window()
    return check(event, ipcPickFile) && parent !== null ? pickFile(parent) : refused
  })
  ipcMain.on(ipcLanguage, (event, wanted: unknown) => {
    if (!check(event, ipcLanguage)) return
    const locale = locales.find((known) => known === wanted)
    if (locale === undefined) log('denied: the page asked for a language that there is none of')
    else onLanguage(locale)
  })
  ipcMain.on(ipcNotify, (event, wanted: unknown) => {
    if (!check(event, ipcNotify)) return
    const attention = v.safeParse(attentionSchema, wanted)
    if (attention.success) onNotify(attention.output)
    else log('denied: the page asked for a notification that is none')
  })
  ipcMain.on(ipcSubscribe, (event, wanted: unknown) => {
    if (!check(event, ipcSubscribe)) return
    if (wanted === true) events.start(event.sender)
    else events.stop()
  })
  ipcMain.on(ipcWorkerPort, (event) => {
    const [port] = event.ports
    if (check(event, ipcWorkerPort) && port !== undefined) worker.start(port)
  })
  return {
    pageGone() {
      events.stop()
      worker.stop()
    },
  }
}
