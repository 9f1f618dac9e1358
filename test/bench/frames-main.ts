/**
 * `npm run bench:frames -- --rows 100000 --messages 100000`: a real cluster makes a long log and a full recording; then the browser, with its
 * own clock, says how long its frames took while the log is scrolled and the messages are panned, zoomed and dragged. Needs a build.
 * One frame of the display is 16.7 ms; a machine that is busy with other work makes every figure worse, so its load is printed along.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { chromium, type CDPSession, type Page } from '@playwright/test'
import type { Method, Params, ResultOf } from '../../src/contract/api.ts'
import { screens, type Screen } from '../../src/contract/screens.ts'
import { navTestId, testIds } from '../../src/renderer/testids.ts'
import { memoryRun } from './memory.ts'
import { findBrowser, rootFlags } from '../shells/support/find-browser.ts'
import { callBySocket } from '../shells/support/panel.ts'
import { startServing } from '../shells/support/serve.ts'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    messages: { type: 'string', default: '100000' },
    frames: { type: 'string', default: '400' },
    /** The log is as long as it is when this has passed. */
    minutes: { type: 'string', default: '10' },
    /** The cluster stays there for another run. */
    folder: { type: 'string' },
    'memory-minutes': { type: 'string' },
    rate: { type: 'string', default: '2000' },
  },
})
const frames = Number(values.frames)
const say = (text: string): void => void process.stderr.write(`${text}\n`)

interface Figures {
  readonly p50: number
  readonly p95: number
  readonly max: number
  /** Shorter than two frames of the display were wanted; so many were longer. */
  readonly over33: number
}
interface Row extends Figures {
  readonly what: string
  readonly size: number
  readonly frames: number
  /** CPU time of the page's own thread for each frame, ms: hardly touched by what else the machine does. */
  readonly cpu: number
  /** The machine's load average over the last minute, which is fine up to the count of its cores. */
  readonly load: number
}

type Motion = 'scroll' | 'pan' | 'zoom' | 'drag'

/** In the page: moves a little in every frame and gives the times between frames, ms. The first frames warm up. */
const move = async ({ motion, target, count }: { motion: Motion; target: string; count: number }): Promise<number[]> => {
  const element = document.querySelector<HTMLElement>(`[data-testid="${target}"]`)
  if (element === null) throw new Error(`there is no ${target}`)
  const { left, top, width, height } = element.getBoundingClientRect()
  const at = { bubbles: true, cancelable: true, clientX: left + width / 2, clientY: top + height / 2 }
  const pointer = (type: string, x: number): boolean =>
    element.dispatchEvent(new PointerEvent(type, { ...at, clientX: x, pointerId: 1, button: 0, isPrimary: true }))
  const steps: Readonly<Record<Motion, (i: number) => void>> = {
    scroll: () => {
      const end = element.scrollHeight - element.clientHeight
      element.scrollTop = element.scrollTop + end / count
    },
    // There and back, past what is held: to a whole window beyond it.
    pan: (i) => void element.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY: i % 200 < 100 ? -30 : 30 })),
    zoom: (i) => void element.dispatchEvent(new WheelEvent('wheel', { ...at, ctrlKey: true, deltaY: i % 80 < 40 ? -12 : 12 })),
    drag: (i) => void pointer('pointermove', at.clientX + (i % 160 < 80 ? i % 80 : 80 - (i % 80)) * 6),
  }
  const frame = (): Promise<number> => new Promise(requestAnimationFrame)
  // A pointer made here is none that the browser could capture.
  element.setPointerCapture = () => undefined
  if (motion === 'drag') pointer('pointerdown', at.clientX)
  const times: number[] = []
  let last = await frame()
  for (let i = 0; i < count; i += 1) {
    steps[motion](i)
    const now = await frame()
    if (i >= 10) times.push(now - last)
    last = now
  }
  if (motion === 'drag') pointer('pointerup', at.clientX)
  return times
}

