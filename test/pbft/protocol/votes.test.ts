import { describe, expect, it } from 'vitest'
import { asDigest, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import { faultsTolerated, quorumSize, weakSize } from '../../../src/pbft/protocol/quorum.ts'
import { add } from '../../support/counter-service.ts'
import { batchOf, commitOf, phasesIn, prePrepareOf, prepareOf, rejectionsIn, requestOf, sentIn, Solo } from '../../support/solo-replica.ts'

const NOW = 1_000_000
const batch = batchOf(NOW, requestOf('a/1', 1, add(1)))
const other = batchOf(NOW, requestOf('a/1', 2, add(2)))
const proposal = prePrepareOf(0, 1, batch)
const { digest } = proposal
const wrong = asDigest('f'.repeat(64))

describe('votes', () => {
  it('pitfall 11: for n = 4..100 two quorums share f+1 replicas, n-f form one, and a weak set holds a correct one', () => {
    for (let n = 4; n <= 100; n++) {
      const f = faultsTolerated(n)
      expect(2 * quorumSize(n) - n).toBeGreaterThanOrEqual(f + 1)
      expect(quorumSize(n)).toBeLessThanOrEqual(n - f)
      expect(weakSize(n)).toBe(f + 1)
      expect(n).toBeGreaterThan(3 * f)
      // One vote less would not do.
      expect(2 * (quorumSize(n) - 1) - n).toBeLessThan(f + 1)
    }
  })

  it('goes from pre-prepared over prepared and committed to executed, with each promise after its record', () => {
    const solo = new Solo(1)
    const first = solo.receive(0, proposal)
    expect(sentIn(first)).toEqual(['prepare'])
    const kinds = first.map((effect) =>
      effect.type === 'persist' ? effect.record.kind : effect.type === 'send' ? effect.message.type : '',
    )
    expect(kinds.filter((kind) => kind !== '')).toEqual(['pre-prepared', 'prepare'])
    // The pre-prepare is not the primary's vote: it left before it was durable.
    expect(sentIn(solo.receive(2, prepareOf(2, 0, 1, digest)))).toEqual([])
    const prepared = solo.receive(0, prepareOf(0, 0, 1, digest))
    const order = prepared.map((effect) =>
      effect.type === 'persist' ? effect.record.kind : effect.type === 'send' ? effect.message.type : '',
    )
    expect(order.filter((kind) => kind !== '')).toEqual(['prepared', 'commit'])
    expect(prepared.every((effect) => effect.type !== 'send' || effect.gated)).toBe(true)
    expect(phasesIn(solo.receive(0, commitOf(0, 0, 1, digest)))).toEqual([])
    const executed = solo.receive(2, commitOf(2, 0, 1, digest))
    expect(phasesIn(executed)).toEqual(['committed', 'executed'])
    const reply = executed.findIndex((effect) => effect.type === 'reply')
    const record = executed.findIndex((effect) => effect.type === 'persist' && effect.record.kind === 'executed')
    expect(reply).toBeGreaterThanOrEqual(0)
    expect(reply).toBeLessThan(record)
  })

  it('keeps votes that come before the pre-prepare', () => {
    const solo = new Solo(1)
    for (const id of [2, 3]) solo.receive(id, prepareOf(id, 0, 1, digest))
    for (const id of [0, 2, 3]) solo.receive(id, commitOf(id, 0, 1, digest))
    expect(phasesIn(solo.receive(0, proposal))).toEqual(['pre-prepared', 'prepared', 'committed', 'executed'])
  })

  it('pitfall 08: votes with mixed digests do not add up', () => {
    const solo = new Solo(1, 7)
    solo.receive(0, proposal)
    for (const id of [2, 3]) expect(phasesIn(solo.receive(id, prepareOf(id, 0, 1, digest)))).toEqual([])
    for (const id of [4, 5, 6]) expect(phasesIn(solo.receive(id, prepareOf(id, 0, 1, wrong)))).toEqual([])
    expect(solo.core.snapshot().lastExecuted).toBe(0)
  })

  it('pitfall 09: a vote replayed in another phase, view or sequence number does not count', () => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    // Commits are no prepares.
    for (const id of [2, 3]) expect(phasesIn(solo.receive(id, commitOf(id, 0, 1, digest)))).toEqual([])
    // Prepares of another sequence number or view are no prepares of this one.
    for (const id of [2, 3]) {
      expect(phasesIn(solo.receive(id, prepareOf(id, 0, 2, digest)))).toEqual([])
      expect(phasesIn(solo.receive(id, prepareOf(id, 1, 1, digest)))).toEqual([])
    }
    // Whoever sends another's vote is refused.
    expect(rejectionsIn(solo.receive(3, prepareOf(2, 0, 1, digest)))).toEqual(['wrong-sender'])
    expect(rejectionsIn(solo.receive(3, commitOf(2, 0, 1, digest)))).toEqual(['wrong-sender'])
    expect(solo.core.snapshot().lastExecuted).toBe(0)
    // Prepares are no commits.
    const prepared = new Solo(1)
    prepared.receive(0, proposal)
    const phases = [0, 2, 3].flatMap((id) => phasesIn(prepared.receive(id, prepareOf(id, 0, 1, digest))))
    expect(phases).toEqual(['prepared'])
    expect(prepared.core.snapshot().lastExecuted).toBe(0)
  })

  it('pitfall 12: one replica counts once, the primary too', () => {
    const prepares = new Solo(1, 7)
    prepares.receive(0, proposal)
    for (let i = 0; i < 5; i++) expect(phasesIn(prepares.receive(2, prepareOf(2, 0, 1, digest)))).toEqual([])
    for (let i = 0; i < 2; i++) expect(phasesIn(prepares.receive(0, prepareOf(0, 0, 1, digest)))).toEqual([])
    expect(phasesIn(prepares.receive(3, prepareOf(3, 0, 1, digest)))).toEqual([])
    expect(phasesIn(prepares.receive(4, prepareOf(4, 0, 1, digest)))).toEqual(['prepared'])
    for (let i = 0; i < 5; i++) expect(phasesIn(prepares.receive(2, commitOf(2, 0, 1, digest)))).toEqual([])
    expect(phasesIn(prepares.receive(3, commitOf(3, 0, 1, digest)))).toEqual([])
    expect(phasesIn(prepares.receive(4, commitOf(4, 0, 1, digest)))).toEqual([])
    expect(phasesIn(prepares.receive(5, commitOf(5, 0, 1, digest)))).toEqual(['committed', 'executed'])
  })

  it('a second, different vote of one replica does not replace its first', () => {
    const solo = new Solo(1)
    solo.receive(2, prepareOf(2, 0, 1, wrong))
    solo.receive(2, prepareOf(2, 0, 1, digest))
    expect(phasesIn(solo.receive(0, proposal))).toEqual(['pre-prepared'])
  })

  it('refuses a proposal that conflicts, lies about its digest, or is for another view', () => {
    const solo = new Solo(1)
    expect(rejectionsIn(solo.receive(0, { ...proposal, digest: wrong }))).toEqual(['digest-mismatch'])
    expect(rejectionsIn(solo.receive(0, prePrepareOf(1, 1, batch)))).toEqual(['wrong-view'])
    solo.receive(3, proposal)
    expect(rejectionsIn(solo.receive(0, prePrepareOf(0, 1, other)))).toEqual(['conflicting-pre-prepare'])
    expect(solo.receive(0, proposal)).toEqual([])
  })

  it('pitfall 25: refuses what lies above the high watermark, and takes no notice of what lies at or below the low one', () => {
    const solo = new Solo(1)
    expect(rejectionsIn(solo.receive(0, prePrepareOf(0, 9, batch)))).toEqual(['outside-watermarks'])
    expect(rejectionsIn(solo.receive(2, prepareOf(2, 0, 9, digest)))).toEqual(['outside-watermarks'])
    expect(sentIn(solo.receive(0, prePrepareOf(0, 8, batch)))).toEqual(['prepare'])
    expect(solo.receive(0, prePrepareOf(0, 0, batch))).toEqual([])
  })

  it('refuses a time that is too far ahead; one that goes back is for execution to hold', () => {
    const solo = new Solo(1, 4, { clockSkewMaxMs: 100 })
    const at = (seq: number, timeMs: number): string[] =>
      rejectionsIn(solo.receive(0, prePrepareOf(0, seq, batchOf(timeMs, requestOf('a/1', seq, add(1))))))
    expect(at(1, NOW + 101)).toEqual(['time-out-of-bounds'])
    expect(at(1, NOW + 100)).toEqual([])
    expect(at(3, NOW + 99)).toEqual([])
    // The same time again is in order, also when the own clock is behind by now.
    solo.nowMs -= 1_000
    expect(at(2, NOW + 100)).toEqual([])
  })

  it('never votes for two batches at one place, also not after both were chosen by nobody', () => {
    const solo = new Solo(1)
    solo.receive(0, proposal)
    const again = solo.receive(0, { ...prePrepareOf(0, 1, other), view: asView(0), seq: asSeqNo(1) })
    expect(sentIn(again)).toEqual([])
  })
})
