/** Behaviours that attack the memory of the cluster: lies about the state, and about what was prepared. */
import type { StableCheckpoint, ViewChange } from '../../protocol/messages.ts'
import { honestly, honestReply, wrongDigestOf, type Behaviour, type Traitor } from './behaviour.ts'
import { wrongReply } from './ordering.ts'

/** Only its own: what it relays is signed by others. */
export const lyingCheckpoint: Behaviour = {
  send(state, message, to, traitor) {
    if (message.type !== 'checkpoint' || message.replica !== traitor.id) return { state, sendings: honestly(message, to) }
    const unsigned = { ...message, digest: wrongDigestOf(message.digest, traitor) }
    return { state, sendings: honestly({ ...unsigned, signature: traitor.capabilities.sign(unsigned) }, to) }
  },
  reply: wrongReply,
}

/** Well-formed, proven and signed; but it starts at `oldest` and knows of nothing above it. */
const stale = (message: ViewChange, oldest: StableCheckpoint, { capabilities }: Traitor): ViewChange => {
  const checkpoints = [{ seq: oldest.seq, digest: oldest.digest }]
  const unsigned = { ...message, stable: oldest, checkpoints, prepared: [], prePrepared: [] }
  return { ...unsigned, signature: capabilities.sign(unsigned) }
}

export const staleViewChange: Behaviour = {
  send(state, message, to, traitor) {
    if (message.type !== 'view-change' || message.replica !== traitor.id) return { state, sendings: honestly(message, to) }
    const oldest = state.oldest ?? message.stable
    return { state: { ...state, oldest }, sendings: honestly(stale(message, oldest, traitor), to) }
  },
  reply: honestReply,
}
