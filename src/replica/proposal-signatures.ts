/**
 * When the signature of a proposal is checked. A pre-prepare that comes over its primary's own link is authentic by that link's MAC, and
 * no vote, and no other safety of ours, rests on its signature: that is for third parties, who are shown it in a relay or as evidence
 * (SPEC, I28). One verification costs more than everything else that a backup does for a batch of one request. So it is checked
 *
 *   - at once, when it comes by another way than its primary's link;
 *   - now and then, at random, when it comes over that link, so that a primary that signs badly is found out within moments;
 *   - from then on each time, for that primary;
 *   - before it leaves here for others, and before it is taken for evidence: what does not hold does neither, and is counted.
 */
import { primaryOf } from '../pbft/protocol/quorum.ts'
import type { Message, PrePrepare, Proposal } from '../pbft/protocol/messages.ts'
import type { SignedStatement } from '../pbft/protocol/steps.ts'
import { proposalSignedPart } from '../pbft/wire/index.ts'
import type { Count } from './counters.ts'
import type { Verifier } from './verification.ts'

/** Time from one check of a primary's signature to the next, on average, ms. */
const checkEveryMs = 25

export interface ProposalSignatures {
  /** Whether this pre-prepare, come over the link of replica `peer`, may go on before its signature is checked. */
  mayWait(peer: number, message: PrePrepare): boolean
  /** This pre-prepare came over the link of replica `peer` with a signature that does not hold: nothing of that primary waits any more. */
  foundBad(peer: number, message: PrePrepare): void
  /** Whether a message may be shown to others: not a proposal of another replica whose signature does not hold. */
  mayLeave(message: Message): boolean
  /** Whether both statements of evidence are signed as they say. */
  areProven(first: SignedStatement, second: SignedStatement): boolean
}

export interface ProposalSignaturesOptions {
  readonly id: number
  readonly n: number
  readonly clusterId: string
  readonly verifier: Verifier
  readonly count: Count
  /** Milliseconds of any clock that does not go back, and a number from 0 to 1. */
  now(): number
  random(): number
}

export const createProposalSignatures = (options: ProposalSignaturesOptions): ProposalSignatures => {
  const { id, n, clusterId, verifier, count } = options
  const distrusted = new Set<number>()
  /** By replica: when its next signature is checked. */
  const due = new Map<number, number>()

  const holds = (proposal: PrePrepare | Proposal): boolean => {
    const primary = primaryOf(proposal.view, n)
    if (primary === id || verifier.holds(proposalSignedPart(proposal, n, clusterId))) return true
    distrusted.add(primary)
    count('bad-signature', `${proposal.type} of replica ${primary}, found later`)
    return false
  }

  return {
    mayWait(peer, message) {
      if (primaryOf(message.view, n) !== peer || distrusted.has(peer)) return false
      const now = options.now()
      if (now < (due.get(peer) ?? 0)) return true
      due.set(peer, now + 2 * checkEveryMs * options.random())
      return false
    },
    foundBad(peer, message) {
      // Of a relay nobody knows yet whose fault it is.
      if (primaryOf(message.view, n) === peer) distrusted.add(peer)
    },
    mayLeave: (message) => (message.type !== 'pre-prepare' && message.type !== 'proposal') || holds(message),
    // The others were checked when they came.
    areProven: (...statements) => statements.every((statement) => statement.type !== 'proposal' || holds(statement)),
  }
}
