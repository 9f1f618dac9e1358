/** The mesh of links between replicas: the higher id dials the lower. Faults that an operator injects act here. */
import type { TransportFaults } from '../contract/faults.ts'
import type { Manifest } from '../contract/manifest.ts'
import { dial, type Dialer, type Directory, type Link, type LinkHandlers, type PrivateKey } from '../link/index.ts'
import { noLinkFault } from '../pbft/faults/index.ts'
import { asReplicaId, type ReplicaId } from '../pbft/protocol/ids.ts'
import type { ReplicaMessage } from '../pbft/protocol/messages.ts'
import { encodeMessage } from '../pbft/wire/index.ts'
import type { Count } from './counters.ts'
import { createFaultLine, type FaultLine } from './fault-line.ts'
import type { Inbox } from './inbox.ts'
import type { Patience } from './patience.ts'
import type { Recording } from './recording.ts'

/** A peer counts as heard for this long after its last frame, ms. */
const heardForMs = 1_000

export interface TransportOptions {
  readonly manifest: Manifest
  readonly directory: Directory
  readonly id: number
  readonly key: PrivateKey
  readonly count: Count
  readonly recording: Recording
  readonly patience: Patience
  /** Makes the way to the core for what one link brings. */
  inboxFor(peer: ReplicaId): Inbox
  onConnected(peer: ReplicaId): void
  log(message: string, peer: number, detail: string): void
}

export interface Transport {
  /** Takes over a link that a peer has dialled. */
  acceptLink(link: Link): LinkHandlers
  /** Dials the lower ids. */
  start(): void
  send(to: readonly ReplicaId[], message: ReplicaMessage): void
  /** Writes down that a message was not sent. */
  withhold(to: readonly ReplicaId[], message: ReplicaMessage): void
  flush(): void
  setFaults(faults: TransportFaults): void
  peersConnected(): number[]
  peersHeard(): number[]
  close(): void
}

interface PeerState {
  readonly id: ReplicaId
  readonly line: FaultLine
  link: Link | null
  incomingCut: boolean
}

export const createTransport = (options: TransportOptions): Transport => {
  const { manifest, id, count, patience } = options
  const dialers: Dialer[] = []
  const peers = new Map<number, PeerState>()

  const makePeer = (peer: ReplicaId): PeerState => {
    const state: PeerState = {
      id: peer,
      link: null,
      incomingCut: false,
      line: createFaultLine((bytes, how) => {
        if (state.link === null) return false
        if (how !== 'corrupt') {
          if (how === 'later') state.link.send(bytes)
          else state.link.queue(bytes, how === 'may-wait')
          if (state.link.waitingSince !== null) patience.watch(state.link)
          return true
        }
        // A frame of its own: what else is under way stays whole.
        state.link.flushAll()
        state.link.corruptNextFrame()
        state.link.send(bytes)
        state.link.flush()
        return true
      }),
    }
    return state
  }
  for (const member of manifest.replicas) if (member.id !== id) peers.set(member.id, makePeer(asReplicaId(member.id)))

  const takeLink = (peer: PeerState, link: Link): LinkHandlers => {
    const inbox = options.inboxFor(peer.id)
    const old = peer.link
    peer.link = link
    old?.close('a newer link of the same peer replaces it')
    options.log('connected', peer.id, '')
    options.onConnected(peer.id)
    return {
      onMessages(messages) {
        // A link that was replaced must not bring what is older than the new one's.
        if (peer.link !== link) return
        if (!peer.incomingCut) inbox.take(messages)
        else for (const message of messages) options.recording.refused(String(peer.id), 'cut', message)
      },
      onClose(detail, rejected) {
        if (rejected !== null && link.peer.role === 'replica') count(rejected, `replica ${peer.id}: ${detail}`)
        if (peer.link !== link) return
        peer.link = null
        options.log('disconnected', peer.id, detail)
      },
    }
  }

  const dialPeer = (peer: PeerState): Dialer => {
    const member = manifest.replicas[peer.id]
    if (member === undefined) throw new Error(`no replica ${peer.id} in the manifest`)
    return dial({
      directory: options.directory,
      identity: { role: 'replica', name: String(id), key: options.key },
      to: member,
      onLink: (link) => takeLink(peer, link),
      onFailed: (reason, detail) => {
        if (reason !== null) count(reason, detail)
      },
    })
  }

  const isWhole = (): boolean => {
    for (const { link } of peers.values()) if (link === null) return false
    return true
  }

  return {
    acceptLink(link) {
      const peer = peers.get(Number(link.peer.name))
      if (peer !== undefined && peer.id > id) {
        const handlers = takeLink(peer, link)
        // The accepting side of the link room has counted what broke the rules.
        return { onMessages: handlers.onMessages, onClose: (detail) => handlers.onClose(detail, null) }
      }
      count('wrong-direction', `replica ${link.peer.name} dialled ${id}`)
      link.close('the higher id dials')
      return { onMessages: () => undefined, onClose: () => undefined }
    },
    start() {
      for (const peer of peers.values()) if (peer.id < id) dialers.push(dialPeer(peer))
    },
    send(to, message) {
      const bytes = encodeMessage(message)
      // Who is alone with the others needs every one of them.
      const calm = isWhole()
      const fates = to.map((replica) => ({
        replica,
        fate: peers.get(replica)?.line.send(bytes, calm && patience.mayWait(message, replica)) ?? 'no-link',
      }))
      options.recording.sent(message, bytes, fates)
    },
    withhold(to, message) {
      const fates = to.map((replica) => ({ replica, fate: 'withheld' as const }))
      options.recording.sent(message, encodeMessage(message), fates)
    },
    flush() {
      for (const peer of peers.values()) peer.link?.flush()
    },
    setFaults(faults) {
      const rules = new Map(faults.outgoing.map((entry) => [entry.peer, entry.rule]))
      for (const peer of peers.values()) {
        peer.line.setRule(rules.get(peer.id) ?? noLinkFault)
        peer.incomingCut = faults.incomingCut.includes(peer.id)
      }
    },
    peersConnected: () => [...peers.values()].filter((peer) => peer.link !== null).map((peer) => peer.id),
    peersHeard() {
      const since = Date.now() - heardForMs
      return [...peers.values()]
        .filter((peer) => peer.link !== null && !peer.incomingCut && peer.link.heardAt >= since)
        .map((peer) => peer.id)
    },
    close() {
      for (const dialer of dialers) dialer.close()
      for (const peer of peers.values()) {
        peer.line.close()
        peer.link?.close('this replica stops')
      }
    },
  }
}
