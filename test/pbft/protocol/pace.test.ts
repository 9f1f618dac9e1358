/** The account of the primary's time, on a cluster whose proposals are held back. */
import { describe, expect, it } from 'vitest'
import { asReplicaId } from '../../../src/pbft/protocol/ids.ts'
import { Cluster, type Packet } from '../../support/protocol-cluster.ts'
import { add } from '../../support/counter-service.ts'
import { statusOf } from '../../support/solo-replica.ts'

/** Proposals of replica 0 reach the others late by `lateMs()`. */
const withSlowPrimary = (lateMs: () => number) => {
  const held: { readonly at: number; readonly packet: Packet }[] = []
  const cluster = new Cluster({
    filter: (packet, { nowMs }) => {
      if (packet.from !== 0 || packet.message.type !== 'pre-prepare' || lateMs() === 0) return true
      held.push({ at: nowMs + lateMs(), packet })
      return false
    },
  })
  const client = cluster.addClient()
  /** One request after another, for `durationMs`. */
  const work = (durationMs: number): void => {
    for (const end = cluster.nowMs + durationMs; cluster.nowMs < end;) {
      if (!client.core.busy) cluster.submit(client, add(1))
      cluster.run(5)
      while ((held[0]?.at ?? Number.POSITIVE_INFINITY) <= cluster.nowMs) {
        const { packet } = held.shift()!
        cluster.input(packet.to, { type: 'message', from: packet.from, message: packet.message })
      }
    }
  }
  const demotions = () =>
    [0, 1, 2, 3].flatMap((id) => cluster.eventsOf(id, 'view-change-started').filter(({ reason }) => reason.kind === 'slow-primary'))
  return { cluster, client, work, demotions }
}

describe('the account of the primary', () => {
  it('pitfall 14: one that proposes at 0.9 of the time-out loses its view, and the reason names it and who found so', () => {
    const { cluster, work, demotions, client } = withSlowPrimary(() => 450)
    work(5_000)
    expect(cluster.node(1).core.snapshot()).toMatchObject({ view: 1, active: true })
    const [first] = demotions()
    expect(first).toMatchObject({ view: 1, reason: { kind: 'slow-primary', primary: 0 } })
    const before = client.results.length
    work(1_000)
    expect(client.results.length - before).toBeGreaterThan(100)
    expect(cluster.node(1).core.snapshot().view).toBe(1)
  })

  it('one that takes no longer than it may keeps its view', () => {
    const { cluster, work, demotions } = withSlowPrimary(() => 230)
    work(20_000)
    expect(demotions()).toEqual([])
    expect(cluster.node(1).core.snapshot().view).toBe(0)
  })

  it('a hiccup now and then is forgiven', () => {
    let late = 0
    const { work, demotions } = withSlowPrimary(() => late)
    for (let round = 0; round < 4; round++) {
      late = 450
      work(450)
      late = 0
      work(6_000)
    }
    expect(demotions()).toEqual([])
  })

  it('nothing is demanded when there is nothing to do', () => {
    const { cluster, demotions } = withSlowPrimary(() => 450)
    cluster.run(120_000)
    expect(demotions()).toEqual([])
  })

  it('one backup alone that finds it slow does not leave', () => {
    const { cluster, work, demotions } = withSlowPrimary(() => 450)
    // The others never hear from the client, so that only replica 3 knows what waits.
    cluster.clientFilter = (to) => to === 0 || to === 3
    work(8_000)
    expect(demotions()).toEqual([])
    expect(cluster.node(3).core.snapshot()).toMatchObject({ view: 0, active: true })
  })

  it('f that only say so move nobody', () => {
    const { cluster, work } = withSlowPrimary(() => 0)
    const accuse = statusOf(2, { findsSlow: true, incarnation: 1_000_000 })
    for (let round = 0; round < 20; round++) {
      for (const to of [1, 3]) cluster.input(to, { type: 'message', from: asReplicaId(2), message: accuse })
      work(50)
    }
    expect(cluster.nodes.map(({ core }) => core.snapshot().view)).toEqual([0, 0, 0, 0])
  })

  it('when every primary looks slow, views change ever more rarely', () => {
    let held: { readonly at: number; readonly packet: Packet }[] = []
    const cluster = new Cluster({
      filter: (packet, { nowMs }) => {
        if (packet.message.type !== 'pre-prepare') return true
        held.push({ at: nowMs + 400, packet })
        return false
      },
    })
    const client = cluster.addClient()
    const work = (durationMs: number): number => {
      const before = cluster.node(1).core.snapshot().view
      for (const end = cluster.nowMs + durationMs; cluster.nowMs < end;) {
        if (!client.core.busy) cluster.submit(client, add(1))
        cluster.run(5)
        const due = held.filter(({ at }) => at <= cluster.nowMs)
        held = held.filter(({ at }) => at > cluster.nowMs)
        for (const { packet } of due) cluster.input(packet.to, { type: 'message', from: packet.from, message: packet.message })
      }
      return cluster.node(1).core.snapshot().view - before
    }
    const first = work(60_000)
    const later = work(240_000)
    expect(first).toBeGreaterThan(0)
    // At the first rate it would be four times as many.
    expect(later).toBeLessThan(2 * first + 4)
  })
})
