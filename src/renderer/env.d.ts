import type { PanelShell } from '../contract/shell.ts'

declare global {
  interface Window {
    /** Put there by Electron's preload; absent in a browser. */
    readonly panelShell?: PanelShell
  }
}
