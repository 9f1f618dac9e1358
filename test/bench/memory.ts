/**
 * Whether the panel's memory stays where it is while a cluster works: the page's heap after a collection (what nothing else is free to take
 * away) and all of its process, and the host's process, twice a minute. Flat: the middle of the last third is at most 5 % above that of the
 * middle third. The first third fills what is bounded: samples, pages of the log, caches.
 */
import { readFileSync } from 'node:fs'
import type { Page } from '@playwright/test'
import type { Method, Params, ResultOf } from '../../src/contract/api.ts'
import { screens } from '../../src/contract/screens.ts'
import type { Serving } from '../shells/support/serve.ts'

const everyMs = 30_000
const growthMax = 1.05
const MiB = 1_048_576

export interface MemoryRunOptions {
  readonly page: Page
  readonly serving: Serving
  call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>>
  readonly minutes: number
  /** Requests a second, open loop. */
  readonly rate: number
  say(text: string): void
}

interface Reading {
  readonly minute: number
  readonly pageHeap: number
  readonly host: number
  readonly requestsPerSecond: number
}

/** Resident memory of a process of this machine, MiB; NaN where the system does not tell. */
function residentOf(pid: number): number {
  try {
    const pages = Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1])
    return Math.round((pages * 4_096) / MiB)
  } catch {
    return NaN
  }
}

const middleOf = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

/** The last third over the middle one. */
function growthOf(values: readonly number[]): number {
  const third = Math.floor(values.length / 3)
  return Math.round((middleOf(values.slice(-third)) / middleOf(values.slice(third, values.length - third))) * 1_000) / 1_000
}

export async function memoryRun({ page, serving, call, minutes, rate, say }: MemoryRunOptions) {
  const session = await page.context().newCDPSession(page)
  await session.send('HeapProfiler.enable')
  const readings: Reading[] = []
  const began = Date.now()
  await call('startLoad', { clients: 32, durationMs: Math.ceil(minutes * 60_000) + 60_000, ratePerSecond: rate, valueBytes: 32 })
  for (let turn = 1; turn * everyMs <= minutes * 60_000; turn += 1) {
    // Each screen has its turn, so that none of them grows unseen.
    await page.evaluate((screen) => (location.hash = `#/${screen}`), screens[turn % screens.length] ?? 'overview')
    await new Promise((resolve) => setTimeout(resolve, began + turn * everyMs - Date.now()))
    await session.send('HeapProfiler.collectGarbage')
    const { usedSize } = await session.send('Runtime.getHeapUsage')
    const { requestsPerSecond } = await call('load', {})
    const reading = {
      minute: Math.round((Date.now() - began) / 6_000) / 10,
      pageHeap: Math.round((usedSize / MiB) * 10) / 10,
      host: residentOf(serving.pid),
      requestsPerSecond: Math.round(requestsPerSecond),
    }
    readings.push(reading)
    say(JSON.stringify(reading))
  }
  await call('stopLoad', {})
  const growth = { pageHeap: growthOf(readings.map(({ pageHeap }) => pageHeap)), host: growthOf(readings.map(({ host }) => host)) }
  return { unit: 'MiB', readings, growth, flat: growth.pageHeap <= growthMax && growth.host <= growthMax }
}
