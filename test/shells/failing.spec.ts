/**
 * Every act of an operator fails once, for a reason of the real world, and the screen says what happened and what to do, in both languages.
 * The acts are the contract's methods that change something: one that is added there does not compile here until somebody has made it fail.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import type { Locator } from '@playwright/test'
import type { Method } from '../../src/contract/api.ts'
import type { ErrorCode } from '../../src/contract/result.ts'
import { locales, type Locale } from '../../src/contract/screens.ts'
import { en } from '../../src/renderer/i18n/en.ts'
import { zhCN } from '../../src/renderer/i18n/zh-CN.ts'
import { byTestId, replicaActionTestId, scenarioTestId, testIds } from '../../src/renderer/testids.ts'
import type { reads } from './support/acts.ts'
import { Keyboard } from './support/keyboard.ts'
import { afterSomebody, callOf, hostGoneUnder } from './support/meanwhile.ts'
import { expect, test, type Panel } from './support/panel.ts'
import { goTo, statusWhen } from './support/steps.ts'

/** Nothing on the screen does these by themselves: they only read, are parts of opening and saving files, or scripts' alone. */
type Part = 'runs' | 'annotations' | 'exportPart' | 'beginImport' | 'importPart' | 'cancelImport'
/** Only a data folder or a program that somebody else took apart can refuse these, as `setRecording` and `openRun` are refused here. */
type Alike = 'emptyTrash' | 'openSampleRun'
type Act = Exclude<Method, (typeof reads)[number] | Part | Alike>

const texts = { en, 'zh-CN': zhCN } as const
type Says = ErrorCode | 'past'
const wordsOf = (locale: Locale, says: Says): string => (says === 'past' ? texts[locale].time.blocked : texts[locale].errors[says])

class Operator {
  readonly panel: Panel
  readonly keys: Keyboard

  constructor(panel: Panel) {
    this.panel = panel
    this.keys = new Keyboard(panel.page)
  }

  test(id: string): Locator {
    return this.panel.page.getByTestId(id)
  }

  async speak(locale: Locale): Promise<void> {
    await this.test(testIds.language).selectOption(locale)
    await expect(this.panel.page.locator('html')).toHaveAttribute('lang', locale)
  }

  /** Says it where everything that was done, or was not, is said, or in the dialog that is open. */
  async sees(locale: Locale, says: Says, count = 1): Promise<void> {
    const told = this.panel.page.locator('[data-testid="notice"], [role="alert"]').filter({ hasText: wordsOf(locale, says) })
    await expect.poll(() => told.count(), { message: `${says} in ${locale}` }).toBeGreaterThanOrEqual(count)
    await expect(told.first()).toBeVisible()
  }

  /** Does what fails once in each language; in Electron, where the page is the same, in one. */
  async fails(says: Says, act: () => Promise<void>): Promise<void> {
    for (const locale of locales.filter((one) => this.panel.serving !== null || one === 'zh-CN')) {
      await this.speak(locale)
      await act()
      await this.sees(locale, says)
      await this.dismiss()
    }
  }

  async dismiss(): Promise<void> {
    const notices = this.test('notice')
    const close = (all: readonly Element[]): void =>
      all.forEach((one) => one.querySelector<HTMLElement>(':scope > button:last-child')?.click())
    await expect
      .poll(async () => {
        await notices.evaluateAll(close)
        return notices.count()
      })
      .toBe(0)
  }

  async goTo(screen: string): Promise<void> {
    await goTo(this.panel.page, screen)
  }

  /** Every screen shows the run as it was a second ago. */
  async lookBack(screen: string): Promise<void> {
    await this.panel.page.evaluate((hash) => (location.hash = hash), `#/${screen}?t=${Date.now() - 1_000}`)
    await this.test('moment').waitFor()
  }

  async goLive(): Promise<void> {
    await this.keys.press('n')
    await expect(this.test('moment')).toHaveCount(0)
  }
}

/** Something else listens where a replica should. */
const occupied = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy())
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
const freed = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()))

