/**
 * The browser's session token. It arrives in the page's fragment (`#token=...`), which no server sees, moves to this tab's
 * session storage and leaves the address bar, so that neither history nor a copied link carries it.
 */
const storageKey = 'pbft-panel.token'
const pattern = /^[A-Za-z0-9._~-]{1,256}$/

/** True when `text` can be a token: it travels as a WebSocket subprotocol, which allows few characters. */
export const isToken = (text: string): boolean => pattern.test(text)

/** Takes the token out of a fragment such as `#token=abc` or `#/log?token=abc`; gives the fragment without it. */
export function splitFragment(fragment: string): { token: string | null; rest: string } {
  const found = /(^#|[&?])token=([^&]*)/.exec(fragment)
  if (found === null) return { token: null, rest: fragment }
  let token: string | null = null
  try {
    token = decodeURIComponent(found[2] ?? '')
  } catch {
    // A broken escape is no token; the page will ask for one.
  }
  const rest = fragment.replace(found[0], found[1] === '#' ? '#' : (found[1] ?? '')).replace(/[?&#]$/, '')
  return { token: token !== null && isToken(token) ? token : null, rest: rest.replace(/^#&/, '#') }
}

/** Reads the token of this tab, moving it out of the address first. Null when there is none. */
export function takeToken(): string | null {
  const { token, rest } = splitFragment(location.hash)
  if (rest !== location.hash) history.replaceState(null, '', location.pathname + location.search + rest)
  if (token !== null) sessionStorage.setItem(storageKey, token)
  return token ?? sessionStorage.getItem(storageKey)
}

export const keepToken = (token: string): void => sessionStorage.setItem(storageKey, token)
export const dropToken = (): void => sessionStorage.removeItem(storageKey)
