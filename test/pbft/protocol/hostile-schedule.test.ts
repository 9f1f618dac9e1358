import { expect, it } from 'vitest'
import { asDigest, asSeqNo, asView } from '../../../src/pbft/protocol/ids.ts'
import type { ReplicaMessage, ViewChange } from '../../../src/pbft/protocol/messages.ts'
import type { LogRecord } from '../../../src/pbft/protocol/records.ts'
import { createReplica } from '../../../src/pbft/protocol/replica.ts'
import { encodeBatch } from '../../../src/pbft/wire/index.ts'
import { add, createCounterService } from '../../support/counter-service.ts'
import { Cluster, compacted, sha256, testCapabilities, testConfig, TestDisk } from '../../support/protocol-cluster.ts'
import { Random } from '../../support/random.ts'

const SEEDS = Number(process.env['PBFT_SEEDS'] ?? 25)
const FIRST = Number(process.env['PBFT_SEED'] ?? 1)

/** How rough a run is; drawn from its seed, so that some runs mostly progress and others mostly change views. */
interface Weather {
  readonly loss: number
  readonly reorder: number
  readonly flush: number
  readonly tick: number
  readonly crash: number
  /** Each replica in turn is cut off for so many steps; 0: none is. */
  readonly cut: number
}

const drawWeather = (random: Random): Weather => ({
  loss: [0, 0.01, 0.05, 0.2][random.below(4)]!,
  reorder: [0, 0.1, 0.5][random.below(3)]!,
  flush: [0.05, 0.3][random.below(2)]!,
  tick: [0.001, 0.004, 0.02][random.below(3)]!,
  crash: [0, 0.001, 0.004][random.below(3)]!,
  cut: [0, 300, 1_000][random.below(3)]!,
})

/** One event: a packet, a flush, a timer, or a crash that keeps any prefix of what was not flushed, of one replica or of all. */
const disturb = (cluster: Cluster, random: Random, weather: Weather, down: Set<number>, step: number): void => {
  const n = cluster.nodes.length
  if (random.chance(weather.crash)) {
    if (down.size > 0) {
      for (const id of down) cluster.restart(id)
      down.clear()
    } else {
      const victims = random.chance(0.2) ? cluster.nodes.map((node) => node.id) : [random.below(n)]
      for (const id of victims) {
        down.add(id)
        cluster.crash(id, random.below(6))
      }
    }
  } else if (random.chance(weather.tick)) cluster.tick()
  else if (random.chance(weather.flush) || cluster.queue.length === 0) cluster.flush(random.below(n))
  else {
    const cut = weather.cut > 0 ? Math.floor(step / weather.cut) % (2 * n) : n
    const index = random.chance(weather.reorder) ? random.below(Math.min(cluster.queue.length, 30)) : 0
    const packet = cluster.queue[index]!
    if (random.chance(weather.loss) || packet.from === cut || packet.to === cut) cluster.queue.splice(index, 1)
    else {
      if (random.chance(weather.loss)) cluster.queue.push(packet)
      cluster.deliverAt(index)
    }
  }
}

/** What replica 3 says in place of the truth: about its own messages only, since it cannot sign for others. */
const lie = (message: ReplicaMessage, random: Random): ReplicaMessage => {
  const wrong = asDigest(String(random.below(10)).repeat(64))
  switch (message.type) {
    case 'prepare':
    case 'commit':
      return random.chance(0.5)
        ? { ...message, digest: wrong }
        : { ...message, seq: asSeqNo(random.below(12)), view: asView(random.below(4)) }
    case 'checkpoint':
      return message.replica === 3 ? { ...message, digest: wrong } : message
    case 'pre-prepare': {
      if (message.view % 4 !== 3) return message
      const batch = encodeBatch(message.batch.timeMs + 1, message.batch.requests.slice(random.below(2)))
      return { ...message, batch, digest: sha256(batch.bytes) }
    }
    case 'view-change': {
      if (message.replica !== 3) return message
      const entries = [{ seq: asSeqNo(message.stable.seq + 1 + random.below(8)), digest: wrong, view: asView(random.below(message.view)) }]
      const prepared = random.chance(0.5) ? [] : entries
      return { ...message, prepared, prePrepared: random.chance(0.5) ? message.prePrepared : prepared }
    }
    case 'new-view':
      return message.replica === 3 ? { ...message, chosen: message.chosen.slice(random.below(2)) } : message
    case 'status':
      return {
        ...message,
        lastExecuted: asSeqNo(random.below(1_000)),
        stableSeq: asSeqNo(0),
        view: asView(random.below(9)),
        active: random.chance(0.5),
      }
    case 'data':
      return { ...message, bytes: new Uint8Array([random.below(256)]) }
    default:
      return message
  }
}