function figuresOf(times: readonly number[]): Figures {
  const sorted = [...times].sort((a, b) => a - b)
  const at = (share: number): number =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN) * 10) / 10
  return { p50: at(0.5), p95: at(0.95), max: at(1), over33: sorted.filter((time) => time > 33.4).length }
}

/** CPU time that the page's thread has had in its tasks so far, ms. */
async function cpuOf(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN) * 1_000
}

async function measure(page: Page, what: string, size: number, motion: Motion, target: string): Promise<Row> {
  const session = await page.context().newCDPSession(page)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  const before = await cpuOf(session)
  const times = await page.evaluate(move, { motion, target, count: frames })
  const cpu = Math.round((((await cpuOf(session)) - before) / frames) * 100) / 100
  await session.detach()
  return { what, size, frames: times.length, cpu, ...figuresOf(times), load: Math.round((loadavg()[0] ?? NaN) * 100) / 100 }
}

const folder = values.folder ?? mkdtempSync(join(tmpdir(), 'pbft-panel-frames-'))
const serving = await startServing(['--data', folder, '--empty'])
const browser = await chromium.launch({ executablePath: findBrowser(), args: rootFlags })
const call = <M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> => callBySocket(serving, method, params)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Until the log has `rows`, one batch for each request; gives how many there are. */
async function fillLog(rows: number): Promise<number> {
  const clusters = await call('clusters', {})
  if (!clusters.some(({ name }) => name === 'frames')) {
    await call('createCluster', {
      name: 'frames',
      replicas: 4,
      durability: 'process',
      authentication: 'mac',
      parameters: { batchRequestsMax: 1 },
    })
  }
  await call('openCluster', { name: 'frames' })
  const deadline = Date.now() + Number(values.minutes) * 60_000
  const lengthNow = async (): Promise<number> =>
    Math.max(...(await call('status', {})).replicas.map(({ lastExecuted }) => lastExecuted ?? 0))
  let length = await lengthNow()
  if (length >= rows) return length
  await call('startLoad', { clients: 64, durationMs: 3_600_000, valueBytes: 32 })
  while (length < rows && Date.now() < deadline) {
    await pause(1_000)
    length = await lengthNow()
  }
  await call('stopLoad', {})
  return length
}

/** How many messages are recorded in a window; a long one is counted in several steps. */
async function countOf(window: { readonly from: number; readonly to: number }): Promise<number> {
  for (;;) {
    const { total, blocks } = await call('messagesOverview', { ...window, bins: 1 })
    if (blocks.read >= blocks.of) return total
  }
}

/** A window that holds `wanted` messages or up to a twentieth more, around the densest part of what is recorded. Throws when there are fewer. */
async function windowOf(wanted: number): Promise<{ readonly from: number; readonly to: number; readonly total: number }> {
  const { first, last } = await call('messagesOverview', { from: 1, to: 2, bins: 1 })
  if (first === null || last === null) throw new Error('nothing is recorded')
  const whole = { from: first, to: last + 1 }
  const all = await countOf(whole)
  if (all < wanted) throw new Error(`${all} messages are recorded, ${wanted} are wanted: let the load run for longer`)
  const bins = 200
  const { bin, count } = await call('messagesOverview', { ...whole, bins })
  const perBin = new Float64Array(bins)
  bin.forEach((at, i) => (perBin[at] = (perBin[at] ?? 0) + (count[i] ?? 0)))
  const middle = first + ((perBin.indexOf(Math.max(...perBin)) + 0.5) * (last + 1 - first)) / bins
  // The count only grows with the window: halved until it is near enough.
  let [tooFew, enough] = [0, 2 * (last + 1 - first)]
  for (;;) {
    const span = (tooFew + enough) / 2
    const window = { from: middle - span / 2, to: middle + span / 2 }
    const total = await countOf(window)
    if (total >= wanted && total <= wanted * 1.05) return { ...window, total }
    if (total < wanted) tooFew = span
    else enough = span
    if (enough - tooFew < 0.001) throw new Error(`no window holds ${wanted} to ${wanted * 1.05} messages`)
  }
}

interface Opening {
  readonly screen: Screen
  /** From the click in the rail until the frame after the screen's own heading is there, ms; the middle of seven, and the longest. */
  readonly p50: number
  readonly max: number
}

