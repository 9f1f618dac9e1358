/** What contradicts what, from signed bytes alone. */
import { describe, expect, it } from 'vitest'
import { asDigest, asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import { contradictionOf, signedBytes, type SignableMessage } from '../../../src/pbft/wire/index.ts'
import { examples } from '../../support/wire-examples.ts'

const cluster = 'ab'.repeat(16)
const other = asDigest('0e'.repeat(32))
const between = (first: SignableMessage, second: SignableMessage) =>
  contradictionOf(signedBytes(first, cluster), signedBytes(second, cluster), cluster, 4)

describe('two statements for one place that differ', () => {
  it.each<[string, SignableMessage, SignableMessage, object]>([
    [
      'pre-prepares',
      examples['pre-prepare'],
      { ...examples.proposal, digest: other },
      { kind: 'pre-prepare', signer: 1, view: 5, seq: 129 },
    ],
    [
      'checkpoints',
      examples.checkpoint,
      { ...examples.checkpoint, digest: other },
      { kind: 'checkpoint', signer: 2, view: null, seq: 128 },
    ],
    [
      'view-changes',
      examples['view-change'],
      { ...examples['view-change'], prepared: [] },
      { kind: 'view-change', signer: 2, view: 5, seq: null },
    ],
  ])('%s', (_, first, second, contradiction) => {
    expect(between(first, second)).toEqual(contradiction)
    expect(between(second, first)).toEqual(contradiction)
  })
})

describe('no contradiction', () => {
  const { proposal, checkpoint, 'view-change': viewChange } = examples
  it.each<[string, SignableMessage, SignableMessage]>([
    ['the same twice', proposal, examples['pre-prepare']],
    ['another sequence number', proposal, { ...proposal, seq: asSeqNo(130), digest: other }],
    ['another view', proposal, { ...proposal, view: asView(9), digest: other }],
    ['another replica', checkpoint, { ...checkpoint, replica: asReplicaId(3), digest: other }],
    ['another kind', proposal, { ...checkpoint, seq: proposal.seq, digest: other }],
    ['another quorum for the same stable checkpoint', viewChange, { ...viewChange, stable: { ...viewChange.stable, proof: [] } }],
  ])('%s', (_, first, second) => {
    expect(between(first, second)).toBeNull()
  })

  it('of another cluster', () => {
    const bytes = [signedBytes(proposal, cluster), signedBytes({ ...proposal, digest: other }, 'cd'.repeat(16))] as const
    expect(contradictionOf(...bytes, cluster, 4)).toBeNull()
  })

  it('bytes that are no statement, or more than one', () => {
    const good = signedBytes(proposal, cluster)
    const twin = signedBytes({ ...proposal, digest: other }, cluster)
    expect(contradictionOf(good, twin, cluster, 4)).not.toBeNull()
    for (let length = 0; length < twin.length; length++) expect(contradictionOf(good, twin.subarray(0, length), cluster, 4)).toBeNull()
    expect(contradictionOf(good, Uint8Array.of(...twin, 0), cluster, 4)).toBeNull()
  })
})
