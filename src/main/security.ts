/** What no page may do here, whoever made it: leave, open windows, embed views, ask for devices, talk to the network. */
import { app, shell, type Session, type WebContents } from 'electron'
import { pageOrigin } from './protocol.ts'

/** Where links may lead, in the user's own browser. */
const externalAllowed: readonly string[] = ['https://github.com/', 'https://pmg.csail.mit.edu/']

const isOurs = (address: string): boolean => address === pageOrigin || address.startsWith(`${pageOrigin}/`)

/** Opens an address in the user's browser when it is on the list; anything else is dropped. */
const openOutside = (address: string): void => {
  if (externalAllowed.some((prefix) => address.startsWith(prefix))) void shell.openExternal(address)
}

const harden = (contents: WebContents, log: (line: string) => void): void => {
  const deny = (event: { preventDefault(): void }, what: string): void => {
    event.preventDefault()
    log(`denied: ${what}`)
  }
  contents.on('will-navigate', (event, address) => {
    if (isOurs(address)) return
    deny(event, `navigation to ${address}`)
    openOutside(address)
  })
  contents.on('will-redirect', (event, address) => {
    if (!isOurs(address)) deny(event, `redirection to ${address}`)
  })
  contents.on('will-attach-webview', (event) => deny(event, 'a webview'))
  contents.setWindowOpenHandler(({ url }) => {
    log(`denied: a window for ${url}`)
    openOutside(url)
    return { action: 'deny' }
  })
}

/** For every page of the app, also ones that are made later. */
export const hardenAll = (log: (line: string) => void): void => {
  app.on('web-contents-created', (_event, contents) => harden(contents, log))
}

/** Our page may copy text; no page gets anything else. */
export const denyPermissions = (session: Session, log: (line: string) => void): void => {
  const allowed = (permission: string, address: string): boolean => permission === 'clipboard-sanitized-write' && isOurs(address)
  session.setPermissionRequestHandler((_contents, permission, answer, details) => {
    const granted = allowed(permission, details.requestingUrl)
    if (!granted) log(`denied: permission ${permission}`)
    answer(granted)
  })
  session.setPermissionCheckHandler((_contents, permission, origin) => allowed(permission, origin.replace(/\/$/, '')))
  session.setDevicePermissionHandler(() => false)
  session.setSpellCheckerEnabled(false)
}

/** Nothing goes out: the app works without any network, so a request to one is a mistake or an attack. */
export const denyNetwork = (session: Session, log: (line: string) => void): void => {
  session.webRequest.onBeforeRequest((details, answer) => {
    const ours = isOurs(details.url) || /^(data|blob|devtools|chrome-extension):/.test(details.url)
    if (!ours) log(`denied: a request to ${details.url}`)
    answer({ cancel: !ours })
  })
}
