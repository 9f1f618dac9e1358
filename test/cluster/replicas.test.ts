/** Replicas as real processes, spoken to over real links; no host. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import * as v from 'valibot'
import { controlMessageSchema } from '../../src/contract/control.ts'
import { defaultProtocolConfig } from '../../src/pbft/protocol/config.ts'
import { decodeBatch } from '../../src/pbft/wire/index.ts'
import { prepareCluster, spawnReplica, type Running } from '../support/processes.ts'
import { until } from '../support/until.ts'

const cut = { cut: true, delayMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, corrupt: 0 }
const isolation = (peers: readonly number[]) => ({
  outgoing: peers.map((peer) => ({ peer, rule: cut })),
  incomingCut: [...peers],
  clientsCut: true,
  byzantine: null,
})
const healed = { outgoing: [], incomingCut: [], clientsCut: false, byzantine: null }

const running: Running[] = []
afterEach(async () => {
  for (const cluster of running.splice(0)) await cluster.close()
})

const startCluster = async (n: number, changes: Parameters<typeof prepareCluster>[1] = {}): Promise<Running> => {
  const cluster = await prepareCluster(n, changes)
  running.push(cluster)
  await Promise.all(Array.from({ length: n }, (_, id) => cluster.start(id)))
  return cluster
}

const equalDigests = async (cluster: Running, ids: readonly number[], atLeast: number): Promise<void> => {
  const controls = ids.map((id) => cluster.control(id))
  await until(() => {
    const last = controls.map((control) => control.reports.at(-1))
    const digests = new Set(last.map((report) => report?.stateDigest))
    return (
      digests.size === 1 &&
      last.every((report) => report !== undefined && report.stateDigestSeq >= atLeast && report.stateDigestSeq === report.lastExecuted)
    )
  }, 30_000)
  for (const control of controls) control.dialer.close()
}

describe('four replicas', () => {
  it('execute what a client submits, and agree on the state', async () => {
    const cluster = await startCluster(4)
    const client = cluster.client('a')
    for (let i = 0; i < 10; i += 1) {
      const { result, reply } = await client.submit({ type: 'put', key: `k${i}`, value: `v${i}` })
      expect(result.ok).toBe(true)
      expect(reply.seq).toBeGreaterThan(0)
    }
    expect((await client.submit({ type: 'get', key: 'k3' })).result).toEqual({ ok: true, value: 'v3' })
    await equalDigests(cluster, [0, 1, 2, 3], 1)
    const pids = new Set(cluster.processes.map((process) => process?.ready()?.pid))
    expect(pids.size).toBe(4)
  })

  for (const durability of ['full', 'process'] as const) {
    it(`kill -9 of all, restart: everything acknowledged is there, once (${durability})`, async () => {
      const cluster = await startCluster(4, { durability })
      const client = cluster.client('a')
      for (let i = 0; i < 20; i += 1) await client.submit({ type: 'incr', key: 'n', n: 1 })
      await Promise.all([0, 1, 2, 3].map((id) => cluster.kill(id)))
      await Promise.all([0, 1, 2, 3].map((id) => cluster.start(id)))
      const { result } = await client.submit({ type: 'incr', key: 'n', n: 1 })
      expect(result).toEqual({ ok: true, value: 21 })
      await equalDigests(cluster, [0, 1, 2, 3], 21)
    })
  }

  it('go on while one is killed, and it catches up', async () => {
    const cluster = await startCluster(4)
    const client = cluster.client('a')
    await client.submit({ type: 'put', key: 'a', value: '1' })
    await cluster.kill(3)
    for (let i = 0; i < 10; i += 1) await client.submit({ type: 'put', key: 'a', value: `${i}` })
    await cluster.start(3)
    await equalDigests(cluster, [0, 1, 2, 3], 11)
  })

  it('drop their log at checkpoints, restart from them, and bring a wiped one up to date', async () => {
    const parameters = { ...defaultProtocolConfig, checkpointInterval: 4, logWindow: 8 }
    const cluster = await startCluster(4, { parameters })
    const client = cluster.client('a')
    for (let i = 0; i < 30; i += 1) await client.submit({ type: 'incr', key: `n${i % 3}`, n: 1 })
    await equalDigests(cluster, [0, 1, 2, 3], 30)
    expect((await cluster.report(1)).lowWatermark).toBeGreaterThanOrEqual(24)
    await Promise.all([0, 1, 2, 3].map((id) => cluster.kill(id)))
    rmSync(join(cluster.folder, 'data/replica-2'), { recursive: true })
    await Promise.all([0, 1, 2, 3].map((id) => cluster.start(id)))
    for (let i = 0; i < 10; i += 1) await client.submit({ type: 'incr', key: 'n0', n: 1 })
    // Empty batches came in between, for the sake of the one that was wiped.
    await until(async () => (await cluster.report(2)).probation === null, 60_000)
    const { lastExecuted } = await cluster.report(0)
    expect(lastExecuted).toBeGreaterThan(40)
    await equalDigests(cluster, [0, 1, 2, 3], lastExecuted)
    expect((await client.submit({ type: 'incr', key: 'n0', n: 1 })).result).toEqual({ ok: true, value: 21 })
    // What was transferred is on its disk too.
    await cluster.kill(2)
    await cluster.start(2)
    await equalDigests(cluster, [0, 1, 2, 3], lastExecuted + 1)
  })

  it('elect a new primary when the old one is cut off, which catches up when healed', async () => {
    const cluster = await startCluster(4)
    const client = cluster.client('a')
    await client.submit({ type: 'put', key: 'k', value: '0' })
    const control = cluster.control(0)
    expect(await control.call({ call: 'faults', faults: isolation([1, 2, 3]) })).toMatchObject({ ok: true })
    const { reply } = await client.submit({ type: 'put', key: 'k', value: '1' })
    expect(reply.view).toBeGreaterThan(0)
    await control.call({ call: 'faults', faults: healed })
    await equalDigests(cluster, [0, 1, 2, 3], reply.seq)
    await until(() => (control.reports.at(-1)?.view ?? 0) >= reply.view && control.reports.at(-1)?.active === true)
    const other = cluster.control(1)
    const slotsOf = async (asked: typeof control): Promise<readonly unknown[]> => {
      const answer = await asked.call({ call: 'history', after: 0, limit: 100 })
      return answer.type === 'answer' ? (answer.history ?? []).map((e) => [e.seq, e.digest]) : []
    }
    // What nothing waits for is written up to 50 ms after it was executed.
    await until(async () => (await slotsOf(control)).length >= reply.seq && (await slotsOf(other)).length >= reply.seq)
    expect(await slotsOf(control)).toEqual(await slotsOf(other))
  })

  it('change the view when an operator asks for it', async () => {
    const cluster = await startCluster(4)
    const controls = [0, 1, 2, 3].map((id) => cluster.control(id))
    // f + 1 of them: a third would be asked after it has joined these, and go on to view 2.
    await Promise.all(controls.slice(0, 2).map((control) => control.call({ call: 'change-view' })))
    await until(() => controls.every((control) => control.reports.at(-1)?.view === 1 && control.reports.at(-1)?.active === true))
    expect((await cluster.client('a').submit({ type: 'put', key: 'k', value: 'v' })).reply.view).toBe(1)
    await until(() => controls[0]?.observed.some((o) => o.events.some(({ event }) => event.type === 'view-entered')) === true)
  })

  it('do not wait for one that stands still, which catches up when it goes on', async () => {
    const parameters = { ...defaultProtocolConfig, checkpointInterval: 16, logWindow: 32 }
    const cluster = await startCluster(4, { parameters })
    const client = cluster.client('a')
    await client.submit({ type: 'put', key: 'k', value: 'x' })
    const stopped = cluster.processes[2]?.child
    stopped?.kill('SIGSTOP')
    for (let i = 0; i < 100; i += 1) await client.submit({ type: 'put', key: `k${i}`, value: 'x'.repeat(10_000) })
    stopped?.kill('SIGCONT')
    await equalDigests(cluster, [0, 1, 2, 3], 101)
  })

  it('answer a request that is sent again with the same reply, and execute it once', async () => {
    const cluster = await startCluster(4)
    const client = cluster.client('a')
    await client.submit({ type: 'put', key: 'x', value: '0' })
    const request = client.request({ type: 'incr', key: 'n', n: 1 })
    const repliesTo = () => client.replies.filter((reply) => reply.timestamp === request.timestamp)
    client.send(request)
    await until(() => repliesTo().length >= 4)
    client.send(request)
    await until(() => repliesTo().length >= 8)
    expect(new Set(repliesTo().map((reply) => reply.seq)).size).toBe(1)
    expect((await client.submit({ type: 'incr', key: 'n', n: 1 })).result).toEqual({ ok: true, value: 2 })
  })
})

describe('the control link', () => {
  it('reports status, observations and history that fit the contract', async () => {
    const cluster = await startCluster(4)
    const control = cluster.control(1)
    await until(() => control.reports.length > 0)
    const client = cluster.client('a')
    const { reply } = await client.submit({ type: 'put', key: 'k', value: 'v' })
    await until(() => control.observed.some((o) => o.slots.some((slot) => slot.seq === reply.seq && slot.executedAt !== null)))
    await until(() => control.reports.some((report) => report.lastExecuted >= reply.seq && report.peersHeard.length === 3))
    const report = control.reports.at(-1)
    expect(report).toMatchObject({ pid: cluster.processes[1]?.child.pid, allowsFaults: true, view: 0, primary: 0 })
    expect(report?.memoryBytes).toBeGreaterThan(10_000_000)
    expect(report?.diskBytes).toBeGreaterThan(0)
    // What nothing waits for is written up to 50 ms after it was executed.
    let answer = await control.call({ call: 'history', after: 0, limit: 100 })
    await until(async () => {
      answer = await control.call({ call: 'history', after: 0, limit: 100 })
      return answer.type === 'answer' && answer.history?.some((e) => e.seq === reply.seq) === true
    })
    for (const message of [answer, { type: 'status', report }, ...control.observed]) {
      expect(v.safeParse(controlMessageSchema, message).issues).toBeUndefined()
    }
    const entry = answer.type === 'answer' ? answer.history?.find((e) => e.seq === reply.seq) : undefined
    const batch = decodeBatch(Buffer.from(entry?.batch ?? '', 'base64'))
    expect(batch.ok && batch.value.requests[0]?.client).toBe('operator/a')
    const slot = control.observed.flatMap((o) => o.slots).findLast((s) => s.seq === reply.seq)
    expect(slot?.prePreparedAt).not.toBeNull()
    expect(slot?.preparedAt).not.toBeNull()
    expect(slot?.committedAt).not.toBeNull()
  })

  it('refuses bad calls, and faults where they are not allowed', async () => {
    const cluster = await prepareCluster(1)
    running.push(cluster)
    cluster.processes[0] = spawnReplica(['--cluster', cluster.file, '--id', '0'])
    const control = cluster.control(0)
    expect(await control.call({ call: 'faults', faults: healed })).toMatchObject({ type: 'refused', code: 'faults-not-allowed' })
    expect(await control.raw(Buffer.from('garbage'))).toMatchObject({ type: 'refused', id: 0, code: 'bad-request' })
    expect(await control.raw(Buffer.from('{"id":0,"call":"explode"}'))).toMatchObject({ type: 'refused', id: 0, code: 'bad-request' })
    await until(() => control.reports.at(-1)?.rejections['bad-control-call'] === 2)
    expect(control.reports.at(-1)?.rejections['faults-not-allowed']).toBe(1)
  })

  it('applies faults: a replica that is cut off hears nothing until it is healed', async () => {
    const cluster = await startCluster(4)
    const client = cluster.client('a')
    await client.submit({ type: 'put', key: 'k', value: '0' })
    const control = cluster.control(3)
    expect(await control.call({ call: 'faults', faults: isolation([0, 1, 2]) })).toMatchObject({ type: 'answer', ok: true })
    for (let i = 1; i <= 5; i += 1) await client.submit({ type: 'put', key: 'k', value: `${i}` })
    const others = cluster.control(0)
    await until(() => others.reports.at(-1)?.peersHeard.includes(3) === false && control.reports.at(-1)?.peersHeard.length === 0)
    expect(control.reports.at(-1)?.lastExecuted).toBe(1)
    expect(control.reports.at(-1)?.faults).toEqual(isolation([0, 1, 2]))
    await control.call({ call: 'faults', faults: healed })
    await equalDigests(cluster, [0, 1, 2, 3], 6)
  })

  it('stops a replica', async () => {
    const cluster = await startCluster(1)
    expect(await cluster.control(0).call({ call: 'stop' })).toMatchObject({ type: 'answer', ok: true })
    expect(await cluster.processes[0]?.exited).toEqual({ code: 0, signal: null })
    await cluster.start(0)
  })
})
