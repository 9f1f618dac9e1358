import { describe, expect, it } from 'vitest'
import type { NewView } from '../../../src/pbft/protocol/messages.ts'
import { asDigest } from '../../../src/pbft/protocol/ids.ts'
import { add, readCounter } from '../../support/counter-service.ts'
import { Cluster, type Packet } from '../../support/protocol-cluster.ts'
import { requestOf } from '../../support/solo-replica.ts'

const views = (cluster: Cluster): number[] => cluster.nodes.filter((node) => node.up).map((node) => node.core.snapshot().view)
const isIdle = (cluster: Cluster): boolean => cluster.nodes.every((node) => !node.up || node.core.snapshot().active)

const allAgree = (cluster: Cluster): void => {
  cluster.assertAgreement()
  const live = cluster.nodes.filter((node) => node.up)
  expect(new Set(live.map((node) => node.core.stateDigest())).size).toBe(1)
}

describe('view change', () => {
  it('replaces a crashed primary, and requests go on', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    for (let i = 0; i < 5; i++) cluster.call(client, add(1))
    cluster.crash(0)
    for (let i = 6; i <= 20; i++) expect(readCounter(cluster.call(client, add(1)).result)).toBe(i)
    cluster.run(2_000)
    expect(views(cluster)).toEqual([1, 1, 1])
    allAgree(cluster)
  })

  it('takes the old primary back when it restarts from its disk, and when it was only cut off', () => {
    for (const restarts of [true, false]) {
      const cluster = new Cluster()
      const client = cluster.addClient()
      for (let i = 0; i < 3; i++) cluster.call(client, add(1))
      if (restarts) cluster.crash(0)
      else {
        cluster.filter = ({ from, to }) => from !== 0 && to !== 0
        cluster.clientFilter = (to) => to !== 0
      }
      for (let i = 0; i < 7; i++) cluster.call(client, add(1))
      if (restarts) cluster.restart(0)
      else {
        cluster.filter = () => true
        cluster.clientFilter = () => true
      }
      cluster.run(5_000)
      expect(views(cluster)).toEqual([1, 1, 1, 1])
      expect(cluster.node(0).core.snapshot().lastExecuted).toBe(10)
      allAgree(cluster)
    }
  })

  it('changes the view on the command of operators at f+1 replicas', () => {
    const cluster = new Cluster()
    for (const id of [1, 2]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    cluster.run(1_000)
    expect(views(cluster)).toEqual([1, 1, 1, 1])
    expect(isIdle(cluster)).toBe(true)
    expect(readCounter(cluster.call(cluster.addClient(), add(2)).result)).toBe(1)
  })

  it('pitfall 01: a batch committed at one replica only keeps its digest when the primary dies', () => {
    // Commits of view 0 reach replica 3 alone, which executes.
    const cluster = new Cluster({ filter: ({ message, to }) => message.type !== 'commit' || to === 3 })
    const client = cluster.addClient()
    cluster.submit(client, add(1))
    cluster.deliver()
    const digest = cluster.executed(3).get(1)
    expect(digest).toBeDefined()
    expect(cluster.executed(1).size).toBe(0)
    cluster.crash(0)
    cluster.filter = ({ message }) => message.type !== 'commit' || message.view > 0
    cluster.run(5_000)
    for (const id of [1, 2, 3]) expect(cluster.executed(id).get(1)).toBe(digest)
    expect(cluster.node(1).core.snapshot().view).toBeGreaterThan(0)
    allAgree(cluster)
    expect(client.results).toHaveLength(1)
  })

  it('pitfalls 06 and 07: a gap becomes the null request, and what prepared above it executes', () => {
    const blocked = new Set(['prepare', 'commit'])
    const hideFirst = ({ message }: Packet): boolean =>
      !(
        (message.type === 'pre-prepare' || blocked.has(message.type)) &&
        'view' in message &&
        message.view === 0 &&
        'seq' in message &&
        message.seq === 1
      )
    const cluster = new Cluster({ filter: hideFirst })
    const clients = [cluster.addClient(), cluster.addClient()]
    for (const client of clients) cluster.submit(client, add(5))
    cluster.deliver()
    for (const id of [1, 2, 3])
      expect(cluster.node(id).disk.records.some((record) => record.kind === 'prepared' && record.seq === 2)).toBe(true)
    cluster.crash(0)
    cluster.run(10_000)
    for (const id of [1, 2, 3]) {
      const nulls = cluster.node(id).disk.records.filter((record) => record.kind === 'executed' && record.seq === 1)
      expect(nulls).toMatchObject([{ batch: { timeMs: 0, requests: [] } }])
      expect(cluster.eventsOf(id, 'view-entered')[0]).toMatchObject({ chosen: 2, nulls: 1 })
    }
    expect(cluster.node(1).service.counters[5]).toBe(2)
    expect(clients.every((client) => client.results.length === 1)).toBe(true)
    allAgree(cluster)
  })

  /** Runs a change to view 1 in which the new primary's new-view is tampered with on its way. */
  const withTamperedNewView = (tamper: (newView: NewView) => NewView): Cluster => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    for (let i = 0; i < 3; i++) cluster.call(client, add(1))
    cluster.filter = (packet, self) => {
      const { message } = packet
      if (message.type !== 'new-view' || message.view !== 1) return true
      self.input(packet.to, { type: 'message', from: packet.from, message: tamper(message) })
      return false
    }
    for (const id of [2, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
    return cluster
  }

  it.each([
    ['no view-changes', (newView: NewView): NewView => ({ ...newView, viewChanges: [] })],
    [
      'one replica twice',
      (newView: NewView): NewView => ({ ...newView, viewChanges: newView.viewChanges.map(() => newView.viewChanges[0]!) }),
    ],
    [
      'an invalid view-change',
      (newView: NewView): NewView => ({
        ...newView,
        viewChanges: newView.viewChanges.map((viewChange, i) => (i === 1 ? { ...viewChange, checkpoints: [] } : viewChange)),
      }),
    ],
    [
      'a view-change for another view',
      (newView: NewView): NewView => ({
        ...newView,
        view: newView.view,
        viewChanges: newView.viewChanges.map((v) => ({ ...v, view: (v.view + 4) as never })),
      }),
    ],
  ])('pitfall 02: nobody enters a view by a new-view with %s', (_, tamper) => {
    const cluster = withTamperedNewView(tamper)
    cluster.deliver()
    for (const id of [0, 2, 3]) {
      expect(cluster.eventsOf(id, 'view-entered').filter((event) => event.view === 1)).toEqual([])
      expect(cluster.eventsOf(id, 'rejected').some((event) => event.reason === 'invalid-new-view')).toBe(true)
    }
  })

  it.each([
    ['drops', (newView: NewView): NewView => ({ ...newView, chosen: newView.chosen.slice(0, -1) })],
    [
      'swaps',
      (newView: NewView): NewView => ({
        ...newView,
        chosen: newView.chosen.map((entry, i) => (i === 0 ? { ...entry, digest: asDigest('0'.repeat(64)) } : entry)),
      }),
    ],
    ['starts higher than', (newView: NewView): NewView => ({ ...newView, start: { ...newView.start, seq: 4 as never } })],
  ])('pitfall 03: when the new primary %s one digest, backups reject it and go to v+2', (_, tamper) => {
    const cluster = withTamperedNewView(tamper)
    cluster.run(5_000)
    expect(views(cluster)).toEqual([2, 2, 2, 2])
    for (const id of [0, 2, 3]) {
      const started = cluster.eventsOf(id, 'view-change-started').find((event) => event.view === 2)
      expect(started).toBeDefined()
    }
    expect(
      cluster.nodes.some((node) => node.events.some((e) => e.type === 'view-change-started' && e.reason.kind === 'invalid-new-view')),
    ).toBe(true)
    allAgree(cluster)
  })

  it('pitfall 10: a recorded quorum of view-changes and its new-view, replayed, move nobody backwards', () => {
    const recorded: Packet[] = []
    const cluster = new Cluster({
      filter: (packet) => {
        if (packet.message.type === 'view-change' || packet.message.type === 'new-view') recorded.push(packet)
        return true
      },
    })
    for (const round of [1, 2, 3]) {
      for (const id of [2, 3]) cluster.input(id, { type: 'operator', command: { kind: 'change-view' } })
      cluster.run(1_000)
      expect(views(cluster)).toEqual([round, round, round, round])
    }
    for (const packet of recorded.slice()) {
      cluster.input(packet.to, { type: 'message', from: packet.from, message: packet.message })
      expect(views(cluster)).toEqual([3, 3, 3, 3])
    }
    cluster.run(1_000)
    expect(views(cluster)).toEqual([3, 3, 3, 3])
    expect(isIdle(cluster)).toBe(true)
  })

  it('pitfall 16: without a quorum of view-changes the timer does not run, and the view number stands still', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    cluster.call(client, add(1))
    cluster.crash(0)
    cluster.crash(1)
    cluster.submit(client, add(1))
    cluster.run(30_000)
    expect(Math.max(...views(cluster))).toBeLessThanOrEqual(1)
    expect(cluster.node(2).core.snapshot().viewTimeoutMs).toBeLessThanOrEqual(1_000)
  })

  it('pitfall 16: one that left alone waits in its view although it hears everyone, until it is followed', () => {
    const cluster = new Cluster()
    cluster.input(3, { type: 'operator', command: { kind: 'change-view' } })
    cluster.run(1_500)
    expect(views(cluster)).toEqual([0, 0, 0, 1])
    cluster.run(10_000)
    expect(views(cluster)).toEqual([1, 1, 1, 1])
  })

  it('pitfall 17: after two view changes in a row the first request that executes resets the back-off', () => {
    const cluster = new Cluster({ filter: ({ from, message }) => from !== 1 || message.type !== 'new-view' })
    const client = cluster.addClient()
    cluster.call(client, add(1))
    cluster.crash(0)
    cluster.call(client, add(1))
    const { view, viewTimeoutMs } = cluster.node(3).core.snapshot()
    expect({ view, viewTimeoutMs }).toEqual({ view: 2, viewTimeoutMs: 500 })
  })

  it('pitfall 17: back-off resets once more than f are back, and the request completes', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    cluster.call(client, add(1))
    cluster.crash(0)
    cluster.crash(1)
    cluster.submit(client, add(1))
    cluster.run(10_000)
    cluster.restart(1)
    cluster.run(5_000)
    expect(client.results).toHaveLength(2)
    cluster.call(client, add(1))
    cluster.run(1_000)
    expect(cluster.node(2).core.snapshot().viewTimeoutMs).toBe(500)
    allAgree(cluster)
  })

  it('pitfall 18: linked to the primary only, then healed: requests complete, and no replica is left behind', () => {
    const cluster = new Cluster({ filter: ({ from, to }) => from === 0 || to === 0 })
    const client = cluster.addClient()
    cluster.submit(client, add(1))
    cluster.run(5_000)
    cluster.filter = () => true
    cluster.run(10_000)
    expect(client.results).toHaveLength(1)
    expect(isIdle(cluster)).toBe(true)
    allAgree(cluster)
  })

  it('pitfall 18: one that hears everyone and reaches nobody leaves its view alone, and is followed once the links are whole', () => {
    const cluster = new Cluster({ filter: ({ from }) => from !== 3 })
    const client = cluster.addClient()
    cluster.call(client, add(1))
    cluster.input(3, { type: 'request', request: requestOf('alone/1', cluster.nowMs, add(1)) })
    cluster.run(5_000)
    expect(cluster.node(3).core.snapshot().active).toBe(false)
    cluster.filter = () => true
    cluster.run(10_000)
    for (const id of [0, 1, 2, 3]) expect(cluster.node(id).core.snapshot()).toMatchObject({ view: views(cluster)[3], active: true })
    allAgree(cluster)
  })

  it('an isolated backup does not leave its view alone, and is up to date once it is back', () => {
    const cluster = new Cluster()
    const clients = Array.from({ length: 3 }, () => cluster.addClient())
    cluster.call(clients[0]!, add(1))
    for (const client of clients) cluster.submit(client, add(1))
    cluster.filter = ({ from, to }) => from !== 3 && to !== 3
    cluster.run(20_000)
    for (let i = 0; i < 20; i++) cluster.call(clients[0]!, add(2))
    cluster.filter = () => true
    cluster.run(5_000)
    expect(views(cluster)).toEqual([0, 0, 0, 0])
    allAgree(cluster)
  })
})
