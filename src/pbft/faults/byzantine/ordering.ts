/** Behaviours that attack the order: equivocation, votes for nothing, a primary that is as slow as it may be. */
import type { ReplicaId } from '../../protocol/ids.ts'
import { asReplicaId } from '../../protocol/ids.ts'
import type { PrePrepare, ReplicaMessage, Reply } from '../../protocol/messages.ts'
import { primaryOf } from '../../protocol/quorum.ts'
import {
  honestly,
  honestReply,
  wrongDigestOf,
  type Behaviour,
  type ByzantineState,
  type Sending,
  type Traitor,
  type Twin,
} from './behaviour.ts'

/** Proposals that are remembered: more than any window of the log holds at once. */
export const twinsMax = 1_024
/** How much of the time-out a slow primary uses up; the rest is for the three phases after it. */
const slowness = 0.9

export const isOwnProposal = (message: ReplicaMessage, { id, n }: Traitor): message is PrePrepare =>
  message.type === 'pre-prepare' && primaryOf(message.view, n) === id

/** Some of the backups, not none and not all. */
const drawSide = ({ id, n, random }: Traitor): ReplicaId[] => {
  const backups = Array.from({ length: n }, (_, replica) => asReplicaId(replica)).filter((replica) => replica !== id)
  const first = Math.floor(random() * backups.length)
  const rest = backups.filter((_, place) => place !== first)
  const last = Math.floor(random() * rest.length)
  const free = rest.filter((_, place) => place !== last && random() < 0.5)
  return [backups[first], ...free].filter((replica) => replica !== undefined)
}

/** The same requests as another batch: backwards and a millisecond later, so that its digest is another. */
const secondProposal = (message: PrePrepare, { capabilities }: Traitor): PrePrepare => {
  const batch = capabilities.encodeBatch(message.batch.timeMs + 1, message.batch.requests.toReversed())
  const unsigned = { ...message, batch, digest: capabilities.digest(batch.bytes) }
  return { ...unsigned, signature: capabilities.sign(unsigned) }
}

export const twinOf = (state: ByzantineState, view: number, seq: number, digest: string): Twin | undefined =>
  state.twins.find((twin) => twin.view === view && twin.seq === seq && twin.digest === digest)

const propose = (twin: Twin, message: PrePrepare, to: readonly ReplicaId[], { id }: Traitor): Sending[] => {
  const { view, seq, other, side } = twin
  const deceived = to.filter((peer) => side.includes(peer))
  return [
    ...honestly(
      message,
      to.filter((peer) => !side.includes(peer)),
    ),
    ...honestly(other, deceived),
    // The core will never commit the second one, so this has to be said for it.
    ...honestly({ type: 'commit', view, seq, digest: other.digest, replica: id }, deceived),
  ]
}

export const equivocate: Behaviour = {
  send(state, message, to, traitor) {
    if (isOwnProposal(message, traitor) && traitor.n > 2) {
      const { view, seq, digest } = message
      const known = twinOf(state, view, seq, digest)
      const twin = known ?? { view, seq, digest, other: secondProposal(message, traitor), side: drawSide(traitor) }
      const twins = known === undefined ? [...state.twins, twin].slice(-twinsMax) : state.twins
      return { state: { ...state, twins }, sendings: propose(twin, message, to, traitor) }
    }
    const twin = message.type === 'commit' ? twinOf(state, message.view, message.seq, message.digest) : undefined
    if (message.type !== 'commit' || twin === undefined) return { state, sendings: honestly(message, to) }
    const faithful = to.filter((peer) => !twin.side.includes(peer))
    const deceived = to.filter((peer) => twin.side.includes(peer))
    return { state, sendings: [...honestly(message, faithful), ...honestly({ ...message, digest: twin.other.digest }, deceived)] }
  },
  reply: honestReply,
}

/** What another result looks like: spoilt bytes, or the digest of nothing. */
export const wrongReply = (reply: Reply, traitor: Traitor): readonly Reply[] => {
  if (reply.result.kind === 'digest') {
    return [{ ...reply, result: { kind: 'digest', digest: wrongDigestOf(reply.result.digest, traitor) } }]
  }
  const bytes = reply.result.bytes.length === 0 ? Uint8Array.of(1) : reply.result.bytes.map((byte) => byte ^ 0xff)
  return [{ ...reply, result: { kind: 'full', bytes } }]
}

export const wrongDigest: Behaviour = {
  send: (state, message, to, traitor) => ({
    state,
    sendings: honestly(
      message.type === 'prepare' || message.type === 'commit' ? { ...message, digest: wrongDigestOf(message.digest, traitor) } : message,
      to,
    ),
  }),
  reply: wrongReply,
}

export const slowPrimary: Behaviour = {
  send(state, message, to, traitor) {
    const delayMs = isOwnProposal(message, traitor) ? Math.floor(traitor.viewTimeoutMs * slowness) : 0
    return { state, sendings: honestly(message, to).map((sending) => ({ ...sending, delayMs })) }
  },
  reply: honestReply,
}
