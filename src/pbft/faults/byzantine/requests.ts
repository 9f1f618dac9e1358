/** Primaries that change what their clients asked for. Each keeps its word about the batch that it makes of that. */
import { asClientTimestamp } from '../../protocol/ids.ts'
import { MAC_BYTES, type PrePrepare, type Request } from '../../protocol/messages.ts'
import { honestly, honestReply, type Behaviour, type ByzantineState, type Traitor, type Twin } from './behaviour.ts'
import { isOwnProposal, twinOf, twinsMax } from './ordering.ts'

/** How often `spoil-macs` spares the MAC of one replica. */
const spareProbability = 0.2
/** How often `invent` does, for each of its proposals. */
const inventProbability = 0.3

type Change = (message: PrePrepare, traitor: Traitor) => readonly Request[]

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

/** What a client of the batch would ask for next if it asked the same; nothing that it could prove it with is at hand. */
const invented = ({ batch, signature }: PrePrepare, { n, random }: Traitor): Request[] => {
  const [example] = batch.requests
  if (example === undefined) return []
  const timestamp = asClientTimestamp(example.timestamp + 1)
  const authentication =
    random() < 0.5 ? ({ kind: 'signature', signature } as const) : ({ kind: 'macs', macs: new Uint8Array(n * MAC_BYTES) } as const)
  return [{ ...example, timestamp, authentication }]
}

const proposalOf = (message: PrePrepare, change: Change, traitor: Traitor): PrePrepare => {
  const { capabilities } = traitor
  const batch = capabilities.encodeBatch(message.batch.timeMs, change(message, traitor))
  const unsigned = { ...message, batch, digest: capabilities.digest(batch.bytes) }
  return { ...unsigned, signature: capabilities.sign(unsigned) }
}

const remember = (state: ByzantineState, twin: Twin): ByzantineState => ({ ...state, twins: [...state.twins, twin].slice(-twinsMax) })

/** Proposes what `change` makes of each batch, and votes for that. */
const proposing = (change: Change): Behaviour => ({
  send(state, message, to, traitor) {
    if (isOwnProposal(message, traitor)) {
      const { view, seq, digest } = message
      const known = twinOf(state, view, seq, digest)
      const twin = known ?? { view, seq, digest, other: proposalOf(message, change, traitor), side: [] }
      return { state: known === undefined ? remember(state, twin) : state, sendings: honestly(twin.other, to) }
    }
    const isVote = message.type === 'prepare' || message.type === 'commit'
    const twin = isVote ? twinOf(state, message.view, message.seq, message.digest) : undefined
    if (!isVote || twin === undefined) return { state, sendings: honestly(message, to) }
    return { state, sendings: honestly({ ...message, digest: twin.other.digest }, to) }
  },
  reply: honestReply,
})

export const spoilMacs: Behaviour = proposing(({ batch }, traitor) => batch.requests.map((request) => spoilt(request, traitor)))

export const invent: Behaviour = proposing((message, traitor) => [
  ...message.batch.requests,
  ...(traitor.random() < inventProbability ? invented(message, traitor) : []),
])
