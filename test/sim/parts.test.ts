/** The simulator's own parts: what they promise to the runs built on them. */
import { describe, expect, it } from 'vitest'
import { noLinkFault } from '../../src/pbft/faults/index.ts'
import { asDigest, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { Request } from '../../src/pbft/protocol/messages.ts'
import type { LogRecord } from '../../src/pbft/protocol/records.ts'
import { SimDisk } from '../../src/pbft/sim/disk.ts'
import { createRandom, type Random } from '../../src/pbft/sim/index.ts'
import { createKeys, simClusterId } from '../../src/pbft/sim/keys.ts'
import { SimNetwork } from '../../src/pbft/sim/network.ts'
import { Schedule } from '../../src/pbft/sim/schedule.ts'
import { asReplicaId } from '../../src/pbft/protocol/ids.ts'
import { requestSignedBytes } from '../../src/pbft/wire/index.ts'
import { checkpointOf, examples, macedRequest, signedRequest, viewChangeOf } from '../support/wire-examples.ts'

describe('the schedule', () => {
  it('runs by time, then in the order of scheduling', () => {
    const schedule = new Schedule()
    const random = createRandom(1)
    const expected: { at: number; i: number }[] = []
    const ran: { at: number; i: number }[] = []
    for (let i = 0; i < 500; i++) {
      const at = random.whole(0, 50)
      expected.push({ at, i })
      schedule.at(at, () => void ran.push({ at: schedule.now, i }))
    }
    while (!schedule.isEmpty) schedule.runNext()
    expect(ran).toEqual(expected.toSorted((a, b) => a.at - b.at || a.i - b.i))
  })

  it('never goes back', () => {
    const schedule = new Schedule()
    const times: number[] = []
    schedule.at(10, () => schedule.at(3, () => void times.push(schedule.now)))
    while (!schedule.isEmpty) schedule.runNext()
    expect(times).toEqual([10])
  })
})

/** A generator whose chances all come out as told. */
const loaded = (isLucky: boolean): Random => ({ ...createRandom(1), chance: () => isLucky, whole: (min) => min })

const prepared = (seq: number): LogRecord => ({ kind: 'prepared', view: asView(0), seq: asSeqNo(seq), digest: asDigest('ab'.repeat(32)) })
const stable: LogRecord = { kind: 'stable', stable: viewChangeOf(0).stable }
const checkpoint = (...partitions: { index: number; bytes: Uint8Array }[]): LogRecord => ({
  kind: 'checkpoint',
  message: checkpointOf(0),
  timeMs: 5,
  partitions,
  transferred: false,
})
const kinds = (disk: SimDisk): string[] =>
  disk.load().records.map((record) => ('seq' in record ? `${record.kind} ${record.seq}` : record.kind))

describe('the disk', () => {
  it('loses what was not flushed, and keeps what was', () => {
    const disk = new SimDisk(loaded(false))
    for (const seq of [1, 2, 3]) disk.append(prepared(seq))
    disk.flush(2)
    expect([disk.appended, disk.durable]).toEqual([3, 2])
    expect(disk.crash()).toBe(2)
    expect(kinds(disk)).toEqual(['prepared 1', 'prepared 2'])
    disk.append(prepared(4))
    disk.flush(1)
    expect(kinds(disk)).toEqual(['prepared 1', 'prepared 2', 'prepared 4'])
  })

  it('keeps partitions by index, the last write wins, and only with their record', () => {
    const disk = new SimDisk(loaded(false))
    disk.append(checkpoint({ index: 3, bytes: Uint8Array.of(1) }, { index: 1, bytes: Uint8Array.of(2) }))
    disk.append(checkpoint({ index: 3, bytes: Uint8Array.of(9) }))
    disk.flush(1)
    expect(disk.load().partitions).toEqual([
      { index: 1, bytes: Uint8Array.of(2) },
      { index: 3, bytes: Uint8Array.of(1) },
    ])
    disk.flush(2)
    expect(disk.load().partitions[1]).toEqual({ index: 3, bytes: Uint8Array.of(9) })
  })

  it('drops at a stable record what it may, and nothing else', () => {
    const disk = new SimDisk(loaded(true))
    const records: LogRecord[] = [
      prepared(127),
      prepared(128),
      prepared(129),
      { kind: 'view-change', message: viewChangeOf(0) },
      { kind: 'view-change', message: viewChangeOf(2) },
      checkpoint(),
      stable,
    ]
    for (const record of records) disk.append(record)
    disk.flush(records.length)
    expect(kinds(disk)).toEqual(['prepared 129', 'view-change', 'checkpoint', 'stable'])
    const [, viewChange] = disk.load().records
    expect(viewChange).toEqual({ kind: 'view-change', message: viewChangeOf(2) })
  })
})

describe('the network', () => {
  const build = (): { schedule: Schedule; network: SimNetwork; arrived: string[]; run: () => void } => {
    const schedule = new Schedule()
    const arrived: string[] = []
    const network = new SimNetwork(
      schedule,
      createRandom(1),
      3,
      (from, to, bytes) => void arrived.push(`${from}>${to}:${bytes[0]}@${schedule.now}`),
    )
    const run = (): void => {
      while (!schedule.isEmpty) schedule.runNext()
    }
    return { schedule, network, arrived, run }
  }

  it('delays, and keeps the order of a link', () => {
    const { network, arrived, run } = build()
    network.setRule(0, 1, { ...noLinkFault, delayMs: 5 })
    network.send(0, 1, Uint8Array.of(1))
    network.setRule(0, 1, noLinkFault)
    network.send(0, 1, Uint8Array.of(2))
    network.send(1, 0, Uint8Array.of(3))
    run()
    expect(arrived).toEqual(['1>0:3@0', '0>1:1@5', '0>1:2@5'])
  })

  it('cuts one direction, also for what is on its way, until the last cut is healed', () => {
    const { network, arrived, run } = build()
    network.setRule(0, 1, { ...noLinkFault, delayMs: 5 })
    network.send(0, 1, Uint8Array.of(1))
    network.cut(0, 1)
    network.cut(0, 1)
    run()
    network.send(0, 1, Uint8Array.of(2))
    expect(network.heal(0, 1)).toBe(false)
    network.send(0, 1, Uint8Array.of(3))
    network.send(1, 0, Uint8Array.of(4))
    expect(network.heal(0, 1)).toBe(true)
    network.send(0, 1, Uint8Array.of(5))
    run()
    expect(arrived.map((line) => line.slice(0, 5))).toEqual(['1>0:4', '0>1:5'])
  })
})

describe('the keys', () => {
  const keys = createKeys(1, 4)
  const own = asReplicaId(2)
  it('sign for their holder only', () => {
    const bytes = requestSignedBytes(signedRequest, simClusterId)
    const sign = keys.signerOf({ kind: 'client', client: signedRequest.client })
    const authentic = { ...signedRequest, authentication: { kind: 'signature' as const, signature: sign(bytes) } }
    expect(keys.isAuthentic(authentic)).toBe(true)
    expect(keys.isAuthentic({ ...authentic, readOnly: true })).toBe(false)
    const forged = {
      ...authentic,
      authentication: { kind: 'signature' as const, signature: keys.signerOf({ kind: 'replica', id: own })(bytes) },
    }
    expect(keys.isAuthentic(forged)).toBe(false)
    expect(keys.isAuthentic(examples['new-view'])).toBe(false)
  })

  it('make a MAC for each replica', () => {
    const macs = keys.macsOf(macedRequest.client, requestSignedBytes(macedRequest, simClusterId))
    const authentic = { ...macedRequest, authentication: { kind: 'macs' as const, macs } }
    const unverified = (request: Request): number[][] => [0, 1, 2, 3].map((id) => keys.unverified(request, asReplicaId(id)))
    expect(keys.isAuthentic(authentic)).toBe(true)
    expect(unverified(authentic)).toEqual([[], [], [], []])
    const spoilt = macs.map((byte, at) => (at === 2 * 16 + 5 ? byte ^ 1 : byte))
    expect(unverified({ ...authentic, authentication: { kind: 'macs', macs: spoilt } })).toEqual([[], [], [0], []])
    expect(unverified({ ...authentic, authentication: { kind: 'macs', macs: macs.subarray(0, 32) } })).toEqual([[], [], [0], [0]])
    expect(unverified({ ...authentic, readOnly: false })).toEqual([[0], [0], [0], [0]])
  })
})