/** A run that is there for this page, and gone from the host. */
const freshRun = async ({ panel }: Operator): Promise<{ readonly row: string; readonly gone: Parameters<typeof afterSomebody>[1] }> => {
  const { id } = await panel.call('openSampleRun', {})
  const row = `${byTestId(testIds.runRow)}[data-run="${id}"]`
  await panel.page.locator(row).waitFor()
  return { row, gone: [callOf('trashRun', { id }), callOf('emptyTrash', {})] }
}
/** Somebody else removes a note while it is changed here. */
const noteFails = (operator: Operator, button: string): Promise<void> =>
  operator.fails('not-found', async () => {
    const { panel } = operator
    const { id } = await panel.call('annotate', { at: Date.now() - 1_000, text: 'a note' })
    await operator.test('time-marks').click()
    await operator.test('note-change').click()
    await afterSomebody(panel, [callOf('removeAnnotation', { id })], byTestId(button))
    await expect(operator.test('notice')).not.toHaveCount(0)
    await operator.keys.press('Escape')
    await expect(operator.test('note')).toBeHidden()
  })
const runFails = async (operator: Operator, button: string, before?: (row: Locator) => Promise<void>): Promise<void> => {
  await operator.goTo('runs')
  await operator.fails('not-found', async () => {
    const { row, gone } = await freshRun(operator)
    await before?.(operator.panel.page.locator(row))
    await afterSomebody(operator.panel, gone, button.replace('ROW', row))
  })
}

