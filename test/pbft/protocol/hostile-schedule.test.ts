import { expect, it } from 'vitest'
import { add } from '../../support/counter-service.ts'
import { Cluster } from '../../support/protocol-cluster.ts'
import { Random } from '../../support/random.ts'

const SEEDS = Number(process.env['PBFT_SEEDS'] ?? 60)
const FIRST = Number(process.env['PBFT_SEED'] ?? 1)

/** Loss, duplication, reordering, and crashes that keep any prefix of what was not flushed; at most f replicas down at a time. */
const disturb = (cluster: Cluster, random: Random, down: Set<number>): void => {
  const roll = random.next()
  const n = cluster.nodes.length
  if (roll < 0.8 && cluster.queue.length > 0) {
    const index = random.chance(0.7) ? 0 : random.below(Math.min(cluster.queue.length, 20))
    if (random.chance(0.05)) cluster.queue.splice(index, 1)
    else {
      if (random.chance(0.05)) cluster.queue.push(cluster.queue[index]!)
      cluster.deliverAt(index)
    }
  } else if (roll < 0.93) cluster.flush(random.below(n))
  else if (roll < 0.98) cluster.tick()
  else if (roll < 0.984 && down.size === 0) {
    const id = random.below(n)
    down.add(id)
    cluster.crash(id, random.below(6))
  } else if (roll < 0.99) {
    for (const id of down) cluster.restart(id)
    down.clear()
  }
}

it('agrees, executes once and finishes under a hostile schedule', { timeout: 60_000 }, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const random = new Random(seed)
    const cluster = new Cluster({ lazyDisk: true, n: seed % 5 === 0 ? 5 : 4 })
    const clients = Array.from({ length: 3 }, () => cluster.addClient())
    const down = new Set<number>()
    let submitted = 0
    try {
      for (let i = 0; i < 4_000; i++) {
        const client = clients[random.below(clients.length)]!
        if (!client.core.busy && submitted < 60) {
          cluster.submit(client, add(7))
          submitted++
        }
        disturb(cluster, random, down)
      }
      for (const id of down) cluster.restart(id)
      cluster.lazyDisk = false
      for (const node of cluster.nodes) cluster.flush(node.id)
      cluster.run(60_000)
      cluster.assertAgreement()
      expect(clients.map((client) => client.core.busy)).toEqual([false, false, false])
      expect(cluster.nodes.map((node) => node.service.counters[7])).toEqual(cluster.nodes.map(() => submitted))
      expect(new Set(cluster.nodes.map((node) => node.core.stateDigest())).size).toBe(1)
      expect(cluster.nodes.map((node) => node.core.snapshot().active)).toEqual(cluster.nodes.map(() => true))
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
})
