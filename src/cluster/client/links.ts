/** Client links to every replica, shared by all sessions of a principal: requests out, replies to the session they are for. */
import type { KeyObject } from 'node:crypto'
import type { Manifest } from '../../contract/manifest.ts'
import { asReplicaId, type ReplicaId } from '../../pbft/protocol/ids.ts'
import type { ClientInput } from '../../pbft/protocol/client-steps.ts'
import type { Request, RequestAuthentication } from '../../pbft/protocol/messages.ts'
import { faultsTolerated } from '../../pbft/protocol/quorum.ts'
import { decodeMessage, encodeMessage, isBundle, requestBody, requestContext, requestSignedBytes } from '../../pbft/wire/index.ts'
import { dial, makeRequestMacs, sign, type Dialer, type Directory, type Link, type PrivateKey } from '../../link/index.ts'
import { ReplyVotes } from './reply-votes.ts'

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
  /** Of the links; what `connected` and every request would else gather anew. */
  #requestKeys: readonly (KeyObject | null)[] = []
  #connected = 0
  readonly #listeners = new Map<string, (input: ClientInput) => void>()
  readonly #votes: ReplyVotes
  /** Messages from replicas that are none for clients. */
  #malformed = 0

  /** Begins to dial every replica at once. */
  constructor(options: ClientLinksOptions) {
    this.#options = options
    this.#links = options.manifest.replicas.map(() => null)
    this.#votes = new ReplyVotes({
      n: options.manifest.replicas.length,
      deliver: (from, reply) => this.#listeners.get(reply.client)?.({ type: 'replies', from, reply }),
      malformed: () => (this.#malformed += 1),
    })
    this.#dialers = options.manifest.replicas.map((member) =>
      dial({
        directory: options.directory,
        identity: { role: 'client', name: options.principal.name, key: options.principal.key },
        to: member,
        pauseMaxMs,
        onLink: (link) => {
          this.#setLink(member.id, link)
          return {
            onMessages: (messages) => messages.forEach((message) => this.#onMessage(asReplicaId(member.id), message)),
            onClose: () => {
              if (this.#links[member.id] === link) this.#setLink(member.id, null)
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
    return this.#connected
  }

  get malformed(): number {
    return this.#malformed
  }

  /** What replicas say to `client` goes to `listener` until it is removed. */
  listen(client: string, listener: (input: ClientInput) => void): () => void {
    this.#listeners.set(client, listener)
    return () => this.#listeners.delete(client)
  }

  /** Sends to those of `to` whose link is up. */
  send(to: readonly ReplicaId[], request: Request): void {
    const bytes = encodeMessage(request)
    for (const id of to) this.#links[id]?.send(bytes)
  }

  /**
   * Signs by the principal's key; where the manifest says so, and unless `signed`, MACs by the keys of the links instead. Not while more
   * than f links are down: then too few replicas could verify it to vouch for it to the others.
   */
  authenticate(request: Omit<Request, 'authentication'>, signed: boolean): RequestAuthentication {
    const { principal, manifest } = this.#options
    const n = manifest.replicas.length
    if (signed || manifest.authentication === 'signature' || this.connected < n - faultsTolerated(n)) {
      return { kind: 'signature', signature: sign(principal.key, requestSignedBytes(request, manifest.clusterId)) }
    }
    return { kind: 'macs', macs: makeRequestMacs(this.#requestKeys, requestContext(manifest.clusterId), requestBody(request)) }
  }

  close(): void {
    this.#votes.close()
    for (const dialer of this.#dialers) dialer.close()
  }

  #setLink(id: number, link: Link | null): void {
    this.#links[id] = link
    this.#requestKeys = this.#links.map((known) => known?.requestKey ?? null)
    this.#connected = this.#requestKeys.filter((key) => key !== null).length
  }

  #onMessage(from: ReplicaId, bytes: Uint8Array): void {
    if (isBundle(bytes)) {
      this.#votes.add(from, bytes)
      return
    }
    const decoded = decodeMessage(bytes)
    const message = decoded.ok ? decoded.value : null
    if (message?.type === 'reply') this.#listeners.get(message.client)?.({ type: 'reply', from, reply: message })
    else if (message?.type === 'authentication-wanted') {
      this.#listeners.get(message.client)?.({ type: 'authentication-wanted', from, timestamp: message.timestamp })
    } else this.#malformed += 1
  }
}