/** In the page: clicks and waits for the heading that is the new screen's; then one more frame, in which it is painted. */
const openByRail = async ({ nav, url }: { nav: string; url: string }): Promise<number> => {
  const before = document.querySelector('main h1')
  const from = performance.now()
  document.querySelector<HTMLElement>(`[data-testid="${nav}"]`)?.click()
  const there = (): boolean => {
    const heading = document.querySelector('main h1')
    return location.hash.startsWith(url) && heading !== null && heading !== before
  }
  while (!there()) await new Promise(requestAnimationFrame)
  await new Promise(requestAnimationFrame)
  return performance.now() - from
}

/** Every screen from the one before, some times around: the first time also fetches the screen's own script. */
async function openings(page: Page): Promise<Opening[]> {
  const times = new Map<Screen, number[]>(screens.map((screen) => [screen, []]))
  for (let round = 0; round < 7; round += 1) {
    for (const screen of screens) {
      await page.getByTestId(navTestId(screen === 'settings' ? 'overview' : 'settings')).click()
      times.get(screen)?.push(await page.evaluate(openByRail, { nav: navTestId(screen), url: `#/${screen}` }))
    }
  }
  return screens.map((screen) => {
    const { p50, max } = figuresOf(times.get(screen) ?? [])
    return { screen, p50, max }
  })
}

async function frameRun(): Promise<void> {
  const rows: Row[] = []
  const length = await fillLog(Number(values.rows))
  say(`the log has ${length} rows`)
  const page = await openPage()
  const open = async (screen: string, target: string): Promise<void> => {
    await page.goto('about:blank')
    await page.goto(`${serving.url}/#/${screen}`)
    await page.getByTestId(target).waitFor()
  }
  await open('log', 'log-scroller')
  await page.getByTestId(testIds.logRow).first().waitFor()
  const opened = await openings(page)
  await open('log', 'log-scroller')
  await page.getByTestId(testIds.logRow).first().waitFor()
  await page.getByTestId('log-scroller').evaluate((element) => element.scrollTo(0, 0))
  rows.push(await measure(page, 'log: scrolled from end to end', length, 'scroll', 'log-scroller'))
  for (const wanted of [Number(values.messages) / 4, Number(values.messages)]) {
    const { from, to, total } = await windowOf(wanted)
    await open(`messages?w=${from.toFixed(3)}-${to.toFixed(3)}`, 'message-diagram')
    await page.locator('[data-testid="message-diagram"]:not([data-lines="0"])').waitFor({ timeout: 60_000 })
    for (const motion of ['drag', 'pan', 'zoom'] as const) {
      rows.push(await measure(page, `messages: ${motion}`, total, motion, 'message-diagram'))
    }
  }
  const columns = ['what', 'size', 'frames', 'cpu', 'p50', 'p95', 'max', 'over33', 'load'] as const
  say(columns.join(' | '))
  for (const row of rows) say(columns.map((column) => String(row[column])).join(' | '))
  for (const { screen, p50, max } of opened) say(`opening ${screen}: ${p50} ms, at most ${max}`)
  process.stdout.write(`${JSON.stringify({ unit: 'ms', rows, openings: opened })}\n`)
}

async function openPage(): Promise<Page> {
  const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage()
  await page.goto(`${serving.url}/#token=${serving.token}`)
  await page.getByTestId(testIds.appReady).waitFor()
  return page
}

try {
  const minutes = values['memory-minutes']
  if (minutes === undefined) await frameRun()
  else {
    await call('createCluster', { name: 'memory', replicas: 4, durability: 'process', authentication: 'mac' })
    await call('openCluster', { name: 'memory' })
    const found = await memoryRun({ page: await openPage(), serving, call, minutes: Number(minutes), rate: Number(values.rate), say })
    process.stdout.write(`${JSON.stringify(found)}\n`)
    process.exitCode = found.flat ? 0 : 1
  }
} finally {
  await browser.close()
  await serving.stop()
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true })
}
