/** What a replica records, on a real disk: all of it, in order, bounded, and readable after any end. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Segments } from '../../src/cluster/recorder/segments.ts'
import { asClientId, asReplicaId } from '../../src/pbft/protocol/ids.ts'
import { encodeMessage, encodeReplies } from '../../src/pbft/wire/index.ts'
import { openRecording, type Recording } from '../../src/replica/recording.ts'
import { examples } from '../support/wire-examples.ts'
import { until } from '../support/until.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbft-recording-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const open = (bytesMax: number, onFailed: (error: unknown) => void = () => undefined): Recording =>
  openRecording({ folder, clusterId: 'ab'.repeat(16), id: 1, bytesMax, onFailed })

const message = examples['pre-prepare']
const wire = encodeMessage(message)
const from = asReplicaId(0)
const take = (recording: Recording, nowMs: number): void => recording.input({ type: 'message', from, message }, nowMs, wire)

/** The clocks of the recorded inputs. */
const inputsIn = (segments: Segments): number[] =>
  segments.blocks.flatMap((block) => (segments.load(block) ?? []).flatMap((entry) => (entry?.kind === 'input' ? [entry.nowMs] : [])))

const read = (): Segments => {
  const segments = new Segments(folder)
  segments.refresh()
  return segments
}

const bytesOnDisk = (): number => readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)

it('is all there in order when it was closed, over several processes', async () => {
  for (const process of [0, 1, 2]) {
    const recording = open(64 * 1_048_576)
    for (let i = 0; i < 1_000; i++) take(recording, process * 1_000 + i)
    await recording.close()
  }
  expect(inputsIn(read())).toEqual(Array.from({ length: 3_000 }, (_, i) => i))
})

it('counts each reply of a bundle as an entry, so that what follows has its place', async () => {
  const recording = open(64 * 1_048_576)
  const replies = Array.from({ length: 300 }, (_, k) => ({ ...examples.reply, client: asClientId(`zoë/${k}`) }))
  for (let i = 0; i < 100; i++) {
    recording.sentReplies(encodeReplies(replies), replies.length)
    take(recording, i)
  }
  await recording.close()
  const segments = read()
  expect(segments.blocks.length).toBeGreaterThan(1)
  let next = 0
  for (const block of segments.blocks) {
    expect(block.firstIndex).toBe(next)
    next += block.count
    expect(segments.load(block)).toHaveLength(block.count)
  }
  // The segment's head and its end beside them.
  expect(next).toBe(100 * 301 + 2)
  expect(inputsIn(segments)).toHaveLength(100)
})

it('is readable while it is written', async () => {
  const recording = open(64 * 1_048_576)
  const segments = new Segments(folder)
  take(recording, 1)
  await until(() => {
    segments.refresh()
    return inputsIn(segments).length === 1
  })
  take(recording, 2)
  await until(() => {
    segments.refresh()
    return inputsIn(segments).length === 2
  })
  await recording.close()
})

it('stays within its bound: the oldest go', async () => {
  const bytesMax = 4 * 1_048_576
  const recording = open(bytesMax)
  for (let i = 0; i < 60_000; i++) {
    take(recording, i)
    if (i % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await recording.close()
  expect(bytesOnDisk()).toBeLessThanOrEqual(bytesMax)
  const inputs = inputsIn(read())
  expect(inputs[0]).toBeGreaterThan(0)
  expect(inputs).toEqual(Array.from({ length: inputs.length }, (_, i) => 60_000 - inputs.length + i))
  expect(inputs.length).toBeGreaterThan(5_000)
})

it('drops and counts what the disk does not take in time, and says where', async () => {
  const recording = open(1_024 * 1_048_576)
  // In one turn of the event loop no write can end.
  for (let i = 0; i < 100_000; i++) take(recording, i)
  const { lost } = recording.status()
  expect(lost).toBeGreaterThan(0)
  await until(() => {
    const segments = read()
    return segments.bytes > 10 * 1_048_576
  })
  take(recording, 200_000)
  await recording.close()
  const segments = read()
  const inputs = inputsIn(segments)
  expect(inputs).toEqual([...Array.from({ length: 100_000 - lost }, (_, i) => i), 200_000])
  expect(segments.blocks.reduce((sum, block) => sum + block.lost, 0)).toBe(lost)
})

it('ends, and says so once, when the disk refuses', async () => {
  const problems: unknown[] = []
  const recording = open(4 * 1_048_576, (error) => problems.push(error))
  rmSync(folder, { recursive: true })
  for (let i = 0; i < 3; i++) {
    take(recording, i)
    await new Promise((resolve) => setTimeout(resolve, 150))
  }
  expect(problems.length).toBe(1)
  await recording.close()
  folder = mkdtempSync(join(tmpdir(), 'pbft-recording-'))
})
