/** Clocks that jump on real replicas: requests go on, time that was agreed never goes back, and the panel shows whose clock is off. */
import { rmSync } from 'node:fs'
import { afterEach, expect, it } from 'vitest'
import type { Trouble } from '../torture/trouble-file.ts'
import { Subject } from '../torture/subject.ts'
import { eventually } from './support/host.ts'

const dayMs = 86_400_000

let subject: Subject | null = null
afterEach(async () => {
  await subject?.close()
  if (subject !== null) rmSync(subject.folder, { recursive: true, force: true })
  subject = null
})

const jump = (on: Subject, replica: number, clockOffsetMs: number): Promise<void> => {
  const trouble: Partial<Trouble> = { clockOffsetMs }
  return on.begin({ name: 'clock', lengthMs: 0, withinF: true, harms: [{ kind: 'trouble', replica, trouble }] })
}

it.each([
  ['the primary, a day ahead', 0, dayMs],
  ['the primary, an hour back', 0, -3_600_000],
  ['a backup, a day ahead', 2, dayMs],
])('of %s', async (_what, replica, offsetMs) => {
  const on = await Subject.start({ replicas: 4, durability: 'process', parameters: {} })
  subject = on
  let count = 0
  const increment = async (): Promise<void> => {
    count += 1
    const { result } = await on.call('submit', { operation: { type: 'incr', key: 'n', n: 1 }, timeoutMs: 40_000 })
    expect(result).toEqual({ ok: true, value: count })
  }
  for (let i = 0; i < 3; i += 1) await increment()
  await jump(on, replica, offsetMs)
  const isShown = async (): Promise<boolean> => {
    const { clockOffsetMs } = await on.call('replica', { id: replica })
    return Math.abs(clockOffsetMs - offsetMs) < 60_000
  }
  await eventually('the panel shows it', isShown, 60_000)
  for (let i = 0; i < 10; i += 1) await increment()
  await on.heal()
  for (let i = 0; i < 3; i += 1) await increment()
  const log = await eventually('the log is read', async () => {
    const page = await on.call('log', { limit: 1_000 })
    return page.entries.flatMap(({ requests }) => requests).length === count ? page.entries : null
  })
  const times = log.map(({ timeMs }) => timeMs).filter((timeMs) => timeMs > 0)
  // Nobody's wrong clock became the cluster's time.
  expect(Math.max(...times)).toBeLessThan(Date.now() + dayMs / 2)
  const { monitors } = await on.call('status', {})
  expect(monitors.filter(({ state }) => state === 'violated')).toEqual([])
})
