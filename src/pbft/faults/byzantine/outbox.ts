/** A behaviour between a core and its links. */
import { asReplicaId, type ReplicaId } from '../../protocol/ids.ts'
import type { AuthenticationWanted, ReplicaMessage, Reply } from '../../protocol/messages.ts'
import { initialState, type Behaviour, type BehaviourName, type Sending, type Traitor } from './behaviour.ts'
import { lyingCheckpoint, staleViewChange } from './checkpoints.ts'
import { forge, replay, silent, starve } from './links.ts'
import { equivocate, slowPrimary, wrongDigest } from './ordering.ts'
import { invent, spoilMacs } from './requests.ts'

const behaviours: Readonly<Record<BehaviourName, Behaviour>> = {
  equivocate,
  silent,
  'wrong-digest': wrongDigest,
  'slow-primary': slowPrimary,
  'stale-view-change': staleViewChange,
  'lying-checkpoint': lyingCheckpoint,
  replay,
  forge,
  starve,
  'spoil-macs': spoilMacs,
  invent,
}

/** What leaves instead of what the core meant to send, in order. */
export interface Outbox {
  send(message: ReplicaMessage, to: readonly ReplicaId[]): readonly Sending[]
  reply(reply: Reply): readonly Reply[]
  wantSignature(message: AuthenticationWanted): readonly AuthenticationWanted[]
}

/** Without a `victim` (or with the replica itself as one) it is the next replica. n >= 1. */
export const createOutbox = (name: BehaviourName, traitor: Omit<Traitor, 'victim'> & { readonly victim: ReplicaId | null }): Outbox => {
  const behaviour = behaviours[name]
  const victim = traitor.victim === null || traitor.victim === traitor.id ? asReplicaId((traitor.id + 1) % traitor.n) : traitor.victim
  const complete: Traitor = { ...traitor, victim }
  let state = initialState
  return {
    send(message, to) {
      const outcome = behaviour.send(state, message, to, complete)
      state = outcome.state
      return outcome.sendings
    },
    reply: (reply) => behaviour.reply(reply, complete),
    wantSignature: (message) => (name === 'silent' ? [] : [message]),
  }
}
