/** The native menu, with accelerators. Screens are addresses of the page, so going to one is loading its fragment. */
import { Menu, type MenuItemConstructorOptions } from 'electron'
import { screenKey, screens, type Screen } from '../contract/screens.ts'
import type { Texts } from './texts.ts'

export interface MenuActions {
  /** Shows a screen by its path in the page's router. */
  goTo(screen: Screen): void
  healAll(): void
  closeCluster(): void
  openLogs(): void
}

const goMenu = (texts: Texts, actions: MenuActions): MenuItemConstructorOptions => ({
  label: texts.go,
  submenu: screens.map((screen) => ({
    label: texts[screen],
    ...(screenKey(screen) === null ? {} : { accelerator: `CmdOrCtrl+${screenKey(screen)}` }),
    click: () => actions.goTo(screen),
  })),
})

/** Sets the app's menu. */
export const setMenu = (texts: Texts, actions: MenuActions, isDevelopment: boolean): void => {
  const template: MenuItemConstructorOptions[] = [
    ...(process.platform === 'darwin' ? [{ role: 'appMenu' } as const] : []),
    {
      label: texts.file,
      submenu: [
        { label: texts.healAll, accelerator: 'CmdOrCtrl+Shift+H', click: () => actions.healAll() },
        { label: texts.closeCluster, accelerator: 'CmdOrCtrl+Shift+W', click: () => actions.closeCluster() },
        { type: 'separator' },
        { role: process.platform === 'darwin' ? 'close' : 'quit' },
      ],
    },
    { label: texts.edit, role: 'editMenu' },
    {
      label: texts.view,
      submenu: [
        ...(isDevelopment ? ([{ role: 'reload' }, { role: 'toggleDevTools' }, { type: 'separator' }] as const) : []),
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { type: 'separator' },
        { role: 'togglefullscreen' },
      ],
    },
    goMenu(texts, actions),
    { label: texts.window, role: 'windowMenu' },
    { label: texts.help, role: 'help', submenu: [{ label: texts.openLogs, click: () => actions.openLogs() }] },
  ]
  Menu.setApplicationMenu(Menu.buildFromTemplate(template))
}
