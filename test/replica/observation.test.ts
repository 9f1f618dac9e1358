import * as v from 'valibot'
import { afterEach, expect, it } from 'vitest'
import { controlMessageSchema, type ControlMessage } from '../../src/contract/control.ts'
import { asDigest, asReplicaId, asSeqNo, asView } from '../../src/pbft/protocol/ids.ts'
import type { Phase } from '../../src/pbft/protocol/steps.ts'
import { createObservation, type Observation, type ToldEvent } from '../../src/replica/observation.ts'
import { until } from '../support/until.ts'

type Observed = Extract<ControlMessage, { type: 'observed' }>

let observation: Observation
afterEach(() => observation.close())

const start = (): Observed[] => {
  const got: Observed[] = []
  observation = createObservation()
  observation.attach((message) => {
    expect(v.safeParse(controlMessageSchema, JSON.parse(JSON.stringify(message))).issues).toBeUndefined()
    if (message.type === 'observed') got.push(message)
  })
  return got
}
const digest = asDigest('ab'.repeat(32))
const phase = (name: Phase, seq: number, view = 0): ToldEvent => ({
  type: 'phase',
  phase: name,
  view: asView(view),
  seq: asSeqNo(seq),
  digest,
  requests: 1,
})

it('gathers the phases of a sequence number, over deliveries too', async () => {
  const got = start()
  observation.onEvent(phase('pre-prepared', 1), 10)
  observation.onEvent(phase('prepared', 1), 20)
  await until(() => got.length === 1)
  observation.onEvent(phase('committed', 1), 30)
  observation.onEvent(phase('executed', 1), 40)
  await until(() => got.length === 2)
  expect(got[0]?.slots).toEqual([
    { seq: 1, view: 0, digest, requests: 1, prePreparedAt: 10, preparedAt: 20, committedAt: null, executedAt: null },
  ])
  expect(got[1]?.slots).toEqual([
    { seq: 1, view: 0, digest, requests: 1, prePreparedAt: 10, preparedAt: 20, committedAt: 30, executedAt: 40 },
  ])
})

it('begins anew in another view', async () => {
  const got = start()
  observation.onEvent(phase('pre-prepared', 1), 10)
  observation.onEvent(phase('pre-prepared', 1, 1), 20)
  await until(() => got.length === 1)
  expect(got[0]?.slots).toMatchObject([{ view: 1, prePreparedAt: 20, preparedAt: null }])
})

it('delivers rare events one by one, and keeps frequent ones to itself', async () => {
  const got = start()
  const stable: ToldEvent = { type: 'stable', seq: asSeqNo(128), digest, replicas: [asReplicaId(0)] }
  observation.onEvent({ type: 'rejected', reason: 'wrong-view', message: 'prepare', from: null }, 1)
  observation.onEvent(stable, 2)
  await until(() => got.length === 1)
  expect(got[0]?.events).toEqual([{ at: 2, event: stable }])
})

it('is bounded: what is too much is dropped and counted', async () => {
  const got = start()
  for (let seq = 1; seq <= 12_000; seq += 1) observation.onEvent(phase('pre-prepared', seq), seq)
  for (let i = 0; i < 1_500; i += 1) observation.onEvent({ type: 'view-timer', running: true, delayMs: 1 }, i)
  await until(() => got.length === 1)
  expect(got[0]?.slots).toHaveLength(10_000)
  expect(got[0]?.events).toHaveLength(1_000)
  expect(got[0]?.dropped).toBe(2_500)
  expect(observation.dropped).toBe(2_500)
})
