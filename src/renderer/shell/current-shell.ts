/** The one shell of this page. Set once, before the first store is made. */
import type { PanelShell } from '../../contract/shell.ts'
import { createBrowserShell } from './browser-shell.ts'

let shell: PanelShell | null = null

export function useShell(): PanelShell {
  if (shell === null) throw new Error('the shell is used before it is set')
  return shell
}

export const setShell = (value: PanelShell): void => {
  shell = value
}

/** A browser shell to the page's own origin. */
export function connectBrowser(token: string, onRefused: () => void): PanelShell {
  const base = new URL('api/v1/', new URL('/', location.href))
  const socketUrl = new URL('socket', base)
  socketUrl.protocol = socketUrl.protocol === 'https:' ? 'wss:' : 'ws:'
  return createBrowserShell({
    socketUrl: socketUrl.href,
    token,
    tokenAccepted: () => tokenAccepted(new URL('status', base), token),
    onRefused,
  })
}

async function tokenAccepted(url: URL, token: string): Promise<boolean> {
  try {
    const response = await fetch(url, { headers: { authorization: `Bearer ${token}` }, cache: 'no-store' })
    return response.status !== 401 && response.status !== 403
  } catch {
    // The server is away: that says nothing about the token.
    return true
  }
}
