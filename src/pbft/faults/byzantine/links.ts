/** Behaviours that need no lie about the protocol: silence, starving, repetition, and false names. */
import type { ReplicaId } from '../../protocol/ids.ts'
import { asClientTimestamp, asReplicaId, asView } from '../../protocol/ids.ts'
import type { ReplicaMessage, Reply } from '../../protocol/messages.ts'
import { honestly, honestReply, type Behaviour, type Sending, type Traitor } from './behaviour.ts'

/** Messages that `replay` has at hand. */
const pastMax = 128
/** How often it uses one, for each message that leaves. */
const replayProbability = 0.5

export const silent: Behaviour = {
  send: (state) => ({ state, sendings: [] }),
  reply: () => [],
}

export const starve: Behaviour = {
  send: (state, message, to, { victim }) => ({
    state,
    sendings: honestly(
      message,
      to.filter((peer) => peer !== victim),
    ),
  }),
  reply: honestReply,
}

const pick = <T>(list: readonly T[], random: () => number): T | undefined => list[Math.floor(random() * list.length)]

const anotherThan = (replica: ReplicaId, { n, random }: Traitor): ReplicaId =>
  asReplicaId((replica + 1 + Math.floor(random() * (n - 1))) % n)

/** One old message to someone; a vote of its own, which only the link vouches for, also as if it were of the view of now. */
const again = (past: readonly ReplicaMessage[], view: number, traitor: Traitor): readonly Sending[] => {
  const { id, n, random } = traitor
  const old = random() < replayProbability ? pick(past, random) : undefined
  if (old === undefined || n === 1) return []
  const isVote = (old.type === 'prepare' || old.type === 'commit') && random() < 0.5
  return honestly(isVote ? { ...old, view: asView(view) } : old, [anotherThan(id, traitor)])
}

export const replay: Behaviour = {
  send(state, message, to, traitor) {
    const view = asView('view' in message ? Math.max(state.view, message.view) : state.view)
    // Chance decides what is forgotten, so that something of long ago is always at hand.
    const kept = state.past.length < pastMax ? state.past : state.past.toSpliced(Math.floor(traitor.random() * state.past.length), 1)
    const past = [...kept, message]
    return { state: { ...state, view, past }, sendings: [...honestly(message, to), ...again(state.past, view, traitor)] }
  },
  reply: (reply) => [reply, reply],
}

/** The message as someone else's, signed with the only key there is; null for messages that name nobody. */
const asAnothers = (message: ReplicaMessage, traitor: Traitor): ReplicaMessage | null => {
  const { sign } = traitor.capabilities
  const replica = anotherThan(traitor.id, traitor)
  switch (message.type) {
    case 'prepare':
    case 'commit':
    case 'status':
      return { ...message, replica }
    case 'request':
      return { ...message, timestamp: asClientTimestamp(message.timestamp + 1) }
    case 'pre-prepare': {
      // Its sender is the primary of its view: this one names the view of another.
      const unsigned = { ...message, view: asView(message.view + 1) }
      return { ...unsigned, signature: sign(unsigned) }
    }
    case 'checkpoint': {
      const unsigned = { ...message, replica }
      return { ...unsigned, signature: sign(unsigned) }
    }
    case 'view-change': {
      const unsigned = { ...message, replica }
      return { ...unsigned, signature: sign(unsigned) }
    }
    case 'new-view': {
      const unsigned = { ...message, replica }
      return { ...unsigned, signature: sign(unsigned) }
    }
    default:
      return null
  }
}

/** What it says in its own name stays true. */
export const forge: Behaviour = {
  send(state, message, to, traitor) {
    const forged = traitor.n === 1 ? null : asAnothers(message, traitor)
    return { state, sendings: [...(forged === null ? [] : honestly(forged, to)), ...honestly(message, to)] }
  },
  reply: (reply: Reply, traitor) => (traitor.n === 1 ? [reply] : [{ ...reply, replica: anotherThan(traitor.id, traitor) }, reply]),
}
