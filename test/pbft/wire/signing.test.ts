import { describe, expect, it } from 'vitest'
import { asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import {
  encodeRequest,
  requestSignedBytes,
  signedBytes,
  signedParts,
  stableSignedParts,
  type SignedPart,
} from '../../../src/pbft/wire/index.ts'
import { examples, macedRequest, signedRequest, viewChangeOf } from '../../support/wire-examples.ts'

const cluster = 'ab'.repeat(16)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const signers = (parts: SignedPart[]): string[] =>
  parts.map((p) => (p.signer.kind === 'replica' ? `replica ${p.signer.id}` : p.signer.client))

describe('signed bytes', () => {
  const signables = [examples['pre-prepare'], examples.checkpoint, examples['view-change'], examples['new-view']]

  it('begin with a domain of their own', () => {
    const all = [...signables.map((message) => signedBytes(message, cluster)), requestSignedBytes(signedRequest, cluster)]
    const domains = all.map((bytes) => text(bytes.subarray(2, 2 + bytes[1]!)))
    expect(domains).toEqual([
      'pbft-panel pre-prepare v1',
      'pbft-panel checkpoint v1',
      'pbft-panel view-change v1',
      'pbft-panel new-view v1',
      'pbft-panel request v1',
    ])
  })

  it('name the cluster next, so that they are good in no other', () => {
    const other = 'cd'.repeat(16)
    for (const bytes of [...signables.map((message) => signedBytes(message, cluster)), requestSignedBytes(signedRequest, cluster)]) {
      const at = 2 + bytes[1]!
      expect([...bytes.subarray(at, at + 2)]).toEqual([0, 32])
      expect(text(bytes.subarray(at + 2, at + 34))).toBe(cluster)
    }
    for (const message of signables) expect(signedBytes(message, other)).not.toEqual(signedBytes(message, cluster))
    expect(requestSignedBytes(signedRequest, other)).not.toEqual(requestSignedBytes(signedRequest, cluster))
  })

  it('do not depend on the signature', () => {
    for (const message of signables) {
      expect(signedBytes({ ...message, signature: new Uint8Array(64) } as typeof message, cluster)).toEqual(signedBytes(message, cluster))
    }
    expect(requestSignedBytes(macedRequest, cluster)).not.toEqual(requestSignedBytes(signedRequest, cluster))
    expect(requestSignedBytes({ ...macedRequest, readOnly: false, replier: signedRequest.replier }, cluster)).toEqual(
      requestSignedBytes(signedRequest, cluster),
    )
  })

  it('of a request are its encoding up to the authentication', () => {
    const encoded = text(encodeRequest(signedRequest))
    const signed = text(requestSignedBytes(signedRequest, cluster)).slice(2 + 'pbft-panel request v1'.length + 2 + cluster.length)
    expect(encoded.startsWith(signed)).toBe(true)
    expect(encoded.length).toBe(signed.length + 66)
  })

  it('change with every field of a pre-prepare header', () => {
    const base = examples['pre-prepare']
    const variants = [base, { ...base, view: asView(6) }, { ...base, seq: asSeqNo(1) }, { ...base, digest: examples.commit.digest }]
    expect(new Set(variants.map((message) => text(signedBytes(message, cluster)))).size).toBe(4)
  })
})

describe('signed parts', () => {
  it('of a pre-prepare: its primary, and the clients that signed', () => {
    const parts = signedParts(examples['pre-prepare'], 4, cluster)
    expect(signers(parts)).toEqual(['replica 1', 'zoë/1'])
    expect(parts[0]!.bytes).toEqual(signedBytes(examples['pre-prepare'], cluster))
    expect(parts[1]).toEqual({
      signer: { kind: 'client', client: 'zoë/1' },
      bytes: requestSignedBytes(signedRequest, cluster),
      signature: signedRequest.authentication.kind === 'signature' && signedRequest.authentication.signature,
    })
    expect(signers(signedParts(examples['pre-prepare'], 7, cluster))[0]).toBe('replica 5')
  })

  it('of a view-change: its sender, and the proof of its checkpoint', () => {
    expect(signers(signedParts(examples['view-change'], 4, cluster))).toEqual(['replica 2', 'replica 0', 'replica 1', 'replica 3'])
  })

  it('of a new-view: everything in everything', () => {
    const parts = signedParts(examples['new-view'], 4, cluster)
    const proof = ['replica 0', 'replica 1', 'replica 3']
    expect(signers(parts)).toEqual(['replica 1', 'replica 0', ...proof, 'replica 2', ...proof, 'replica 3', ...proof])
    expect(parts[1]!.bytes).toEqual(signedBytes(viewChangeOf(0), cluster))
    expect(parts[1]!.signature).toEqual(viewChangeOf(0).signature)
  })

  it('of a batch, a request, a checkpoint, a stable checkpoint', () => {
    // Wanted by its digest, which correct replicas vouch for.
    expect(signedParts(examples['batch-data'], 4, cluster)).toEqual([])
    expect(signers(signedParts(signedRequest, 4, cluster))).toEqual(['zoë/1'])
    expect(signedParts(macedRequest, 4, cluster)).toEqual([])
    expect(signers(signedParts(examples.checkpoint, 4, cluster))).toEqual(['replica 2'])
    expect(signers(stableSignedParts(viewChangeOf(2).stable, cluster))).toEqual(['replica 0', 'replica 1', 'replica 3'])
  })

  it('of what carries no signature: none', () => {
    for (const type of ['prepare', 'commit', 'reply', 'status', 'fetch', 'meta-data', 'data', 'authentication-wanted'] as const) {
      expect(signedParts(examples[type], 4, cluster)).toEqual([])
    }
  })
})
