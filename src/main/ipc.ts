/** The contract over IPC: one channel per method, the event stream, the file picker. Every message's sender is checked. */
import { dialog, ipcMain, type BrowserWindow, type IpcMainEvent, type IpcMainInvokeEvent, type WebContents } from 'electron'
import type { Host } from '../cluster/host-interface.ts'
import { methods } from '../contract/api.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { ipcChannelOf, ipcEvents, ipcPickFile, ipcSubscribe } from '../contract/shell.ts'
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

/** Registers every channel there is. `window` gives the one window, null while there is none. */
export const registerIpc = (host: Host, window: () => BrowserWindow | null, log: (line: string) => void): { pageGone(): void } => {
  const events = createEventSender(host)
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
  ipcMain.on(ipcSubscribe, (event, wanted: unknown) => {
    if (!check(event, ipcSubscribe)) return
    if (wanted === true) events.start(event.sender)
    else events.stop()
  })
  return { pageGone: () => events.stop() }
}
