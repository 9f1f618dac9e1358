import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { behaviourNames, createOutbox, type BehaviourName, type Outbox, type Sending } from '../../../src/pbft/faults/index.ts'
import type { Capabilities } from '../../../src/pbft/protocol/capabilities.ts'
import { asDigest, asReplicaId, asSeqNo, asView, type ReplicaId } from '../../../src/pbft/protocol/ids.ts'
import type { Checkpoint, Message, PrePrepare, ReplicaMessage, Reply, ViewChange } from '../../../src/pbft/protocol/messages.ts'
import { createKeys, simClusterId } from '../../../src/pbft/sim/keys.ts'
import { createRandom } from '../../../src/pbft/sim/index.ts'
import { decodeMessage, encodeBatch, encodeMessage, signedBytes } from '../../../src/pbft/wire/index.ts'
import { checkpointOf, examples, signedRequest, viewChangeOf } from '../../support/wire-examples.ts'

const n = 4
const keys = createKeys(1, n)
const digest = (bytes: Uint8Array) => asDigest(createHash('sha256').update(bytes).digest('hex'))
const signerOf = (id: number) => keys.signerOf({ kind: 'replica', id: asReplicaId(id) })
const capabilitiesOf = (id: number): Capabilities => ({
  digest,
  encodeBatch,
  sign: (message) => signerOf(id)(signedBytes(message, simClusterId)),
})
const ids = (...list: number[]): ReplicaId[] => list.map(asReplicaId)

const outbox = (name: BehaviourName, id = 0, seed = 1, victim: number | null = null): Outbox =>
  createOutbox(name, {
    id: asReplicaId(id),
    n,
    viewTimeoutMs: 500,
    victim: victim === null ? null : asReplicaId(victim),
    capabilities: capabilitiesOf(id),
    random: createRandom(seed).next,
  })

/** By the primary of view 4, replica 0. */
const proposal = (seq = 7): PrePrepare => {
  const batch = encodeBatch(1_000, [signedRequest])
  const unsigned = { type: 'pre-prepare', view: asView(4), seq: asSeqNo(seq), digest: digest(batch.bytes), batch } as const
  return { ...unsigned, signature: signerOf(0)(signedBytes(unsigned, simClusterId)) }
}
const prepare = { ...examples.prepare, replica: asReplicaId(0) }
const commit = { ...examples.commit, view: asView(4), seq: asSeqNo(7), replica: asReplicaId(0) }
const reply: Reply = { ...examples.reply, replica: asReplicaId(0) }
const signed = <M extends Checkpoint | ViewChange>(message: M, by: number): M => ({
  ...message,
  signature: signerOf(by)(signedBytes(message, simClusterId)),
})
const isAuthentic = (message: Message): boolean => keys.isAuthentic(message)
const recipients = (sendings: readonly Sending[], type: Message['type']): number[] =>
  sendings.flatMap(({ message, to }) => (message.type === type ? to : [])).sort()

describe('every behaviour', () => {
  it.each(behaviourNames)('%s sends only what can be read, to other replicas, the same for the same chance', (name) => {
    for (const seed of [1, 2, 3]) {
      const messages: ReplicaMessage[] = [proposal(), commit]
      for (const [type, example] of Object.entries(examples))
        if (type !== 'reply' && type !== 'authentication-wanted') messages.push(example as ReplicaMessage)
      const run = (): unknown[] => {
        const box = outbox(name, 0, seed)
        return [...messages.map((message) => box.send(message, ids(1, 2, 3))), box.reply(reply)]
      }
      expect(run()).toEqual(run())
      const box = outbox(name, 0, seed)
      for (const message of messages) {
        for (const sending of box.send(message, ids(1, 2, 3))) {
          expect(decodeMessage(encodeMessage(sending.message)).ok, `seed ${seed}`).toBe(true)
          expect(sending.to.length).toBeGreaterThan(0)
          expect(sending.to).not.toContain(0)
          expect(sending.delayMs).toBeGreaterThanOrEqual(0)
        }
      }
      for (const one of box.reply(reply)) expect(decodeMessage(encodeMessage(one)).ok).toBe(true)
    }
  })
})

describe('equivocate', () => {
  it('proposes two batches, both validly signed, each backup getting one of them', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const message = proposal()
      const proposals = outbox('equivocate', 0, seed)
        .send(message, ids(1, 2, 3))
        .flatMap((sending) => (sending.message.type === 'pre-prepare' ? [{ ...sending, message: sending.message }] : []))
      expect(proposals.flatMap(({ to }) => to).sort(), `seed ${seed}`).toEqual([1, 2, 3])
      expect(proposals).toHaveLength(2)
      const [first, second] = proposals.map((sending) => sending.message)
      expect(first).toEqual(message)
      expect(second).toMatchObject({ view: 4, seq: 7 })
      expect(second?.digest).not.toBe(message.digest)
      expect(second?.digest).toBe(digest(second?.batch.bytes ?? new Uint8Array()))
      for (const one of proposals) expect(one.message.signature).toEqual(signerOf(0)(signedBytes(one.message, simClusterId)))
    }
  })

  it('votes for each at those who got it, and says the same again when asked again', () => {
    const box = outbox('equivocate')
    const message = proposal()
    const sent = box.send(message, ids(1, 2, 3))
    const second = sent.find((sending) => sending.message.type === 'pre-prepare' && sending.message.digest !== message.digest)
    const other = second?.message as PrePrepare
    expect(sent.filter((sending) => sending.message.type === 'commit')).toEqual([
      { message: { ...commit, digest: other.digest }, to: second?.to, delayMs: 0 },
    ])
    const own = { ...commit, digest: message.digest }
    const votes = box.send(own, ids(1, 2, 3))
    expect(recipients(votes, 'commit')).toEqual([1, 2, 3])
    expect(votes.find((sending) => sending.to.join() === second?.to.join())?.message).toMatchObject({
      digest: other.digest,
    })
    const [deceived] = second?.to ?? []
    expect(box.send(message, [deceived as ReplicaId])[0]?.message).toEqual(other)
  })

  it('leaves alone what another primary proposed', () => {
    const relayed = { ...proposal(), view: asView(5) }
    expect(outbox('equivocate').send(relayed, ids(2))).toEqual([{ message: relayed, to: [2], delayMs: 0 }])
  })
})

