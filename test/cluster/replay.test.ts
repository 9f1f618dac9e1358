/** Real runs with faults, replayed from what the replicas recorded: it has to be the same run, to the last digest and message. */
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findRun, replayRun, type ReplayAnswer } from '../../src/cluster/recorder/runs.ts'
import { momentAt } from '../../src/cluster/recorder/moment.ts'
import { recordingFolder } from '../../src/contract/manifest.ts'
import { loadManifest } from '../../src/link/index.ts'
import { continueRun, type Continued, type WhatIf } from '../../src/pbft/sim/index.ts'
import { recordedMoment } from '../../src/web/commands/continue-from.ts'
import { recordedProcesses } from '../../src/cluster/recorder/replays.ts'
import { eventually, openTestHost, type TestHost } from './support/host.ts'

/** More by `PBFT_PANEL_REPLAY_REQUESTS`. */
const requests = Number(process.env['PBFT_PANEL_REPLAY_REQUESTS'] ?? 2_000)

describe('a recorded run with faults', () => {
  let test: TestHost
  let folder = ''
  const seen = new Map<number, Map<number, string>>()
  const replay = (replica: number, number: number | null = null, seq: number | null = null, view: number | null = null): ReplayAnswer => {
    const answer = replayRun(folder, { replica, process: number, seq, view })
    if (!answer.ok) throw new Error(answer.error.message)
    return answer.value
  }
  const executed = async (): Promise<number> => (await test.call('load', {})).completed

  beforeAll(async () => {
    test = openTestHost()
    const { folder: made } = await test.call('createCluster', { name: 'replayed', replicas: 4, durability: 'process' })
    folder = made
    await test.call('openCluster', { name: 'replayed' })
    await test.call('startLoad', { clients: 20, durationMs: 3_600_000, keys: 500 })
    await eventually('a third is executed', async () => (await executed()) > requests / 3, 600_000)
    const primary = (await test.call('status', {})).primary ?? 0
    const cut = await test.call('injectFault', { fault: { type: 'isolate', replica: primary } })
    await test.until('another view', ({ view }) => (view ?? 0) > 0, 60_000)
    await test.call('healFault', { id: cut.id })
    await test.call('injectFault', { fault: { type: 'delay', from: 2, to: 3, delayMs: 5, jitterMs: 10 } })
    await test.call('injectFault', { fault: { type: 'loss', from: 1, to: 2, probability: 0.05 } })
    await eventually('two thirds are executed', async () => (await executed()) > (requests * 2) / 3, 600_000)
    await test.call('controlReplica', { id: 3, action: 'kill' })
    await test.call('controlReplica', { id: 3, action: 'start' })
    await test.call('controlReplica', { id: 2, action: 'restart' })
    await eventually('all are executed', async () => (await executed()) >= requests, 600_000)
    await test.call('stopLoad', {})
    await eventually('the load has ended', async () => !(await test.call('load', {})).running)
    await test.call('healAll', {})
    // The last requests may have been given up and be executed all the same.
    await test.until('nothing waits', ({ replicas }) => replicas.every(({ pending, inFlight }) => pending === 0 && inFlight === 0))
    const last = await test.until('all are in step', ({ replicas, lastExecuted }) =>
      replicas.every((one) => one.lastExecuted === lastExecuted && one.stateDigestSeq === lastExecuted && one.state === 'live'),
    )
    for (const one of last.replicas) seen.set(one.id, new Map([[one.stateDigestSeq ?? 0, one.stateDigest ?? '']]))
    await test.host.close()
  }, 1_200_000)
  afterAll(() => test.dispose())

  it('is the same run when it is replayed to the end, at every replica', () => {
    let views = 0
    for (const replica of [0, 1, 2, 3]) {
      const answer = replay(replica)
      expect(answer.proof.divergences).toEqual([])
      expect(answer).toMatchObject({ holds: true, reached: true, complete: true })
      expect(answer.proof.sendsEqual).toBeGreaterThan(50)
      expect(answer.stateDigest).toBe(seen.get(replica)?.get(answer.lastExecuted))
      views = Math.max(views, answer.view)
    }
    expect(views).toBeGreaterThan(0)
    expect(replay(0).proof.inputs).toBeGreaterThan(1_000)
  })

  it('is it also for the processes that were killed and restarted', () => {
    expect(replay(3).processes).toBe(2)
    for (const replica of [2, 3]) {
      const answer = replay(replica, 1)
      expect(answer.proof.divergences).toEqual([])
      expect(answer.lastExecuted).toBeGreaterThan(0)
    }
  })

  it('can be left at a sequence number or a view, and shows the whole state there', () => {
    const atSeq = replay(0, null, 20)
    expect(atSeq).toMatchObject({ reached: true, holds: true })
    expect(atSeq.lastExecuted).toBeGreaterThanOrEqual(20)
    expect(atSeq.state).toMatchObject({ view: 0, lastExecuted: atSeq.lastExecuted, stateDigest: atSeq.stateDigest })
    expect(Object.keys(atSeq.state['slots'] as object).length).toBeGreaterThan(0)
    expect(replay(1, null, null, 1)).toMatchObject({ reached: true })
    expect(replay(1, null, 10_000_000)).toMatchObject({ reached: false })
  })

  it('is another run when anything in it was changed', () => {
    const recording = join(folder, 'data', 'replica-1', 'recording')
    const [first] = readdirSync(recording)
    const file = join(recording, first ?? '')
    const whole = readFileSync(file)
    const spoilt = Buffer.from(whole)
    const at = Math.floor(spoilt.length / 2)
    spoilt[at] = (spoilt[at] ?? 0) ^ 1
    writeFileSync(file, spoilt)
    const answer = replay(1)
    expect(answer.complete).toBe(false)
    expect(answer.lastExecuted).toBeLessThan([...(seen.get(1)?.keys() ?? [])][0] ?? 0)
    writeFileSync(file, whole)
    // Cut anywhere, what is whole before the cut is readable.
    truncateSync(file, statSync(file).size - 7)
    expect(replay(1)).toMatchObject({ holds: true })
    writeFileSync(file, whole)
  })

  it('can be gone on with in the simulator, as if something had failed then', () => {
    const folders = [0, 1, 2, 3].map((id) => join(folder, 'data', `replica-${id}`, recordingFolder))
    const manifest = loadManifest(join(folder, 'cluster.json'))
    if (!manifest.ok) throw new Error(manifest.error.message)
    const moment = momentAt(folders, 20)
    if (!moment.ok) throw new Error(moment.error.message)
    const continued = (whatIf: readonly WhatIf[]): Continued =>
      continueRun(recordedMoment(moment.value, manifest.value), { seed: 3, whatIf, durationMs: 3_000 })
    const asItWas = continued([])
    expect(asItWas).toMatchObject({ violations: [], isBeyondF: false })
    expect(Math.max(...asItWas.before.map(({ lastExecuted }) => lastExecuted))).toBe(20)
    expect(asItWas.answered).toBe(asItWas.asked)
    expect(asItWas.asked).toBeGreaterThan(20)
    expect(asItWas.views.map(({ view }) => view)).toEqual([0])
    expect(continued([])).toEqual(asItWas)
    const withoutPrimary = continued([{ kind: 'crash', replica: 0 }])
    expect(withoutPrimary).toMatchObject({ violations: [], isBeyondF: false })
    expect(withoutPrimary.views.map(({ view }) => view)).toEqual([0, 1])
    expect(withoutPrimary.answered).toBe(withoutPrimary.asked)
    expect(withoutPrimary.after.map(({ replica }) => replica)).toEqual([1, 2, 3])
    const beyond = continued([
      { kind: 'isolate', replica: 1 },
      { kind: 'crash', replica: 2 },
    ])
    expect(beyond).toMatchObject({ violations: [], isBeyondF: true, answered: 0 })
    // What the recorded replicas signed is believed by their own keys only. Not every moment has such a thing in it or on its way.
    const distrusted = Array.from({ length: 15 }, (_, back) => momentAt(folders, 20 - back)).flatMap((found) => {
      if (!found.ok) throw new Error(found.error.message)
      const strangers = {
        ...recordedMoment(found.value, manifest.value),
        keys: { clusterId: manifest.value.clusterId, holds: () => false },
      }
      return continueRun(strangers, { seed: 3, whatIf: [{ kind: 'crash', replica: 0 }], durationMs: 100 }).violations
    })
    expect(distrusted.map(({ checker }) => checker)).toContain('authenticity')
    expect(() => continued([{ kind: 'crash', replica: 4 }])).toThrow('there is no r4')
    expect(momentAt(folders, 10_000_000)).toMatchObject({ ok: false, error: { code: 'not-found' } })
  })

  it('is listed, and found by its folder, its manifest and its name', () => {
    const replicas = [0, 1, 2, 3].map((id) => ({ folder: join(folder, 'data', `replica-${id}`, recordingFolder), offsetMs: 0 }))
    const processes = recordedProcesses({ replicas })
    expect([0, 1, 2, 3].map((id) => processes.filter(({ replica }) => replica === id).length)).toEqual([1, 1, 2, 2])
    expect(processes.every(({ replayable, lost }) => replayable && lost === 0)).toBe(true)
    const data = join(test.folder, 'data')
    for (const name of [folder, join(folder, 'cluster.json'), 'replayed']) expect(findRun(name, data)).toEqual({ ok: true, value: folder })
    expect(findRun('nowhere', data)).toMatchObject({ ok: false, error: { code: 'not-found' } })
    expect(replayRun(folder, { replica: 9, process: null, seq: null, view: null })).toMatchObject({
      ok: false,
      error: { code: 'not-found' },
    })
  })
})
