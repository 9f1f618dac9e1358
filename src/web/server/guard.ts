/**
 * Who may talk to the shell. A page of another site can make the user's browser send requests here: the Host check stops DNS
 * rebinding, the Origin check stops other pages, and the session token stops everyone else on the machine.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { RefusalReason } from './counters.ts'

/** 32 random bytes, in characters that a WebSocket subprotocol may have. */
export const createToken = (): string => randomBytes(32).toString('base64url')

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/** In a time that does not depend on where the two differ. */
export const sameToken = (given: string, expected: string): boolean => timingSafeEqual(digest(given), digest(expected))

/** The name of the subprotocol that carries the token, and of the one that the server picks. */
export const tokenProtocolPrefix = 'token.'
export const panelProtocol = 'pbft-panel'

/** The token out of `Authorization: Bearer` or out of the WebSocket's subprotocols; null when there is none. */
export const tokenOf = (request: IncomingMessage): string | null => {
  const bearer = /^Bearer ([A-Za-z0-9_-]{1,256})$/i.exec(request.headers.authorization ?? '')
  if (bearer !== null) return bearer[1] ?? null
  const protocols = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((part) => part.trim())
  return protocols.find((part) => part.startsWith(tokenProtocolPrefix))?.slice(tokenProtocolPrefix.length) ?? null
}

const wildcards = new Set(['0.0.0.0', '::'])
const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** Host name and port of a Host header; null when it is none. */
const splitHost = (header: string): { readonly name: string; readonly port: number } | null => {
  const found = /^(\[[0-9a-f:.]+\]|[^:\s/?#@[\]]+)(?::(\d{1,5}))?$/i.exec(header)
  if (found?.[1] === undefined) return null
  return { name: found[1].replace(/^\[|\]$/g, '').toLowerCase(), port: found[2] === undefined ? 80 : Number(found[2]) }
}

/**
 * Whether a Host header names us. Bound to one address, that address (and, on loopback, its usual names) does; bound to all,
 * any literal address does, since rebinding needs a name.
 */
export const isOurHost = (header: string | undefined, bound: { readonly host: string; readonly port: number }): boolean => {
  const given = splitHost(header ?? '')
  if (given === null || given.port !== bound.port) return false
  const host = bound.host.toLowerCase()
  if (given.name === host) return true
  if (loopback.has(host)) return loopback.has(given.name)
  if (!wildcards.has(host)) return false
  return isIP(given.name) !== 0 || loopback.has(given.name) || given.name === hostname().toLowerCase()
}

/** No Origin (not a page), or the page that this server itself served. `Sec-Fetch-Site` says so even where Origin is left out. */
export const isOurOrigin = (request: IncomingMessage): boolean => {
  const { origin, host } = request.headers
  const site = request.headers['sec-fetch-site']
  if (site === 'cross-site' || site === 'same-site') return false
  return origin === undefined || origin.toLowerCase() === `http://${(host ?? '').toLowerCase()}`
}

/** Why a request may not pass; null when it may. The token is asked for last: a stranger learns nothing about it. */
export const refusalOf = (
  request: IncomingMessage,
  bound: { readonly host: string; readonly port: number },
  token: string | null,
): Extract<RefusalReason, 'host' | 'origin' | 'token'> | null => {
  if (!isOurHost(request.headers.host, bound)) return 'host'
  if (token === null) return null
  if (!isOurOrigin(request)) return 'origin'
  const given = tokenOf(request)
  return given !== null && sameToken(given, token) ? null : 'token'
}
