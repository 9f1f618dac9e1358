/** Pairs of contradicting statements that the core came upon, as anyone can check them: signed bytes and signatures. Bounded. */
import type { EvidencePair } from '../contract/control.ts'
import type { SignedStatement, ProtocolEvent } from '../pbft/protocol/steps.ts'
import { signedBytes } from '../pbft/wire/index.ts'

/** What is kept; later pairs are counted, and nothing more. The first ones convict as well. */
const pairsMax = 256
const bytesMax = 2 * 1_048_576

export interface Evidence {
  onEvent(event: Extract<ProtocolEvent, { type: 'evidence' }>, atMs: number): void
  /** Pairs that are kept. */
  readonly kept: number
  /** Those that came after the first `after`. */
  since(after: number): EvidencePair[]
}

export const createEvidence = (clusterId: string): Evidence => {
  const pairs: EvidencePair[] = []
  let bytes = 0

  const statement = (message: SignedStatement): EvidencePair['first'] => ({
    bytes: Buffer.from(signedBytes(message, clusterId)).toString('hex'),
    signature: Buffer.from(message.signature).toString('hex'),
  })

  return {
    onEvent({ signer, first, second }, at) {
      const pair = { signer, first: statement(first), second: statement(second), at }
      const size = (pair.first.bytes.length + pair.second.bytes.length) / 2
      if (pairs.length >= pairsMax || bytes + size > bytesMax) return
      bytes += size
      pairs.push(pair)
    },
    get kept() {
      return pairs.length
    },
    since: (after) => pairs.slice(after),
  }
}
