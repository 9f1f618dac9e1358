/** The tray icon, while the panel runs without its window. */
import { existsSync } from 'node:fs'
import { Menu, nativeImage, Tray } from 'electron'
import { icon } from './paths.ts'
import type { Texts } from './texts.ts'

export interface TrayActions {
  show(): void
  quit(): void
}

/** Sets the icon's menu, anew in another language. */
export const setTrayMenu = (tray: Tray, texts: Texts, actions: TrayActions): void =>
  tray.setContextMenu(
    Menu.buildFromTemplate([
      { label: texts.show, click: () => actions.show() },
      { label: texts.quit, click: () => actions.quit() },
    ]),
  )

/** Shows the icon. null where the desktop has no tray: the caller keeps the window then. */
export const createTray = (texts: Texts, actions: TrayActions): Tray | null => {
  if (!existsSync(icon)) return null
  try {
    const tray = new Tray(nativeImage.createFromPath(icon).resize({ width: 22, height: 22 }))
    tray.setToolTip('PBFT Panel')
    setTrayMenu(tray, texts, actions)
    tray.on('click', () => actions.show())
    return tray
  } catch {
    return null
  }
}
