/** A quorum of commits and the bytes are enough to execute, whatever the replica itself has seen or left. */
import { describe, expect, it } from 'vitest'
import { asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { Batch, Status } from '../../../src/pbft/protocol/messages.ts'
import type { Effect } from '../../../src/pbft/protocol/steps.ts'
import { add } from '../../support/counter-service.ts'
import { Cluster, sha256 } from '../../support/protocol-cluster.ts'
import {
  batchOf,
  commitOf,
  phasesIn,
  prepareOf,
  prePrepareOf,
  rejectionsIn,
  requestOf,
  sentIn,
  Solo,
  statusOf,
} from '../../support/solo-replica.ts'

const NOW = 1_000_000
const agreed = batchOf(NOW, requestOf('a/1', 1, add(1)))
const other = batchOf(NOW, requestOf('a/1', 1, add(2)))

const commits = (solo: Solo, senders: readonly number[], view: number, batch: Batch): Effect[] =>
  senders.flatMap((from) => solo.receive(from, commitOf(from, view, 1, sha256(batch.bytes))))

/** What the replica asks for when its status is due. */
const wantedBy = (solo: Solo): readonly string[] => {
  const effects = solo.core.step({ type: 'timer', timer: 'status' }, solo.nowMs)
  const statuses = effects.flatMap((effect): Status[] =>
    effect.type === 'send' && effect.message.type === 'status' ? [effect.message] : [],
  )
  return statuses[0]!.missingBatches
}

describe('a quorum of commits', () => {
  it('without a pre-prepare: the bytes are asked for, then it is executed, and no vote leaves', () => {
    const solo = new Solo()
    expect(phasesIn(commits(solo, [0, 2], 0, agreed))).toEqual([])
    expect(phasesIn(commits(solo, [3], 0, agreed))).toEqual(['committed'])
    expect(wantedBy(solo)).toEqual([sha256(agreed.bytes)])
    const effects = solo.receive(2, { type: 'batch-data', batch: agreed })
    expect(phasesIn(effects)).toEqual(['executed'])
    expect(sentIn(effects)).toEqual([])
    expect(wantedBy(solo)).toEqual([])
  })

  it('decides against the own pre-prepare, which an equivocating primary sent here alone', () => {
    const solo = new Solo()
    solo.receive(0, prePrepareOf(0, 1, other))
    commits(solo, [0, 2, 3], 0, agreed)
    expect(phasesIn(solo.receive(3, { type: 'batch-data', batch: agreed }))).toEqual(['executed'])
    expect(solo.core.snapshot().lastExecuted).toBe(1)
  })

  it.each([
    ['of the view that was left', 0],
    ['of a view that is yet to be entered', 5],
  ])('%s counts too', (_, view) => {
    const solo = new Solo()
    solo.receive(0, prePrepareOf(0, 1, agreed))
    solo.core.step({ type: 'operator', command: { kind: 'change-view' } }, solo.nowMs)
    expect(phasesIn(commits(solo, [0, 2, 3], view, agreed))).toEqual(['committed', 'executed'])
    expect(solo.core.snapshot()).toMatchObject({ view: asView(1), active: false, lastExecuted: 1 })
  })

  it('never mixes views or digests', () => {
    const solo = new Solo()
    const effects = [...commits(solo, [0], 0, agreed), ...commits(solo, [2], 1, agreed), ...commits(solo, [3], 0, other)]
    expect(phasesIn(effects)).toEqual([])
  })

  it('keeps a replica up to date that left its view alone, while the others stay in it', () => {
    const cluster = new Cluster({ config: { viewTimeoutMs: 100_000 } })
    const client = cluster.addClient()
    cluster.call(client, add(1))
    cluster.input(3, { type: 'operator', command: { kind: 'change-view' } })
    for (const executed of [2, 3]) {
      cluster.call(client, add(1))
      cluster.run(500)
      expect(cluster.node(3).core.snapshot()).toMatchObject({ active: false, lastExecuted: executed })
    }
    expect(cluster.eventsOf(3, 'transfer')).toEqual([])
    // Over a checkpoint the others drop the bytes at once, and a state transfer takes the place.
    for (let i = 0; i < 7; i++) cluster.call(client, add(1))
    cluster.run(5_000)
    expect(cluster.node(3).core.snapshot()).toMatchObject({ active: false, lastExecuted: 10, lowWatermark: 8 })
    expect(cluster.node(0).core.snapshot().view).toBe(0)
  })

  it('what honest peers send to one that is late is called late, and only without a reason a liar’s', () => {
    const solo = new Solo()
    const far = commitOf(2, 0, 9, sha256(agreed.bytes))
    expect(rejectionsIn(solo.receive(2, far))).toEqual(['outside-watermarks'])
    solo.receive(3, statusOf(3, { stableSeq: asSeqNo(8), lastExecuted: asSeqNo(8) }))
    expect(rejectionsIn(solo.receive(0, commitOf(0, 0, 9, sha256(agreed.bytes))))).toEqual(['late'])
    solo.core.step({ type: 'operator', command: { kind: 'change-view' } }, solo.nowMs)
    expect(rejectionsIn(solo.receive(2, prepareOf(2, 0, 2, sha256(agreed.bytes))))).toEqual(['late'])
  })
})