it('three correct replicas agree and finish beside a liar', { timeout: 1_000 * SEEDS }, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const random = new Random(seed)
    const cluster = new Cluster()
    const tells = random.next()
    cluster.filter = (packet, self) => {
      if (packet.from !== 3 || !random.chance(tells)) return !random.chance(0.02)
      self.input(packet.to, { type: 'message', from: packet.from, message: lie(packet.message, random) })
      return false
    }
    const clients = Array.from({ length: 3 }, () => cluster.addClient())
    let submitted = 0
    try {
      for (let i = 0; i < 150; i++) {
        for (const client of clients) {
          if (client.core.busy || random.chance(0.5)) continue
          cluster.submit(client, add(7))
          submitted++
        }
        cluster.run(random.below(60))
        if (random.chance(0.02)) cluster.input(random.below(3), { type: 'operator', command: { kind: 'change-view' } })
      }
      cluster.run(60_000)
      // What it says of its own disk may keep it on probation, and the others busy with empty batches for it.
      cluster.crash(3)
      cluster.run(5_000)
      const correct = cluster.nodes.slice(0, 3)
      const agreed = [0, 1, 2].map((id) => cluster.executed(id))
      for (const [seq, digest] of agreed[0]!) for (const other of agreed) expect(other.get(seq) ?? digest).toBe(digest)
      expect(clients.map((client) => client.core.busy)).toEqual([false, false, false])
      expect(correct.map((node) => node.service.counters[7])).toEqual([submitted, submitted, submitted])
      expect(new Set(correct.map((node) => node.core.stateDigest())).size).toBe(1)
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
})

/** What a replica that comes back from these records would tell in a view change. */
const certificatesFrom = (
  records: readonly LogRecord[],
  n: number,
  id: number,
): Pick<ViewChange, 'stable' | 'prepared' | 'prePrepared'> => {
  const disk = new TestDisk()
  disk.records = records.slice()
  const core = createReplica(testConfig(n, id), testCapabilities, createCounterService(), disk.read())
  const effects = core.step({ type: 'operator', command: { kind: 'change-view' } }, 1)
  const messages = effects.flatMap((effect) => (effect.type === 'send' && effect.message.type === 'view-change' ? [effect.message] : []))
  const { stable, prepared, prePrepared } = messages.at(-1)!
  return { stable, prepared, prePrepared }
}

it('what the disk drops takes nothing from P and Q', { timeout: 1_000 * SEEDS }, () => {
  let entries = 0
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const random = new Random(seed)
    const cluster = new Cluster({ lazyDisk: true })
    const clients = Array.from({ length: 3 }, () => cluster.addClient())
    const down = new Set<number>()
    const weather = drawWeather(random)
    for (let i = 0; i < 3_000; i++) {
      const client = clients[random.below(clients.length)]!
      if (!client.core.busy) cluster.submit(client, add(1))
      disturb(cluster, random, weather, down, i)
      if (random.chance(0.003)) cluster.input(random.below(4), { type: 'operator', command: { kind: 'change-view' } })
      if (i % 300 > 0) continue
      for (const { id, disk } of cluster.nodes) {
        const whole = certificatesFrom(disk.records, 4, id)
        expect(certificatesFrom(compacted(disk.records), 4, id), `seed ${seed}, step ${i}, replica ${id}`).toEqual(whole)
        entries += whole.prePrepared.length
      }
    }
  }
  expect(entries).toBeGreaterThan(100)
})

it('agrees, executes once and finishes under a hostile schedule', { timeout: 1_000 * SEEDS }, () => {
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const random = new Random(seed)
    const cluster = new Cluster({ lazyDisk: true, n: seed % 5 === 0 ? 5 : 4 })
    const clients = Array.from({ length: 3 }, () => cluster.addClient())
    const down = new Set<number>()
    const weather = drawWeather(random)
    let submitted = 0
    try {
      for (let i = 0; i < 6_000; i++) {
        const client = clients[random.below(clients.length)]!
        if (!client.core.busy && submitted < 400) {
          cluster.submit(client, add(7 + random.below(3)))
          submitted++
        }
        disturb(cluster, random, weather, down, i)
      }
      for (const id of down) cluster.restart(id)
      cluster.lazyDisk = false
      for (const node of cluster.nodes) cluster.flush(node.id)
      cluster.run(60_000)
      cluster.assertAgreement()
      expect(clients.map((client) => client.core.busy)).toEqual([false, false, false])
      const sum = (counters: readonly number[]): number => counters.reduce((total, counter) => total + counter, 0)
      expect(cluster.nodes.map((node) => sum(node.service.counters))).toEqual(cluster.nodes.map(() => submitted))
      expect(new Set(cluster.nodes.map((node) => node.core.stateDigest())).size).toBe(1)
      expect(cluster.nodes.map((node) => node.core.snapshot().active)).toEqual(cluster.nodes.map(() => true))
    } catch (cause) {
      throw new Error(`seed ${seed}`, { cause })
    }
  }
})
