/** Links of clients: their requests in, replies out. One link carries all sessions of a principal. */
import type { KeyObject } from 'node:crypto'
import type { Link, LinkHandlers } from '../link/index.ts'
import { principalOf } from '../pbft/protocol/ids.ts'
import type { AuthenticationWanted, ClientMessage, Reply, Request } from '../pbft/protocol/messages.ts'
import { encodeMessage } from '../pbft/wire/index.ts'
import type { Count } from './counters.ts'
import type { Inbox } from './inbox.ts'
import type { Patience } from './patience.ts'
import type { Recording } from './recording.ts'
import { createReplyBundles } from './reply-bundles.ts'

/** Most client links at one replica; more are closed. */
const linksMax = 4_096
/** Sessions whose link is remembered; the oldest are forgotten, and their replies go to all links of the principal. */
const routesMax = 65_536
/** Links of a principal whose keys are tried for a session that this replica has not heard from itself. */
const keysTriedMax = 16

export interface ClientsOptions {
  readonly count: Count
  readonly recording: Recording
  readonly patience: Patience
  inboxFor(link: Link, deliver: (request: Request, isUnverified: boolean, wire: Uint8Array) => void): Inbox
  deliver(request: Request, isUnverified: boolean, wire: Uint8Array): void
}

export interface Clients {
  acceptLink(link: Link): LinkHandlers
  /** To the session that it is for, with the other replies of this turn. */
  reply(reply: Reply): void
  wantSignature(message: AuthenticationWanted): void
  /** Key of the MACs that a session most likely made: of the link that it is known to be behind, or of its principal's oldest. */
  requestKey(client: string): KeyObject | null
  /** Those of the principal's other links. */
  otherRequestKeys(client: string): Iterable<KeyObject>
  flush(): void
  /** Cuts all client links, both ways, or heals them. */
  setCut(cut: boolean): void
  readonly connected: number
  close(): void
}

const ignored: LinkHandlers = { onMessages: () => undefined, onClose: () => undefined }

export const createClients = (options: ClientsOptions): Clients => {
  const links = new Map<string, Set<Link>>()
  const routes = new Map<string, Link>()
  const bundles = createReplyBundles(options.recording, options.patience)
  /** Links with something other than replies under way. */
  const unflushed = new Set<Link>()
  let connected = 0
  let cut = false

  const remember = (client: string, link: Link): void => {
    if (routes.get(client) === link) return
    // Set anew, so that the map's order is that of use.
    routes.delete(client)
    routes.set(client, link)
    if (routes.size <= routesMax) return
    const oldest = routes.keys().next().value
    if (oldest !== undefined) routes.delete(oldest)
  }

  const drop = (link: Link): void => {
    const own = links.get(link.peer.name)
    if (own?.delete(link) !== true) return
    connected -= 1
    unflushed.delete(link)
    bundles.drop(link)
    if (own.size === 0) links.delete(link.peer.name)
    for (const [client, route] of routes) if (route === link) routes.delete(client)
  }

  const likelyLink = (client: string): Link | null => {
    const route = routes.get(client)
    if (route !== undefined) return route
    for (const link of links.get(principalOf(client)) ?? []) return link
    return null
  }

  /** The links that a message leaves on; none, which is recorded, when its session is behind none. */
  const linksFor = (message: ClientMessage): Iterable<Link> => {
    const route = routes.get(message.client)
    // Backups learn of a request inside a batch; the session is behind one of its principal's links.
    const own = route === undefined ? links.get(principalOf(message.client)) : [route]
    if (!cut && own !== undefined) return own
    options.recording.sentToClient(message, encodeMessage(message), cut ? 'clients-cut' : 'no-client')
    return []
  }

  return {
    acceptLink(link) {
      if (connected >= linksMax) {
        options.count('too-many-links', `client ${link.peer.name}`)
        link.close('too many client links')
        return ignored
      }
      const own = links.get(link.peer.name) ?? new Set<Link>()
      links.set(link.peer.name, own.add(link))
      connected += 1
      const inbox = options.inboxFor(link, (request, isUnverified, wire) => {
        remember(request.client, link)
        options.deliver(request, isUnverified, wire)
      })
      return {
        onMessages(messages) {
          if (!cut) inbox.take(messages)
          else for (const message of messages) options.recording.refused(link.peer.name, 'clients-cut', message)
        },
        onClose: () => drop(link),
      }
    },
    reply(reply) {
      let isFirst = true
      for (const link of linksFor(reply)) {
        bundles.add(link, reply, isFirst)
        isFirst = false
      }
    },
    wantSignature(message) {
      const bytes = encodeMessage(message)
      let isFirst = true
      for (const link of linksFor(message)) {
        if (isFirst) options.recording.sentToClient(message, bytes, 'sent')
        isFirst = false
        link.send(bytes)
        unflushed.add(link)
      }
    },
    requestKey: (client) => likelyLink(client)?.requestKey ?? null,
    *otherRequestKeys(client) {
      const likely = likelyLink(client)
      let tried = 0
      for (const link of links.get(principalOf(client)) ?? []) {
        if (link === likely) continue
        if (tried++ >= keysTriedMax) return
        yield link.requestKey
      }
    },
    flush() {
      bundles.flush()
      for (const link of unflushed) link.flush()
      unflushed.clear()
    },
    setCut(next) {
      cut = next
    },
    get connected() {
      return connected
    },
    close() {
      for (const own of links.values()) for (const link of own) link.close('this replica stops')
    },
  }
}
