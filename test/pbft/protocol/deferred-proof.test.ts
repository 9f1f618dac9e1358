import { describe, expect, it } from 'vitest'
import { checkersOf } from '../../../src/pbft/protocol/deferred-proof.ts'
import { asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { PrePrepare } from '../../../src/pbft/protocol/messages.ts'
import { faultsTolerated } from '../../../src/pbft/protocol/quorum.ts'
import type { Effect } from '../../../src/pbft/protocol/steps.ts'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { batchOf, phasesIn, prePrepareOf, prepareOf, rejectionsIn, requestOf, sentIn, Solo } from '../../support/solo-replica.ts'
import { forged, macedFor } from '../../support/test-macs.ts'

const NOW = 1_000_000
const viewsOf = (cluster: Cluster): number[] => cluster.nodes.map((node) => node.core.snapshot().view)

it('in each view every backup has its turn equally often, f at a time, and the primary none', () => {
  for (const n of [4, 5, 7, 10, 31]) {
    for (const view of [0, 1, n + 2]) {
      const turns = new Array<number>(n).fill(0)
      for (let seq = 1; seq < n; seq++) {
        const checkers = checkersOf(asView(view), asSeqNo(seq), n)
        expect(new Set(checkers).size).toBe(faultsTolerated(n))
        for (const id of checkers) turns[id] = (turns[id] ?? 0) + 1
      }
      expect(turns.map((count, id) => (id === view % n ? count : count - faultsTolerated(n)))).toEqual(turns.map(() => 0))
    }
  }
})

describe('a batch whose check is left to others', () => {
  const size = 2
  const batch = batchOf(NOW, requestOf('a/1', 1, add(1)), requestOf('b/1', 1, add(1)))
  const proposal = prePrepareOf(0, 1, batch)
  const checker = checkersOf(asView(0), asSeqNo(1), 4)[0] ?? asReplicaId(0)
  const other = [1, 2, 3].find((id) => id !== checker) ?? 0
  const lazy = (): Solo => new Solo(other, 4, { deferProofFrom: size, viewTimeoutMs: 500 })
  const give = (solo: Solo, message: PrePrepare): Effect[] =>
    solo.core.step({ type: 'message', from: asReplicaId(0), message, unverified: message.batch.requests.map((_, i) => i) }, solo.nowMs)
  /** A quarter of the time-out, and an eighth of a millisecond for each of two requests. */
  const expire = (solo: Solo, afterMs = 126): Effect[] => {
    solo.nowMs += afterMs
    return solo.core.step({ type: 'timer', timer: 'proof' }, solo.nowMs)
  }
  const answer = (solo: Solo, holds: boolean): Effect[] =>
    solo.core.step({ type: 'signatures-checked', seq: asSeqNo(1), digest: proposal.digest, holds }, solo.nowMs)

  it('is large enough, of this view, and not the turn of this replica', () => {
    expect(lazy().core.defers(proposal)).toBe(true)
    expect(lazy().core.defers(prePrepareOf(0, 1, batchOf(NOW, requestOf('a/1', 1, add(1)))))).toBe(false)
    expect(lazy().core.defers(prePrepareOf(4, 1, batch))).toBe(false)
    expect(new Solo(checker, 4, { deferProofFrom: size }).core.defers(proposal)).toBe(false)
    expect(new Solo(other, 4).core.defers(proposal)).toBe(false)
  })

  it('gets a vote when f+1 vouch for it, and nothing is checked', () => {
    const solo = lazy()
    const effects = give(solo, proposal)
    expect(sentIn(effects)).toEqual([])
    expect(effects.some((effect) => effect.type === 'set-timer' && effect.timer === 'proof')).toBe(true)
    solo.receive(0, prepareOf(0, 0, 1, proposal.digest))
    expect(phasesIn(solo.receive(checker, prepareOf(checker, 0, 1, proposal.digest)))).toEqual(['pre-prepared', 'prepared'])
    expect(expire(solo).some((effect) => effect.type === 'check-signatures')).toBe(false)
  })

  it('is checked when they do not in time; who was waited for in vain is not waited for again for a minute', () => {
    const solo = lazy()
    give(solo, proposal)
    solo.receive(0, prepareOf(0, 0, 1, proposal.digest))
    const late = expire(solo)
    expect(late.filter((effect) => effect.type === 'check-signatures').map((effect) => effect.message)).toEqual([proposal])
    expect(expire(solo).some((effect) => effect.type === 'check-signatures')).toBe(false)
    expect(phasesIn(answer(solo, true))).toEqual(['pre-prepared'])
    // Its turn comes again with 4; that of the others does with 2 and 3.
    const deferred = (): number[] => [4, 7].filter((seq) => solo.core.defers(prePrepareOf(0, seq, batch)))
    expect(deferred()).toEqual([])
    const others = [2, 3].filter((seq) => checkersOf(asView(0), asSeqNo(seq), 4)[0] !== asReplicaId(other))
    expect(others.map((seq) => solo.core.defers(prePrepareOf(0, seq, batch)))).toEqual([true])
    solo.nowMs += 60_000
    solo.core.step({ type: 'drained' }, solo.nowMs)
    expect(deferred()).toEqual([4, 7])
  })

  it('is waited for the longer the more is in it, up to a part of the view time-out', () => {
    for (const [requests, patienceMs] of [
      [2, 125.25],
      [400, 175],
      [1_024, 187.5],
    ] as const) {
      const solo = lazy()
      const large = batchOf(NOW, ...Array.from({ length: requests }, (_, i) => requestOf(`a/${i}`, 1, add(1))))
      const set = give(solo, prePrepareOf(0, 1, large)).find((effect) => effect.type === 'set-timer' && effect.timer === 'proof')
      expect(set).toMatchObject({ delayMs: patienceMs })
      const after = (ms: number): Effect[] => expire(solo, ms)
      const early = after(Math.floor(patienceMs) - 1)
      expect(early.some((effect) => effect.type === 'check-signatures')).toBe(false)
      // Looked at too early, it is looked at again when its patience ends, and no later.
      const again = early.find((effect) => effect.type === 'set-timer' && effect.timer === 'proof')
      expect(again).toMatchObject({ delayMs: patienceMs - Math.floor(patienceMs) + 1 })
      expect(after(2).some((effect) => effect.type === 'check-signatures')).toBe(true)
    }
  })

  it('is dropped when it is forged', () => {
    const solo = lazy()
    give(solo, proposal)
    expire(solo)
    const effects = answer(solo, false)
    expect(rejectionsIn(effects)).toEqual(['forged-request'])
    expect(sentIn(effects)).toEqual([])
    expect(solo.core.snapshot().suspended).toBe(0)
    // An answer for what is gone changes nothing.
    expect(phasesIn(answer(solo, true))).toEqual([])
  })

  it('still needs proof of the MACs among its requests', () => {
    const solo = lazy()
    const plain = requestOf('b/1', 1, add(1))
    const mixed = prePrepareOf(0, 1, batchOf(NOW, requestOf('a/1', 1, add(1)), macedFor(plain, [])))
    give(solo, mixed)
    expire(solo)
    const holds = { type: 'signatures-checked', seq: mixed.seq, digest: mixed.digest, holds: true } as const
    expect(phasesIn(solo.core.step(holds, solo.nowMs))).toEqual([])
    expect(phasesIn(solo.request(plain))).toEqual(['pre-prepared'])
  })
})

describe('a cluster that leaves the check to f+1', () => {
  const config = { deferProofFrom: 1 }

  it('goes on without checking twice what f+1 have checked', () => {
    const cluster = new Cluster({ config })
    const client = cluster.addClient()
    for (let i = 1; i <= 10; i++) expect(readCounter(cluster.call(client, add(1)).result)).toBe(i)
    expect(cluster.checked).toEqual([])
    expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
  })

  it('waits once for a silent checker, without a view change', () => {
    const cluster = new Cluster({ config })
    const client = cluster.addClient()
    cluster.filter = ({ from, message }) => !(from === 3 && message.type === 'prepare')
    for (let i = 1; i <= 12; i++) cluster.call(client, add(1))
    expect(cluster.checked.map(({ by }) => by).sort()).toEqual([1, 2])
    expect(viewsOf(cluster)).toEqual([0, 0, 0, 0])
  })

  it('executes nothing that is forged, whoever else votes for it: the view changes and it goes on', () => {
    const cluster = new Cluster({ config })
    const client = cluster.addClient()
    cluster.call(client, add(1))
    const bad = prePrepareOf(0, 2, batchOf(cluster.nowMs, forged(requestOf('victim/1', 1, add(9)))))
    // The primary and its own prepare are all that speaks for it: f votes.
    for (const id of [1, 2, 3]) {
      cluster.queue.push({ from: asReplicaId(0), to: asReplicaId(id), message: bad })
      cluster.queue.push({ from: asReplicaId(0), to: asReplicaId(id), message: prepareOf(0, 0, 2, bad.digest) })
    }
    cluster.crash(0)
    expect(readCounter(cluster.call(client, add(1)).result)).toBe(2)
    expect(cluster.nodes.map((node) => node.service.counters[9] ?? 0)).toEqual([0, 0, 0, 0])
    cluster.assertAgreement()
  })
})
