import { expect, it } from 'vitest'
import { generateKey, sha256, sign, type PrivateKey } from '../../src/link/keys.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { PrePrepare, Proposal } from '../../src/pbft/protocol/messages.ts'
import { encodeBatch, signedBytes } from '../../src/pbft/wire/index.ts'
import { createProposalSignatures } from '../../src/replica/proposal-signatures.ts'
import { createVerifier } from '../../src/replica/verification.ts'
import { makeCluster } from '../support/manifests.ts'

const cluster = makeCluster([1, 2, 3, 4])
const { clusterId } = cluster.manifest
const keyOf = (id: number): PrivateKey => cluster.replicaKeys[id] as PrivateKey

/** At replica 2, whose clock is `clock.now`. */
const make = () => {
  const clock = { now: 0 }
  const refused: string[] = []
  const verifier = createVerifier(directoryOf(cluster.manifest))
  const count = (reason: string): void => void refused.push(reason)
  const proposals = createProposalSignatures({ id: 2, n: 4, clusterId, verifier, count, now: () => clock.now, random: () => 0.5 })
  return { proposals, clock, refused }
}

const batch = encodeBatch(1, [])
const prePrepareOf = (view: number, key = keyOf(view)): PrePrepare => {
  const body = { type: 'pre-prepare', view: asView(view), seq: asSeqNo(1), digest: sha256(batch.bytes), batch } as const
  return { ...body, signature: sign(key, signedBytes(body, clusterId)) }
}
const headerOf = ({ view, seq, digest, signature }: PrePrepare): Proposal => ({ type: 'proposal', view, seq, digest, signature })

it('checks now and then what comes from the primary itself, and always what others bring', () => {
  const { proposals, clock } = make()
  const waits = (peer: number): boolean => proposals.mayWait(peer, prePrepareOf(0))
  expect([waits(0), waits(0), waits(0), waits(1), waits(3)]).toEqual([false, true, true, false, false])
  clock.now = 24
  expect(waits(0)).toBe(true)
  clock.now = 25
  expect([waits(0), waits(0)]).toEqual([false, true])
  // The primary of the next view has a turn of its own.
  expect([proposals.mayWait(1, prePrepareOf(1)), proposals.mayWait(1, prePrepareOf(1))]).toEqual([false, true])
})

it('checks everything of a primary that was found to sign badly', () => {
  const { proposals } = make()
  const bad = prePrepareOf(0, generateKey())
  expect(proposals.mayWait(0, bad)).toBe(false)
  proposals.foundBad(1, bad)
  expect(proposals.mayWait(0, bad)).toBe(true)
  proposals.foundBad(0, bad)
  expect(proposals.mayWait(0, prePrepareOf(0))).toBe(false)
})

it('shows nobody what is not signed as it says, and counts it', () => {
  const { proposals, refused } = make()
  const bad = prePrepareOf(0, generateKey())
  expect(proposals.mayLeave(prePrepareOf(0))).toBe(true)
  expect(proposals.mayLeave(headerOf(prePrepareOf(1)))).toBe(true)
  expect(refused).toEqual([])
  expect(proposals.mayWait(0, bad)).toBe(false)
  expect(proposals.mayLeave(bad)).toBe(false)
  expect(proposals.mayLeave(headerOf(bad))).toBe(false)
  expect(refused).toEqual(['bad-signature', 'bad-signature'])
  expect(proposals.mayWait(0, prePrepareOf(0))).toBe(false)
  // A Byzantine behaviour of this replica itself is its own affair.
  expect(proposals.mayLeave(prePrepareOf(2, generateKey()))).toBe(true)
})

it('takes for evidence only what is signed as it says', () => {
  const { proposals, refused } = make()
  const [good, bad] = [headerOf(prePrepareOf(0)), headerOf(prePrepareOf(0, generateKey()))]
  expect(proposals.areProven(good, good)).toBe(true)
  expect(proposals.areProven(good, bad)).toBe(false)
  expect(proposals.areProven(bad, good)).toBe(false)
  expect(refused).toEqual(['bad-signature', 'bad-signature'])
})
