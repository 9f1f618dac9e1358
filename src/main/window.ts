/** The one window. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { app, BrowserWindow, nativeTheme, screen } from 'electron'
import { icon, preload } from './paths.ts'
import { pageUrl } from './protocol.ts'
import { loadWindowState, saveWindowState, sizeDefault, sizeMin } from './window-state.ts'

const keepState = (window: BrowserWindow, file: string): void => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const save = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => {
      if (!window.isDestroyed()) void saveWindowState(file, { bounds: window.getNormalBounds(), maximized: window.isMaximized() })
    }, 300)
  }
  window.on('resize', save)
  window.on('move', save)
  window.on('maximize', save)
  window.on('unmaximize', save)
}

/** Makes the window and loads the page; it shows when there is something to see. */
export const createWindow = (): BrowserWindow => {
  const file = join(app.getPath('userData'), 'window.json')
  const screens = screen.getAllDisplays().map((display) => display.workArea)
  const { bounds, maximized } = loadWindowState(file, screens)
  const window = new BrowserWindow({
    ...sizeDefault,
    ...(bounds ?? {}),
    minWidth: sizeMin.width,
    minHeight: sizeMin.height,
    title: 'PBFT Panel',
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#111418' : '#ffffff',
    ...(existsSync(icon) ? { icon } : {}),
    webPreferences: {
      preload,
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      nodeIntegrationInWorker: false,
      nodeIntegrationInSubFrames: false,
      webSecurity: true,
      webviewTag: false,
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  })
  if (maximized) window.maximize()
  keepState(window, file)
  window.once('ready-to-show', () => window.show())
  void window.loadURL(pageUrl)
  return window
}

/** Brings the window to the front, from wherever it is. */
export const showWindow = (window: BrowserWindow): void => {
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}
