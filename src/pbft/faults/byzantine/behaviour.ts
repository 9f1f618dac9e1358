/**
 * What a Byzantine behaviour is: a pure transform on what a replica is about to send. The core stays honest and never knows; what
 * leaves the replica does not. The same transforms run in the simulator and in real replica processes.
 */
import type { Capabilities } from '../../protocol/capabilities.ts'
import type { Digest, ReplicaId, SeqNo, View } from '../../protocol/ids.ts'
import { asView } from '../../protocol/ids.ts'
import type { PrePrepare, ReplicaMessage, Reply, StableCheckpoint } from '../../protocol/messages.ts'

export const behaviourNames = [
  'equivocate', // as primary: two validly signed pre-prepares for one sequence number, and votes for both
  'silent', // says nothing to peers and clients
  'wrong-digest', // prepares and commits what nobody proposed; answers clients wrongly
  'slow-primary', // as primary: holds pre-prepares back until just before the others lose patience
  'stale-view-change', // view-changes from an old checkpoint that deny everything prepared since
  'lying-checkpoint', // signs checkpoints of a state that nobody has; answers clients wrongly
  'replay', // says old things again, in other views too
  'forge', // speaks in the name of others
  'starve', // sends nothing to one replica
  'spoil-macs', // as primary: spoils the MACs of its clients' requests, so that backups cannot verify them
  'invent', // as primary: proposes requests that no client sent
] as const
export type BehaviourName = (typeof behaviourNames)[number]

/** Who misbehaves, and what it can do: what its own keys allow, and no more. */
export interface Traitor {
  readonly id: ReplicaId
  readonly n: number
  /** Time-out of the first view change, ms; what `slow-primary` stays below. */
  readonly viewTimeoutMs: number
  /** Whom `starve` starves. */
  readonly victim: ReplicaId
  /** Signs with the replica's own key. */
  readonly capabilities: Capabilities
  /** Yields numbers in [0, 1). */
  random(): number
}

/** One message to some peers; `delayMs` later than it would have left. */
export interface Sending {
  readonly message: ReplicaMessage
  readonly to: readonly ReplicaId[]
  readonly delayMs: number
}

/** A proposal of which there is another. */
export interface Twin {
  readonly view: View
  readonly seq: SeqNo
  /** Of the core's own proposal; `other` is the second one, for those in `side`. */
  readonly digest: Digest
  readonly other: PrePrepare
  readonly side: readonly ReplicaId[]
}

/** What a behaviour remembers between messages; bounded. */
export interface ByzantineState {
  /** The highest view of any vote so far. */
  readonly view: View
  readonly twins: readonly Twin[]
  readonly past: readonly ReplicaMessage[]
  /** The first stable checkpoint that a view-change of this replica proved. */
  readonly oldest: StableCheckpoint | null
}

export const initialState: ByzantineState = { view: asView(0), twins: [], past: [], oldest: null }

export interface Outcome {
  readonly state: ByzantineState
  readonly sendings: readonly Sending[]
}

export interface Behaviour {
  send(state: ByzantineState, message: ReplicaMessage, to: readonly ReplicaId[], traitor: Traitor): Outcome
  reply(reply: Reply, traitor: Traitor): readonly Reply[]
}

/** As the core meant it; to nobody is not sent. */
export const honestly = (message: ReplicaMessage, to: readonly ReplicaId[]): readonly Sending[] =>
  to.length === 0 ? [] : [{ message, to, delayMs: 0 }]

export const honestReply = (reply: Reply): readonly Reply[] => [reply]

/** A digest of nothing that anybody has; always the same for the same digest, so that it looks like a belief. */
export const wrongDigestOf = (digest: Digest, { capabilities }: Traitor): Digest =>
  capabilities.digest(Uint8Array.from(digest, (character) => character.charCodeAt(0)))