it('silent says nothing to anyone', () => {
  expect(outbox('silent').send(prepare, ids(1, 2, 3))).toEqual([])
  expect(outbox('silent').reply(reply)).toEqual([])
})

it('wrong-digest votes for what nobody proposed and answers wrongly', () => {
  const box = outbox('wrong-digest')
  for (const vote of [prepare, commit]) {
    const [sending] = box.send(vote, ids(1, 2, 3))
    expect(sending?.message).toEqual({ ...vote, digest: expect.not.stringMatching(vote.digest) })
  }
  expect(box.send(proposal(), ids(1))).toEqual([{ message: proposal(), to: [1], delayMs: 0 }])
  expect(box.reply(reply)[0]?.result).not.toEqual(reply.result)
  const brief: Reply = { ...reply, result: { kind: 'digest', digest: digest(Uint8Array.of(1)) } }
  expect(box.reply(brief)[0]?.result).not.toEqual(brief.result)
})

it('slow-primary holds back its own pre-prepares, by less than the time-out', () => {
  const box = outbox('slow-primary')
  const [sending] = box.send(proposal(), ids(1, 2, 3))
  expect(sending?.message).toEqual(proposal())
  expect(sending?.delayMs).toBeGreaterThan(400)
  expect(sending?.delayMs).toBeLessThan(500)
  expect(box.send(commit, ids(1))[0]?.delayMs).toBe(0)
  expect(outbox('slow-primary', 1).send(proposal(), ids(2))[0]?.delayMs).toBe(0)
})

it('stale-view-change denies what was prepared, from the oldest checkpoint it can prove, validly signed', () => {
  const box = outbox('stale-view-change')
  const proof = [0, 1, 3].map((id) => signed(checkpointOf(id), id))
  const first = { ...viewChangeOf(0), stable: { ...viewChangeOf(0).stable, proof } }
  const later = { ...first, view: asView(6), stable: { seq: asSeqNo(256), digest: asDigest('ab'.repeat(32)), proof } }
  box.send(first, ids(1, 2, 3))
  const [sending] = box.send(later, ids(1, 2, 3))
  expect(sending?.message).toMatchObject({ view: 6, stable: { seq: 128 }, prepared: [], prePrepared: [], checkpoints: [{ seq: 128 }] })
  expect(isAuthentic(sending?.message as ViewChange)).toBe(true)
  const relayed = viewChangeOf(2)
  expect(box.send(relayed, ids(1))[0]?.message).toBe(relayed)
})

it('lying-checkpoint signs another digest, and relays what others signed unchanged', () => {
  const box = outbox('lying-checkpoint')
  const [sending] = box.send(signed(checkpointOf(0), 0), ids(1, 2, 3))
  expect(sending?.message).toMatchObject({ type: 'checkpoint', seq: 128, replica: 0 })
  expect((sending?.message as Checkpoint).digest).not.toBe(checkpointOf(0).digest)
  expect(isAuthentic(sending?.message as Checkpoint)).toBe(true)
  expect(box.send(checkpointOf(2), ids(1))[0]?.message).toEqual(examples.checkpoint)
  expect(box.reply(reply)[0]?.result).not.toEqual(reply.result)
})

it('replay says old things again, votes in newer views too', () => {
  const box = outbox('replay')
  const old = { ...prepare, view: asView(1) }
  box.send(old, ids(1, 2, 3))
  const repeated = Array.from({ length: 200 }, () => box.send(commit, ids(1, 2, 3)).slice(1)).flat()
  expect(repeated.every((sending) => sending.to.length === 1)).toBe(true)
  expect(repeated.map((sending) => sending.message)).toContainEqual(old)
  expect(repeated.map((sending) => sending.message)).toContainEqual({ ...old, view: 4 })
})

it('forge speaks for others, and nothing that is signed holds', () => {
  const box = outbox('forge')
  for (const vote of [prepare, commit, { ...examples.status, replica: asReplicaId(0) }]) {
    const [forged, own] = box.send(vote, ids(1, 2, 3))
    expect(forged?.message).toEqual({ ...vote, replica: expect.any(Number) })
    expect(forged?.message).not.toMatchObject({ replica: 0 })
    expect(own?.message).toEqual(vote)
  }
  for (const message of [proposal(), signed(checkpointOf(0), 0), signed(viewChangeOf(0), 0), examples['new-view'], signedRequest]) {
    expect(isAuthentic(box.send(message, ids(1))[0]?.message as Message), message.type).toBe(false)
  }
  expect(box.reply(reply).map((one) => one.replica)).toEqual([expect.not.toSatisfy((id: number) => id === 0), 0])
})

it('starve leaves out one replica: the chosen one, or the next', () => {
  expect(recipients(outbox('starve', 0, 1, 2).send(prepare, ids(1, 2, 3)), 'prepare')).toEqual([1, 3])
  expect(recipients(outbox('starve', 3).send(prepare, ids(0, 1, 2)), 'prepare')).toEqual([1, 2])
  expect(outbox('starve', 0, 1, 2).send(prepare, ids(2))).toEqual([])
  expect(outbox('starve').reply(reply)).toEqual([reply])
})