/** In the order in which one follows from the other. r1 and r2 are isolated, so that nothing is ordered. */
const failures: Readonly<Record<Act, (operator: Operator) => Promise<void>>> = {
  /** A folder of that name is there, with a cluster.json that nobody can read. */
  async createCluster(operator) {
    const { panel, keys } = operator
    const folder = join(panel.dataFolder, 'clusters', 'taken')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'cluster.json'), '{')
    await operator.fails('cluster-exists', async () => {
      await keys.run('create')
      await operator.test(testIds.createClusterName).fill('taken')
      await operator.test(testIds.createClusterSubmit).click()
      await operator.test('pending').waitFor({ state: 'detached' })
      await expect(panel.page.getByRole('dialog').getByRole('alert')).toBeVisible()
      await keys.press('Escape')
    })
  },
  /** Its cluster.json is damaged; the cluster that is open stays. */
  async openCluster(operator) {
    const { panel, keys } = operator
    await operator.fails('bad-manifest', async () => {
      await keys.run('connect')
      await operator.test('cluster-file').fill(join(panel.dataFolder, 'clusters', 'taken', 'cluster.json'))
      await operator.test(testIds.openCluster).click()
    })
    expect((await panel.call('host', {})).cluster).toBe('failing')
  },
  /** Somebody else cancelled it. */
  async cancelRequest(operator) {
    const { panel } = operator
    await operator.goTo('requests')
    await operator.fails('not-found', async () => {
      const known = new Set((await panel.call('requests', {})).map(({ id }) => id))
      await operator.test(testIds.requestSubmit).click()
      const mine = async (): Promise<string | undefined> => (await panel.call('requests', {})).find(({ id }) => !known.has(id))?.id
      await expect.poll(mine).toBeDefined()
      await afterSomebody(panel, [callOf('cancelRequest', { id: (await mine()) ?? '' })], byTestId('request-cancel'))
    })
  },
  /** Somebody else's runs. */
  async startLoad(operator) {
    const { panel } = operator
    await operator.goTo('requests')
    await operator.fails('busy', async () => {
      await afterSomebody(panel, [callOf('startLoad', { clients: 1, durationMs: 60_000 })], byTestId('load-start'))
      await panel.call('stopLoad', {})
      await operator.test('load-start').waitFor()
    })
  },
  /** What is past cannot be stopped. */
  async stopLoad(operator) {
    const { panel, keys } = operator
    await panel.call('startLoad', { clients: 1, durationMs: 60_000 })
    await operator.test('load-stop').waitFor()
    await operator.lookBack('requests')
    await operator.fails('past', () => keys.press('l'))
    await operator.goLive()
    await panel.call('stopLoad', {})
  },
  async startRecovery(operator) {
    const { panel } = operator
    await operator.goTo('settings')
    await operator.fails('busy', async () => {
      await afterSomebody(panel, [callOf('startRecovery', { periodMs: 600_000 })], byTestId('recovery-start'))
      await panel.call('stopRecovery', {})
      await operator.test('recovery-start').waitFor()
    })
  },
  /** Not from the past: its button says so. */
  async stopRecovery(operator) {
    const { panel } = operator
    await panel.call('startRecovery', { periodMs: 600_000 })
    await operator.test('recovery-stop').waitFor()
    await operator.lookBack('settings')
    for (const locale of locales) {
      await operator.speak(locale)
      await expect(operator.test('recovery-stop')).toBeDisabled()
      await expect(operator.test('recovery-stop')).toHaveAttribute('title', wordsOf(locale, 'past'))
    }
    await operator.goLive()
    await panel.call('stopRecovery', {})
  },
  /** A replica that does not run cannot be paused. */
  async injectFault(operator) {
    const { panel } = operator
    await panel.call('controlReplica', { id: 3, action: 'kill' })
    await operator.goTo('faults')
    await operator.test('fault-type').selectOption('pause')
    await operator.test('fault-replica').selectOption('3')
    await operator.fails('replica-unavailable', () => operator.test('fault-submit').click())
    expect((await panel.call('faults', {})).length).toBe(2)
  },
  /** Another program listens on its port. */
  async controlReplica(operator) {
    const { panel } = operator
    await operator.goTo('overview')
    const other = await occupied((await panel.call('replica', { id: 3 })).port)
    await operator.fails('start-failed', () => operator.test(replicaActionTestId('start', 3)).click())
    await freed(other)
    await panel.call('controlReplica', { id: 3, action: 'start' })
  },
  /** Somebody else healed it. */
  async healFault(operator) {
    const { panel } = operator
    await operator.fails('not-found', async () => {
      const { id } = await panel.call('injectFault', { fault: { type: 'cut', from: 0, to: 3, bothWays: true, durationMs: null } })
      await expect(operator.test('active-fault')).toHaveCount(3)
      await afterSomebody(panel, [callOf('healFault', { id })], `${byTestId('active-fault')}:last-of-type button`)
      await expect(operator.test('active-fault')).toHaveCount(2)
    })
  },
  async healAll(operator) {
    await operator.lookBack('overview')
    await operator.fails('past', () => operator.keys.press('h'))
    await operator.goLive()
    expect((await operator.panel.call('faults', {})).length).toBe(2)
  },
  /** A file is where its folder would be. */
  async diagnostics(operator) {
    const folder = join(operator.panel.dataFolder, 'diagnostics')
    rmSync(folder, { recursive: true, force: true })
    writeFileSync(folder, '')
    await operator.fails('storage', () => operator.keys.run('diagnostics'))
    rmSync(folder)
  },
  /** A folder is where its file would be. */
  async setRecording(operator) {
    const { panel } = operator
    const inTheWay = join(panel.dataFolder, 'runs', 'settings.json.new')
    mkdirSync(inTheWay, { recursive: true })
    await operator.goTo('settings')
    let runsMax = 90
    await operator.fails('storage', async () => {
      runsMax += 1
      const field = panel.page.locator('input[type="number"][max="1000"]')
      await field.fill(String(runsMax))
      await field.blur()
    })
    rmSync(inTheWay, { recursive: true })
  },
  renameRun: (operator) =>
    runFails(operator, 'ROW form button', async (row) => {
      await row.locator('.pen').click()
      await row.locator('form input').fill('another')
    }),
  annotate: (operator) => noteFails(operator, 'note-save'),
  removeAnnotation: (operator) => noteFails(operator, 'note-remove'),
  trashRun: (operator) => runFails(operator, 'ROW .acts button:last-child'),
  openRun: (operator) => runFails(operator, 'ROW .acts button:first-child'),
  exportRun: (operator) => runFails(operator, 'ROW .acts button:nth-child(3)'),
  compareRuns: (operator) =>
    runFails(operator, `${byTestId(testIds.runs)} .bar button`, async (row) => {
      await row.getByRole('checkbox').check()
      await operator.panel.page.getByTestId(testIds.runRow).first().getByRole('checkbox').check()
    }),
  /** Somebody else emptied the trash. */
  async restoreRun(operator) {
    const { panel } = operator
    await operator.fails('not-found', async () => {
      const { id } = await panel.call('openSampleRun', {})
      await panel.call('trashRun', { id })
      await afterSomebody(panel, [callOf('emptyTrash', {})], `${byTestId(testIds.runs)} .trash button`)
    })
  },
  /** Half of a file. */
  async endImport(operator) {
    const { panel } = operator
    await operator.fails('bad-run', () =>
      panel.page
        .getByTestId(testIds.runFile)
        .setInputFiles({ name: 'half.pbftrun', mimeType: 'application/octet-stream', buffer: Buffer.from('PBFTRUN\n') }),
    )
  },
  /** No quorum: the request that was sent at the beginning found none in its time. */
  async submit(operator) {
    await operator.goTo('requests')
    const row = operator.test('request-row').last()
    await expect(row).toHaveAttribute('data-state', 'failed', { timeout: 40_000 })
    for (const locale of locales) {
      await operator.speak(locale)
      await expect(row).toContainText(wordsOf(locale, 'timeout'))
    }
    await operator.panel.call('healAll', {})
  },
  /** Somebody else's runs. */
  async startScenario(operator) {
    const { panel } = operator
    await operator.goTo('scenarios')
    await operator.fails('busy', async () => {
      const button = `${byTestId(scenarioTestId('backup-crash'))} button:not(:disabled)`
      await afterSomebody(panel, [callOf('startScenario', { name: 'primary-crash', stepwise: true })], button)
      await panel.call('stopScenario', {})
      await expect.poll(async () => (await panel.call('scenario', {}))?.endedAt ?? null).not.toBeNull()
      await expect(operator.test(testIds.scenarioRun)).toHaveAttribute('data-state', 'stopped')
    })
  },
  /** A process that is to begin anew does not find its port free. */
  async beginAnew(operator) {
    const { panel } = operator
    for (const id of [0, 1, 2, 3]) await panel.call('controlReplica', { id, action: 'kill' })
    const other = await occupied((await panel.call('replica', { id: 3 })).port)
    await Promise.all([0, 1, 2].map((id) => panel.call('controlReplica', { id, action: 'start' })))
    await statusWhen(panel, 'nobody remembers', ({ verdict }) => verdict.key === 'verdict.stuck.forgotten')
    await operator.goTo('overview')
    await operator.test('begin-anew').click()
    await operator.test('begin-anew-name').fill('failing')
    await operator.test('begin-anew-confirm').click()
    await operator.sees('zh-CN', 'start-failed')
    await operator.dismiss()
    await freed(other)
  },
  advanceScenario: ({ panel }) => lastWords(panel, ['advanceScenario', 'stopScenario', 'closeCluster']),
  stopScenario: () => Promise.resolve(),
  closeCluster: () => Promise.resolve(),
}

