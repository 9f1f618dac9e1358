/** Two flushes in sequence to a reply: the pre-prepare does not wait for the disk, and what that asks of a primary that restarts. */
import { describe, expect, it } from 'vitest'
import type { Effect } from '../../../src/pbft/protocol/steps.ts'
import { add } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { prepareOf, requestOf, Solo } from '../../support/solo-replica.ts'

/** Records and sends of a step, in their order; `*` waits for the disk. */
const shapeOf = (effects: readonly Effect[]): string[] =>
  effects.flatMap((effect) => {
    if (effect.type === 'persist') return [effect.record.kind]
    return effect.type === 'send' ? [`${effect.message.type}${effect.gated ? '*' : ''}`] : []
  })

const proposalIn = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.type === 'send' && effect.message.type === 'pre-prepare' ? [effect.message] : []))[0]!

describe('a proposal', () => {
  it('waits for the disk until one has prepared in the view, then only the primary’s prepare does', () => {
    const solo = new Solo(0)
    const propose = (timestamp: number): Effect[] => {
      solo.request(requestOf('a/1', timestamp, add(1)))
      return solo.core.step({ type: 'drained' }, solo.nowMs)
    }
    const first = propose(1)
    expect(shapeOf(first).slice(0, 3)).toEqual(['pre-prepared', 'pre-prepare*', 'prepare*'])
    solo.request(requestOf('b/1', 1, add(1)))
    expect(shapeOf(solo.core.step({ type: 'drained' }, solo.nowMs)).slice(0, 3)).toEqual(['pre-prepared', 'pre-prepare*', 'prepare*'])
    for (const id of [1, 2]) solo.receive(id, prepareOf(id, 0, 1, proposalIn(first).digest))
    solo.request(requestOf('c/1', 1, add(1)))
    expect(shapeOf(solo.core.step({ type: 'drained' }, solo.nowMs)).slice(0, 3)).toEqual(['pre-prepared', 'pre-prepare', 'prepare*'])
  })

  it('that a crash took from the primary is never followed by another one for its place', () => {
    const cluster = new Cluster({ lazyDisk: true })
    const flushAll = (): void => {
      for (let i = 0; i < 80; i++) {
        cluster.flush(i % 4)
        cluster.deliver()
      }
    }
    const clients = [cluster.addClient(), cluster.addClient(), cluster.addClient()]
    cluster.submit(clients[0]!, add(1))
    flushAll()
    const proposals: string[] = []
    cluster.filter = ({ from, message }) => {
      if (message.type === 'pre-prepare' && from === message.view % 4) proposals.push(`${message.view}/${message.seq}/${message.digest}`)
      return true
    }
    // It leaves, and the crash leaves nothing of it on the disk.
    cluster.submit(clients[1]!, add(2))
    cluster.deliver()
    expect(proposals).toHaveLength(3)
    cluster.crash(0)
    cluster.restart(0)
    cluster.lazyDisk = false
    flushAll()
    cluster.run(200)
    expect(cluster.node(0).core.snapshot()).toMatchObject({ view: 1, active: false })
    cluster.submit(clients[2]!, add(3))
    cluster.run(20_000)
    const places = new Map(proposals.map((proposal) => [proposal.slice(0, proposal.lastIndexOf('/')), proposal]))
    expect(places.size).toBe(new Set(proposals).size)
    expect(clients.map((client) => client.results.length)).toEqual([1, 1, 1])
    cluster.assertAgreement()
  })

  it('goes on in its view after an orderly end, and only then', () => {
    const cluster = new Cluster()
    const client = cluster.addClient()
    cluster.call(client, add(1))
    const views = (): number[] => cluster.nodes.map((node) => node.core.snapshot().view)
    for (const id of [0, 1, 2, 3]) cluster.stop(id)
    cluster.queue.length = 0
    for (const id of [0, 1, 2, 3]) cluster.restart(id)
    cluster.run(5_000)
    cluster.call(client, add(1))
    expect(views()).toEqual([0, 0, 0, 0])
    // The mark was used up by that start.
    cluster.crash(0)
    cluster.restart(0)
    cluster.run(10_000)
    expect(views()).toEqual([1, 1, 1, 1])
    cluster.assertAgreement()
  })

  it('is for the next primary to make when this one restarts, also when nobody asks for anything', () => {
    const cluster = new Cluster()
    cluster.call(cluster.addClient(), add(1))
    cluster.crash(0)
    cluster.restart(0)
    cluster.run(10_000)
    expect(cluster.nodes.map((node) => node.core.snapshot())).toMatchObject([1, 1, 1, 1].map((view) => ({ view, active: true })))
    expect(cluster.eventsOf(0, 'view-change-started').map((event) => event.reason.kind)).toEqual(['restarted'])
  })
})
