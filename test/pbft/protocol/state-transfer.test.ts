import { describe, expect, it } from 'vitest'
import { add } from '../../support/counter-service.ts'
import { Cluster, type Packet, type TestClient } from '../../support/protocol-cluster.ts'

/** Cuts replica 3 off while the others take `requests` requests to many partitions. */
const leaveBehind = (requests: number, n = 4): { readonly cluster: Cluster; readonly client: TestClient } => {
  const cluster = new Cluster({ n })
  const client = cluster.addClient()
  cluster.call(client, add(1))
  cluster.run(200)
  cluster.filter = ({ from, to }) => from !== 3 && to !== 3
  for (let i = 0; i < requests; i++) cluster.call(client, add(i % 40))
  return { cluster, client }
}

const isCaughtUp = (cluster: Cluster): boolean => cluster.node(3).core.stateDigest() === cluster.node(0).core.stateDigest()

describe('state transfer', () => {
  it('brings a replica that is far behind up to date, fetching only what differs', () => {
    const { cluster, client } = leaveBehind(50)
    let fetched = 0
    cluster.filter = ({ message }) => {
      if (message.type === 'data') fetched++
      return true
    }
    cluster.run(5_000)
    expect(isCaughtUp(cluster)).toBe(true)
    // 40 counters, one client's reply, the time.
    expect(fetched).toBeLessThanOrEqual(42)
    const phases = cluster.eventsOf(3, 'transfer').map((event) => event.state)
    expect(phases[0]).toBe('started')
    expect(phases.at(-1)).toBe('completed')
    cluster.call(client, add(1))
    cluster.run(1_000)
    expect(isCaughtUp(cluster)).toBe(true)
  })

  it('pitfall 22: takes part in the current view afterwards: it is needed for the quorum', () => {
    const { cluster, client } = leaveBehind(30)
    cluster.crash(0)
    cluster.filter = () => true
    for (let i = 0; i < 5; i++) cluster.call(client, add(2))
    cluster.run(5_000)
    const { view, active, transferring } = cluster.node(3).core.snapshot()
    expect({ active, transferring }).toEqual({ active: true, transferring: false })
    expect(view).toBe(cluster.node(1).core.snapshot().view)
    expect(cluster.node(3).core.stateDigest()).toBe(cluster.node(1).core.stateDigest())
  })

  it('pitfall 22: takes part in the view that it was in: a quorum with it needs no other view', () => {
    const { cluster, client } = leaveBehind(30)
    cluster.filter = () => true
    cluster.run(2_000)
    expect(cluster.eventsOf(3, 'transfer').at(-1)).toMatchObject({ state: 'completed' })
    cluster.crash(2)
    cluster.call(client, add(2))
    expect([0, 1, 3].map((id) => cluster.node(id).core.snapshot())).toMatchObject([0, 1, 3].map(() => ({ view: 0, active: true })))
  })

  const lying = (packet: Packet): Packet['message'] => {
    const { message } = packet
    if (message.type === 'data') return { ...message, bytes: new Uint8Array([6, 6, 6, 6]) }
    if (message.type === 'meta-data') return { ...message, children: message.children.slice().reverse() }
    return message
  }

  it('pitfall 23: pieces from liars are refused and asked for elsewhere, also when the liars answer last', () => {
    for (const liarsLast of [false, true]) {
      const { cluster } = leaveBehind(50, 7)
      const held: Packet[] = []
      cluster.filter = (packet, self) => {
        const isPiece = packet.message.type === 'data' || packet.message.type === 'meta-data'
        if (!isPiece || packet.from > 1) return true
        if (liarsLast) held.push(packet)
        else self.input(packet.to, { type: 'message', from: packet.from, message: lying(packet) })
        return false
      }
      cluster.run(1_000)
      for (const packet of held) cluster.input(packet.to, { type: 'message', from: packet.from, message: lying(packet) })
      cluster.run(5_000)
      expect(cluster.node(3).core.stateDigest()).toBe(cluster.node(2).core.stateDigest())
      if (!liarsLast) expect(cluster.eventsOf(3, 'rejected').some((event) => event.reason === 'invalid-partition')).toBe(true)
    }
  })

  it('asks another source when one is silent', () => {
    const { cluster } = leaveBehind(50)
    cluster.filter = ({ message, from }) => from !== 1 || (message.type !== 'data' && message.type !== 'meta-data')
    cluster.run(5_000)
    expect(isCaughtUp(cluster)).toBe(true)
  })

  it('goes on with the newer checkpoint when the old one is gone, and keeps what still matches', () => {
    const { cluster, client } = leaveBehind(50)
    let pieces = 0
    cluster.filter = ({ message }) => (message.type === 'data' ? ++pieces <= 5 : true)
    cluster.run(400)
    expect(cluster.node(3).core.snapshot().transferring).toBe(true)
    for (let i = 0; i < 12; i++) cluster.call(client, add(1))
    cluster.run(3_000)
    cluster.filter = () => true
    cluster.run(5_000)
    expect(cluster.eventsOf(3, 'transfer').some((event) => event.state === 'abandoned')).toBe(true)
    expect(isCaughtUp(cluster)).toBe(true)
  })

  it('survives a restart in the middle', () => {
    const { cluster } = leaveBehind(50)
    let pieces = 0
    cluster.filter = ({ message }) => (message.type === 'data' ? ++pieces <= 5 : true)
    cluster.run(400)
    cluster.crash(3)
    cluster.filter = () => true
    cluster.restart(3)
    cluster.run(5_000)
    expect(isCaughtUp(cluster)).toBe(true)
    cluster.crash(3)
    cluster.restart(3)
    cluster.run(2_000)
    expect(isCaughtUp(cluster)).toBe(true)
  })

  it('pitfall 27: a flipped byte is an alarm at the next checkpoint, and then repaired', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    cluster.call(client, add(3))
    cluster.run(100)
    cluster.node(2).service.counters[3]! += 7
    for (let i = 0; i < 9; i++) cluster.call(client, add(i === 0 ? 3 : 4))
    cluster.run(3_000)
    for (const id of [0, 1, 2, 3]) expect(cluster.eventsOf(id, 'divergence').length).toBeGreaterThan(0)
    expect(cluster.eventsOf(2, 'transfer').at(-1)).toMatchObject({ state: 'completed' })
    expect(new Set(cluster.nodes.map((node) => node.core.stateDigest())).size).toBe(1)
    expect(cluster.node(2).service.counters[3]).toBe(2)
    expect(cluster.node(2).core.snapshot().lowWatermark).toBe(8)
    // And the repaired state is what its disk has.
    cluster.crash(2)
    cluster.restart(2)
    cluster.run(1_000)
    expect(cluster.node(2).core.stateDigest()).toBe(cluster.node(0).core.stateDigest())
  })
})