/** A host refuses these for no reason of its own: it fails only by ending under them, which ends the window with it in Electron. */
const lastWords = async (panel: Panel, acts: readonly Act[]): Promise<void> => {
  if (panel.serving === null) return
  const operator = new Operator(panel)
  await panel.call('startScenario', { name: 'backup-crash', stepwise: true })
  await operator.goTo('scenarios')
  await expect(operator.test(testIds.scenarioNext)).toBeEnabled()
  await hostGoneUnder(panel, [
    () => operator.test(testIds.scenarioNext).click(),
    () => operator.test(testIds.scenarioStop).click(),
    () => operator.keys.run('close'),
  ])
  await operator.sees('zh-CN', 'timeout', acts.length)
}

test('every act that fails says what happened and what to do, in both languages', async ({ panel }) => {
  test.setTimeout(180_000)
  const operator = new Operator(panel)
  await panel.call('createCluster', { name: 'failing', replicas: 4, durability: 'none' })
  await panel.call('openCluster', { name: 'failing' })
  for (const replica of [1, 2]) await panel.call('injectFault', { fault: { type: 'isolate', replica, durationMs: null } })
  // Ends as failed while the others are looked at.
  panel.call('submit', { operation: { type: 'put', key: 'colour', value: 'blue' } }).catch(() => undefined)
  for (const [name, fail] of Object.entries(failures)) await test.step(name, () => fail(operator))
})
