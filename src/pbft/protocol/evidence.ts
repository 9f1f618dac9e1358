/**
 * Evidence: two signed messages of one replica that contradict each other. Who has its public key needs nothing else to see that
 * it is faulty, whoever shows them; a correct replica never makes such a pair, over crashes too (I3, I14).
 *
 * A primary that tells different replicas different things is seen by nobody as long as each only votes. So a replica whose vote
 * for the same place was for another batch is shown the header that the primary signed, once; each then holds both.
 */
import type { ReplicaId } from './ids.ts'
import type { Checkpoint, Prepare, PrePrepare, Proposal, ViewChange } from './messages.ts'
import { primaryOf } from './quorum.ts'
import type { Slot } from './slots.ts'
import { emit, isPrimary, sendTo, type ReplicaState } from './state.ts'
import type { SignedStatement } from './steps.ts'

/** Pairs told of per replica: more convict it no further. */
const PAIRS_PER_SIGNER_MAX = 16

const convict = (r: ReplicaState, signer: ReplicaId, place: string, first: SignedStatement, second: SignedStatement): void => {
  const told = r.evidence[signer]
  if (told === undefined || signer === r.config.id || told.size >= PAIRS_PER_SIGNER_MAX || told.has(place)) return
  told.add(place)
  emit(r, { type: 'evidence', signer, first, second })
}

export const proposalOf = ({ view, seq, digest, signature }: Proposal | PrePrepare): Proposal => ({
  type: 'proposal',
  view,
  seq,
  digest,
  signature,
})

/** A header that the primary of its view signed, beside the one that was accepted here. */
export const weighProposal = (r: ReplicaState, message: Proposal | PrePrepare): void => {
  const known = r.log.get(message.seq)?.proposal ?? r.suspended.get(message.seq)?.message
  if (known === undefined || known.view !== message.view || known.digest === message.digest) return
  convict(r, primaryOf(message.view, r.config.n), `proposal ${message.view}/${message.seq}`, proposalOf(known), proposalOf(message))
}

/** Two checkpoints of one replica at one sequence number. */
export const weighCheckpoints = (r: ReplicaState, known: Checkpoint, message: Checkpoint): void => {
  if (known.replica !== message.replica || known.seq !== message.seq || known.digest === message.digest) return
  convict(r, message.replica, `checkpoint ${message.seq}`, known, message)
}

/** What a view-change says, but for who vouches for its stable checkpoint: any quorum does. */
const contentOf = ({ stable, checkpoints, prepared, prePrepared }: ViewChange): string =>
  JSON.stringify([stable.seq, stable.digest, checkpoints, prepared, prePrepared])

/** A view-change beside what is known of its signer's for the same view. */
export const weighViewChange = (r: ReplicaState, message: ViewChange): void => {
  const used = r.newView?.viewChanges.find(({ replica }) => replica === message.replica)
  for (const known of [r.viewChanges.get(message.replica), used]) {
    // One that was lost and found itself again says other things, and is no liar for that.
    if (known === undefined || known.incarnation !== message.incarnation) continue
    if (known === message || known.view !== message.view || contentOf(known) === contentOf(message)) continue
    convict(r, message.replica, `view-change ${message.view}`, known, message)
  }
}

/** Shows the accepted header to a replica that voted for another batch in its place. A primary has no other header than its own to show. */
const show = (r: ReplicaState, slot: Slot, to: ReplicaId): void => {
  const proposal = slot.proposal
  if (proposal === null || isPrimary(r) || slot.shownTo.has(to) || to === primaryOf(proposal.view, r.config.n)) return
  slot.shownTo.add(to)
  sendTo(r, to, proposal, false)
}

/** A prepare came in: for another batch than the one proposed here? */
export const confront = (r: ReplicaState, slot: Slot, from: ReplicaId, vote: Prepare): void => {
  if (slot.proposal !== null && slot.proposal.view === vote.view && slot.proposal.digest !== vote.digest) show(r, slot, from)
}

/** A proposal was accepted: were there votes for another? */
export const confrontVoters = (r: ReplicaState, slot: Slot, proposal: Proposal): void => {
  slot.proposal = proposal
  slot.shownTo.clear()
  for (const peer of r.peers) if (slot.prepares.differs(peer, proposal.view, proposal.digest)) show(r, slot, peer)
}
