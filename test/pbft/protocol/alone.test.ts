import { describe, expect, it } from 'vitest'
import { asView } from '../../../src/pbft/protocol/ids.ts'
import type { LogRecord } from '../../../src/pbft/protocol/records.ts'
import { createReplica } from '../../../src/pbft/protocol/replica.ts'
import { add, createCounterService } from '../../support/counter-service.ts'
import { Cluster, testCapabilities, testConfig } from '../../support/protocol-cluster.ts'
import { batchOf, prePrepareOf, requestOf } from '../../support/solo-replica.ts'

/** n = 1: nobody else's vote ever comes to move things on. */
describe('a lone replica', () => {
  const { view, seq, digest, batch, signature } = prePrepareOf(0, 1, batchOf(1_000_000, requestOf('a/1', 1, add(0))))
  const born: LogRecord = { kind: 'born', incarnation: 1, since: asView(0), lost: null }
  const records: LogRecord[] = [
    { kind: 'pre-prepared', view, seq, digest, batch, signature },
    { kind: 'prepared', view, seq, digest },
  ]

  it.each([1, 2])('goes on after a restart with what it had on disk: %i records', (length) => {
    const persisted = { partitions: [], records: [born, ...records.slice(0, length)] }
    const core = createReplica(testConfig(1, 0), testCapabilities, createCounterService(), persisted)
    const effects = core.step({ type: 'start', disk: 'kept' }, 1_000_000)
    expect(core.snapshot().lastExecuted).toBe(1)
    expect(effects.flatMap((effect) => (effect.type === 'reply' ? [effect.reply.timestamp] : []))).toEqual([1])
  })

  it('speaks to nobody and waits for nobody', () => {
    const cluster = new Cluster({ n: 1 })
    const client = cluster.addClient()
    for (let i = 0; i < 5; i++) cluster.call(client, add(i))
    const request = requestOf('other/1', cluster.nowMs * 1_000, add(1))
    const effects = [...cluster.request(0, request), ...cluster.input(0, { type: 'operator', command: { kind: 'change-view' } })]
    expect(effects.filter(({ type }) => type === 'send')).toEqual([])
    expect([...cluster.node(0).timers.keys()]).toEqual([])
    expect(cluster.node(0).core.snapshot()).toMatchObject({ view: 1, active: true, lastExecuted: 6, inFlight: 0, pending: 0, damage: null })
    cluster.crash(0)
    cluster.restart(0)
    cluster.call(client, add(1))
  })
})
