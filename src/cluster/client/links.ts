/** Client links to every replica, shared by all sessions of a principal: requests out, replies to the session they are for. */
import type { Manifest } from '../../contract/manifest.ts'
import { asReplicaId, type ReplicaId } from '../../pbft/protocol/ids.ts'
import type { Reply, Request, RequestAuthentication } from '../../pbft/protocol/messages.ts'
import { decodeMessage, encodeMessage, requestSignedBytes } from '../../pbft/wire/index.ts'
import { dial, sign, type Dialer, type Directory, type Link, type PrivateKey } from '../../link/index.ts'

const pauseMaxMs = 500

export interface ClientLinksOptions {
  readonly directory: Directory
  readonly manifest: Manifest
  readonly principal: { readonly name: string; readonly key: PrivateKey }
}

export class ClientLinks {
  readonly #options: ClientLinksOptions
  readonly #dialers: readonly Dialer[]
  /** By replica; null while the link is down. */
  readonly #links: (Link | null)[]
  readonly #listeners = new Map<string, (from: ReplicaId, reply: Reply) => void>()
  /** Messages from replicas that were no replies. */
  #malformed = 0

  /** Begins to dial every replica at once. */
  constructor(options: ClientLinksOptions) {
    this.#options = options
    this.#links = options.manifest.replicas.map(() => null)
    this.#dialers = options.manifest.replicas.map((member) =>
      dial({
        directory: options.directory,
        identity: { role: 'client', name: options.principal.name, key: options.principal.key },
        to: member,
        pauseMaxMs,
        onLink: (link) => {
          this.#links[member.id] = link
          return {
            onMessages: (messages) => messages.forEach((message) => this.#onMessage(asReplicaId(member.id), message)),
            onClose: () => {
              if (this.#links[member.id] === link) this.#links[member.id] = null
            },
          }
        },
      }),
    )
  }

  get principal(): string {
    return this.#options.principal.name
  }

  get connected(): number {
    return this.#links.filter((link) => link !== null).length
  }

  get malformed(): number {
    return this.#malformed
  }

  /** Replies to `client` go to `listener` until it is removed. */
  listen(client: string, listener: (from: ReplicaId, reply: Reply) => void): () => void {
    this.#listeners.set(client, listener)
    return () => this.#listeners.delete(client)
  }

  /** Sends to those of `to` whose link is up. */
  send(to: readonly ReplicaId[], request: Request): void {
    const bytes = encodeMessage(request)
    for (const id of to) this.#links[id]?.send(bytes)
  }

  /** Signs by the principal's key. */
  authenticate(request: Omit<Request, 'authentication'>): RequestAuthentication {
    const { principal, manifest } = this.#options
    return { kind: 'signature', signature: sign(principal.key, requestSignedBytes(request, manifest.clusterId)) }
  }

  close(): void {
    for (const dialer of this.#dialers) dialer.close()
  }

  #onMessage(from: ReplicaId, bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok || decoded.value.type !== 'reply') {
      this.#malformed += 1
      return
    }
    this.#listeners.get(decoded.value.client)?.(from, decoded.value)
  }
}
