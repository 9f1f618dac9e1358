/** Electron's main process: the app's life from start to end. What it shows and does is the host's and the page's business. */
import { app, dialog, session, shell, type BrowserWindow, type Tray } from 'electron'
import { createHost } from '../cluster/host.ts'
import type { Attention } from '../contract/shell.ts'
import type { Screen } from '../contract/screens.ts'
import type { Host } from '../cluster/host-interface.ts'
import { openLocalCluster } from '../cluster/open-local.ts'
import { showAttention } from './attention.ts'
import { askHowToClose } from './closing.ts'
import { registerIpc } from './ipc.ts'
import { launchInElectron } from './launch-electron.ts'
import { openLog } from './log.ts'
import { setMenu } from './menu.ts'
import { entries, foldersOf, pageFolder, sampleRun, scenariosFolder, version } from './paths.ts'
import { pageUrl, registerScheme, servePage } from './protocol.ts'
import { denyNetwork, denyPermissions, hardenAll } from './security.ts'
import { textsOf, type Texts } from './texts.ts'
import { createTray, setTrayMenu, type TrayActions } from './tray.ts'
import { createWindow, showWindow } from './window.ts'

const args = process.argv.slice(1)
const folders = foldersOf(args)
if (folders.profileFolder !== null) app.setPath('userData', folders.profileFolder)
app.setName('PBFT Panel')
// Root can only run Chromium without its sandbox and has to ask for that; enabling it all the same would end every child of it.
if (!app.commandLine.hasSwitch('no-sandbox')) app.enableSandbox()
registerScheme()

/** After this long an orderly stop is given up; children end by themselves when this process is gone. */
const stopMaxMs = 10_000

interface Panel {
  readonly host: Host
  texts: Texts
  window: BrowserWindow | null
  tray: Tray | null
  quitting: boolean
}

const show = (panel: Panel): void => {
  panel.tray?.destroy()
  panel.tray = null
  if (panel.window !== null) showWindow(panel.window)
}

const trayActions = (panel: Panel): TrayActions => ({ show: () => show(panel), quit: () => app.quit() })

const onClose = async (panel: Panel, window: BrowserWindow): Promise<void> => {
  const choice = await askHowToClose(window, panel.host, panel.texts)
  if (choice === 'stop') return app.quit()
  if (choice === 'cancel') return
  panel.tray ??= createTray(panel.texts, trayActions(panel))
  if (panel.tray === null) window.minimize()
  else window.hide()
}

const openWindow = (panel: Panel, pageGone: () => void): void => {
  const window = createWindow()
  panel.window = window
  window.on('close', (event) => {
    if (panel.quitting) return
    event.preventDefault()
    void onClose(panel, window)
  })
  window.on('closed', () => {
    panel.window = null
    pageGone()
  })
  window.webContents.on('render-process-gone', () => {
    pageGone()
    if (!panel.quitting) window.webContents.reload()
  })
}

const stopBeforeQuit = (panel: Panel): void => {
  app.on('before-quit', (event) => {
    if (panel.quitting) return event.preventDefault()
    event.preventDefault()
    panel.quitting = true
    const deadline = setTimeout(() => app.exit(1), stopMaxMs)
    void panel.host.close().then(() => {
      clearTimeout(deadline)
      app.exit(0)
    })
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => app.quit())
}

const start = async (log: (line: string) => void): Promise<void> => {
  await app.whenReady()
  servePage(session.defaultSession, pageFolder)
  denyPermissions(session.defaultSession, log)
  denyNetwork(session.defaultSession, log)
  const host = createHost({
    dataFolder: folders.dataFolder,
    logsFolder: folders.logsFolder,
    scenariosFolder,
    sampleRun,
    shell: 'electron',
    version,
    locale: app.getLocale(),
    launch: launchInElectron,
    entries,
  })
  const panel: Panel = { host, texts: textsOf(app.getLocale()), window: null, tray: null, quitting: false }
  stopBeforeQuit(panel)
  const actions = {
    goTo: (screen: Screen) => void panel.window?.loadURL(`${pageUrl}#/${screen}`),
    healAll: () => void host.call('healAll', {}),
    closeCluster: () => void host.call('closeCluster', {}),
    openLogs: () => void shell.openPath(folders.logsFolder),
  }
  const speak = (locale: string): void => {
    panel.texts = textsOf(locale)
    setMenu(panel.texts, actions, !app.isPackaged)
    if (panel.tray !== null) setTrayMenu(panel.tray, panel.texts, trayActions(panel))
  }
  speak(app.getLocale())
  const attend = (attention: Attention): void => {
    if (panel.window?.isFocused() !== true) showAttention(attention, () => show(panel), log)
  }
  const { pageGone } = registerIpc({
    host,
    window: () => panel.window,
    onLanguage: speak,
    onNotify: attend,
    log,
  })
  openWindow(panel, pageGone)
  app.on('second-instance', () => show(panel))
  app.on('activate', () => show(panel))
  if (args.includes('--local-cluster')) void openLocalCluster(host, null)
}

if (app.requestSingleInstanceLock()) {
  const log = openLog(folders.logsFolder)
  hardenAll(log)
  start(log).catch((error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    log(message)
    dialog.showErrorBox(textsOf(app.getLocale()).cannotStart, message)
    app.exit(1)
  })
} else app.exit(0)
