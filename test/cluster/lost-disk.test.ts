/** Disks that real replicas lose: wiped under load, and put back from an old copy (pitfall 21). */
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { defaultProtocolConfig } from '../../src/pbft/protocol/config.ts'
import { prepareCluster, type ControlClient, type RequestClient, type Running } from '../support/processes.ts'
import { until } from '../support/until.ts'

const running: Running[] = []
afterEach(async () => {
  for (const cluster of running.splice(0)) await cluster.close()
})

const startCluster = async (): Promise<Running> => {
  const parameters = { ...defaultProtocolConfig, checkpointInterval: 8, logWindow: 16 }
  const cluster = await prepareCluster(4, { durability: 'process', parameters })
  running.push(cluster)
  await Promise.all([0, 1, 2, 3].map((id) => cluster.start(id)))
  return cluster
}

/** Counts up until `isOver`; returns how often. */
const countUp = async (client: RequestClient, isOver: () => boolean): Promise<number> => {
  let count = 0
  while (!isOver()) {
    await client.submit({ type: 'incr', key: 'n', n: 1 })
    count += 1
  }
  return count
}

const wasOnProbation = ({ reports }: ControlClient): boolean => reports.some(({ probation }) => probation !== null)
const isBack = (control: ControlClient): boolean => wasOnProbation(control) && control.reports.at(-1)?.probation === null

const expectEqual = async (cluster: Running): Promise<void> => {
  const controls = [0, 1, 2, 3].map((id) => cluster.control(id))
  await until(() => {
    const last = controls.map(({ reports }) => reports.at(-1))
    const digests = new Set(last.map((report) => report?.stateDigest))
    return digests.size === 1 && last.every((report) => report !== undefined && report.stateDigestSeq === report.lastExecuted)
  }, 60_000)
}

it('pitfall 21: a replica wiped under load takes part again only beyond what it may have promised', { timeout: 240_000 }, async () => {
  const cluster = await startCluster()
  const client = cluster.client('a')
  let count = await countUp(client, () => true)
  for (; count < 20; count += 1) await client.submit({ type: 'incr', key: 'n', n: 1 })
  const { highWatermark } = await cluster.report(2)
  const control = cluster.control(2)
  let isOver = false
  const load = countUp(client, () => isOver)
  await cluster.kill(2)
  rmSync(join(cluster.folder, 'data/replica-2'), { recursive: true })
  control.reports.length = 0
  await cluster.start(2)
  await until(() => isBack(control), 120_000)
  expect(control.reports.at(-1)?.lowWatermark).toBeGreaterThanOrEqual(highWatermark)
  isOver = true
  count += await load
  expect((await client.submit({ type: 'incr', key: 'n', n: 1 })).result).toEqual({ ok: true, value: count + 1 })
  await expectEqual(cluster)
})

it('pitfall 21: an old copy of a data folder is noticed, by the replica and by its peers', { timeout: 240_000 }, async () => {
  const cluster = await startCluster()
  const client = cluster.client('a')
  const peer = cluster.control(0)
  let done = 0
  const count = (n: number): Promise<number> => countUp(client, () => done++ >= n)
  await count(3)
  const data = join(cluster.folder, 'data/replica-3')
  const copy = join(cluster.folder, 'copy')
  await cluster.kill(3)
  cpSync(data, copy, { recursive: true })
  await cluster.start(3)
  await until(async () => (await cluster.report(3)).lastExecuted >= 3)
  done = 0
  await count(20)
  const { lastExecuted } = await cluster.report(0)
  await until(async () => (await cluster.report(3)).lastExecuted >= lastExecuted)
  const control = cluster.control(3)
  await cluster.kill(3)
  rmSync(data, { recursive: true })
  cpSync(copy, data, { recursive: true })
  control.reports.length = 0
  await cluster.start(3)
  await until(() => isBack(control), 120_000)
  await until(() => peer.observed.some(({ events }) => events.some(({ event }) => event.type === 'disk-changed' && event['replica'] === 3)))
  await client.submit({ type: 'incr', key: 'n', n: 1 })
  await expectEqual(cluster)
})
