/** `app://panel/`: the built page, and nothing else of the disk. */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import { protocol, type Session } from 'electron'
import { fileOf } from './page-files.ts'

export const pageOrigin = 'app://panel'
export const pageUrl = `${pageOrigin}/index.html`

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
}

/** The page talks to its shell by IPC alone: it connects to nothing. */
const headers = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Before the app is ready: a standard, secure scheme has an origin and a strict policy like https. */
export const registerScheme = (): void =>
  protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } }])

/** Serves the page to one session. */
export const servePage = (session: Session, folder: string): void =>
  session.protocol.handle('app', async (request) => {
    const file = request.method === 'GET' ? fileOf(folder, request.url) : null
    const type = file === null ? undefined : types[extname(file)]
    if (file === null || type === undefined) return new Response('There is no such page.', { status: 404, headers })
    try {
      return new Response(await readFile(file), { headers: { ...headers, 'content-type': type } })
    } catch {
      return new Response('There is no such page.', { status: 404, headers })
    }
  })
