/** When a replica leaves its view, for which one, and what it tells of itself then. */
import { describe, expect, it } from 'vitest'
import { asDigest, asReplicaId, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { ViewChange } from '../../../src/pbft/protocol/messages.ts'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { batchOf, commitOf, prePrepareOf, prepareOf, requestOf, sentIn, Solo } from '../../support/solo-replica.ts'
import { macedFor } from '../../support/test-macs.ts'

/** A view-change of a replica that has nothing yet. */
const viewChangeOf = (solo: Solo, replica: number, view: number): ViewChange => {
  const genesis = { seq: asSeqNo(0), digest: solo.core.snapshot().stableDigest }
  return {
    type: 'view-change',
    view: asView(view),
    replica: asReplicaId(replica),
    incarnation: 1,
    stable: { ...genesis, proof: [] },
    checkpoints: [genesis],
    prepared: [],
    prePrepared: [],
    signature: new Uint8Array(64),
  }
}

describe('leaving a view', () => {
  it('follows f+1 that want different higher views to the lowest of these', () => {
    const solo = new Solo(1)
    expect(sentIn(solo.receive(3, viewChangeOf(solo, 3, 5)))).not.toContain('view-change')
    expect(sentIn(solo.receive(2, viewChangeOf(solo, 2, 2)))).toContain('view-change')
    expect(solo.core.snapshot()).toMatchObject({ view: 2, active: false })
  })

  it('refuses view-changes that no correct replica sends, says whose, and does not follow them', () => {
    const solo = new Solo(1)
    for (const from of [2, 3]) {
      const message = { ...viewChangeOf(solo, from, 1), checkpoints: [{ seq: asSeqNo(0), digest: asDigest('a'.repeat(64)) }] }
      expect(solo.receive(from, message)).toContainEqual({
        type: 'event',
        event: { type: 'rejected', reason: 'invalid-view-change', message: 'view-change', from },
      })
    }
    expect(solo.core.snapshot()).toMatchObject({ view: 0, active: true })
  })

  it('waits for a batch that nobody can prove as it does for others', () => {
    const solo = new Solo(1)
    solo.receive(0, prePrepareOf(0, 1, batchOf(solo.nowMs, macedFor(requestOf('a/1', 1, add(1)), [0]))))
    expect(solo.core.snapshot()).toMatchObject({ suspended: 1, viewTimerDueAtMs: solo.nowMs + 500 })
  })

  it('tells of a batch that it fetched for this view and voted for, also after a restart', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    // Replica 3 never sees the proposal; the others prepare it, and no commit ever arrives.
    cluster.filter = ({ to, message }) =>
      message.type !== 'commit' && (to !== 3 || (message.type !== 'pre-prepare' && message.type !== 'prepare'))
    cluster.submit(client, add(1))
    cluster.deliver()
    cluster.crash(0)
    cluster.filter = ({ message }) => message.type !== 'commit' && (message.type !== 'pre-prepare' || message.view > 0)
    cluster.run(1_500)
    const { view } = cluster.node(3).core.snapshot()
    expect(view).toBeGreaterThan(0)
    expect(cluster.node(3).disk.records.some(({ kind }) => kind === 'batch')).toBe(true)
    cluster.crash(3)
    const told: ViewChange[] = []
    cluster.filter = ({ message }) => {
      if (message.type === 'view-change' && message.replica === 3) told.push(message)
      return message.type !== 'commit'
    }
    cluster.restart(3)
    cluster.run(200)
    cluster.input(3, { type: 'operator', command: { kind: 'change-view' } })
    cluster.deliver()
    expect(told.at(-1)?.prePrepared.map(({ seq }) => seq)).toEqual([1])
  })
})

describe('a read that came between', () => {
  it('waits for what had prepared here, and is answered once that is executed', () => {
    const solo = new Solo(1)
    const proposal = prePrepareOf(0, 1, batchOf(solo.nowMs, requestOf('a/1', 1, add(3))))
    solo.receive(0, proposal)
    for (const id of [0, 2]) solo.receive(id, prepareOf(id, 0, 1, proposal.digest))
    const read = solo.request(requestOf('b/1', 1, add(3, 0), true))
    expect(read.filter(({ type }) => type === 'reply')).toEqual([])
    solo.receive(0, commitOf(0, 0, 1, proposal.digest))
    const effects = solo.receive(2, commitOf(2, 0, 1, proposal.digest))
    const replies = effects.flatMap((effect) => (effect.type === 'reply' ? [effect.reply] : []))
    expect(replies.map(({ client }) => client)).toEqual(['a/1', 'b/1'])
    const { result } = replies[1]!
    expect(result.kind === 'full' && readCounter(result.bytes)).toBe(1)
  })
})
