/** A primary that spoils what its clients gave the others to verify. It keeps its word about the batch that it makes of that. */
import { MAC_BYTES, type PrePrepare, type Request } from '../../protocol/messages.ts'
import { honestly, honestReply, type Behaviour, type ByzantineState, type Traitor, type Twin } from './behaviour.ts'
import { isOwnProposal, twinOf, twinsMax } from './ordering.ts'

/** How often it spares the MAC of one replica. */
const spareProbability = 0.2

/** The MACs of some replicas no longer hold. What is signed it cannot touch without being found out. */
const spoilt = (request: Request, { id, random }: Traitor): Request => {
  if (request.authentication.kind === 'signature') return request
  const macs = Uint8Array.from(request.authentication.macs)
  for (let replica = 0; replica * MAC_BYTES < macs.length; replica++) {
    const at = replica * MAC_BYTES
    if (replica !== id && random() >= spareProbability) macs[at] = (macs[at] ?? 0) ^ 0xff
  }
  return { ...request, authentication: { kind: 'macs', macs } }
}

const spoiltProposal = (message: PrePrepare, traitor: Traitor): PrePrepare => {
  const { capabilities } = traitor
  const requests = message.batch.requests.map((request) => spoilt(request, traitor))
  const batch = capabilities.encodeBatch(message.batch.timeMs, requests)
  const unsigned = { ...message, batch, digest: capabilities.digest(batch.bytes) }
  return { ...unsigned, signature: capabilities.sign(unsigned) }
}

const remember = (state: ByzantineState, twin: Twin): ByzantineState => ({ ...state, twins: [...state.twins, twin].slice(-twinsMax) })

export const spoilMacs: Behaviour = {
  send(state, message, to, traitor) {
    if (isOwnProposal(message, traitor)) {
      const { view, seq, digest } = message
      const known = twinOf(state, view, seq, digest)
      const twin = known ?? { view, seq, digest, other: spoiltProposal(message, traitor), side: [] }
      return { state: known === undefined ? remember(state, twin) : state, sendings: honestly(twin.other, to) }
    }
    const isVote = message.type === 'prepare' || message.type === 'commit'
    const twin = isVote ? twinOf(state, message.view, message.seq, message.digest) : undefined
    if (!isVote || twin === undefined) return { state, sendings: honestly(message, to) }
    return { state, sendings: honestly({ ...message, digest: twin.other.digest }, to) }
  },
  reply: honestReply,
}
