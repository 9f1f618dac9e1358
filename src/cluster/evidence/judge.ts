/** Whether two signed statements convict a replica of a cluster, from the cluster's public keys alone. */
import type { Statement } from '../../contract/evidence.ts'
import { verify, type Directory } from '../../link/index.ts'
import { weighStatements, type Contradiction, type NoContradiction } from '../../pbft/wire/index.ts'

export type PairProblem = NoContradiction | 'signature'
export type Judgement =
  { readonly ok: true; readonly value: Contradiction } | { readonly ok: false; readonly reason: PairProblem; readonly words: string }

const wordsOf: Record<NoContradiction, string> = {
  unreadable: 'the signed bytes are no statement of a replica that could contradict another',
  'other-cluster': 'a statement is of another cluster',
  'other-place': 'the statements are of different kinds, signers, views, sequence numbers or disks, so both can be true',
  same: 'both statements say the same',
}

const bytesOf = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

/** Both have to be canonical statements for one place that differ, both signed by the key that the directory has for their signer. */
export const judgePair = (first: Statement, second: Statement, directory: Directory): Judgement => {
  const { clusterId, replicas } = directory
  const [a, b] = [bytesOf(first.bytes), bytesOf(second.bytes)]
  const weighed = weighStatements(a, b, clusterId, replicas.length)
  if (!weighed.ok) return { ...weighed, words: wordsOf[weighed.reason] }
  const { signer } = weighed.value
  const key = replicas[signer]
  if (key === undefined) throw new Error('a statement was read whose signer is not in the cluster')
  const isFirst = verify(key, a, bytesOf(first.signature))
  if (isFirst && verify(key, b, bytesOf(second.signature))) return weighed
  const which = isFirst ? 'second' : 'first'
  return { ok: false, reason: 'signature', words: `the signature of the ${which} statement does not hold under r${signer}'s public key` }
}
