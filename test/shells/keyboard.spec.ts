/**
 * Every act of an operator, without a pointer, and each answered at once. The acts are the contract's methods that change something: one that
 * is added there does not compile here until somebody has said by which keys it is done, or that it only reads.
 */
import { join } from 'node:path'
import { methods, type Method } from '../../src/contract/api.ts'
import { faultRequestSchema } from '../../src/contract/faults.ts'
import { replicaActions, type ReplicaStatus } from '../../src/contract/model.ts'
import { navTestId, replicaActionTestId, replicaMenuTestId, scenarioTestId, testIds } from '../../src/renderer/testids.ts'
import { reads } from './support/acts.ts'
import { answeredAtOnce } from './support/answered.ts'
import { Keyboard } from './support/keyboard.ts'
import { expect, test, type Panel } from './support/panel.ts'
import { statusWhen } from './support/steps.ts'

/** Recorded runs, which no act on a cluster changes: the business of their own screen. */
const runs = [
  'runs',
  'renameRun',
  'annotations',
  'trashRun',
  'restoreRun',
  'emptyTrash',
  'openRun',
  'openSampleRun',
  'exportRun',
  'exportPart',
  'beginImport',
  'importPart',
  'endImport',
  'cancelImport',
  'compareRuns',
  'setRecording',
] as const satisfies readonly Method[]
type Act = Exclude<Method, (typeof reads)[number] | (typeof runs)[number]>

interface Operator {
  readonly panel: Panel
  readonly keys: Keyboard
  /** Does the last key of an act, and sees that it is answered at once. */
  act(name: string, key: string): Promise<void>
}

const replicaOf = async (panel: Panel, id: number): Promise<ReplicaStatus> => panel.call('replica', { id })
const isHealthy = ({ panel }: Operator): Promise<void> =>
  expect(panel.page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy', { timeout: 60_000 })
/** Until the host has so many faults, and the page knows it. */
const faultsAre = async (panel: Panel, count: number): Promise<void> => {
  await expect.poll(async () => (await panel.call('faults', {})).length).toBe(count)
  await expect(panel.page.getByTestId(testIds.healAll)).toBeVisible({ visible: count > 0 })
  await expect(panel.page.getByTestId('active-fault')).toHaveCount(count)
}

/** The usual ones are buttons of the card, the others in its menu; wiping asks. */
const controls: Readonly<Record<(typeof replicaActions)[number], (operator: Operator) => Promise<void>>> = {
  async stop({ panel, keys, act }) {
    await keys.goTo('overview')
    await keys.tabToTest(replicaMenuTestId(3))
    await keys.press('Enter')
    const entry = panel.page.getByTestId(replicaActionTestId('stop', 3))
    for (let down = 0; down < 8 && !(await entry.evaluate((element) => element === document.activeElement)); down += 1)
      await keys.press('ArrowDown')
    await act('controlReplica stop', 'Enter')
    await expect.poll(async () => (await replicaOf(panel, 3)).state).toBe('stopped')
  },
  async start({ panel, keys, act }) {
    await keys.tabToTest(replicaActionTestId('start', 3))
    await act('controlReplica start', 'Enter')
    await expect.poll(async () => (await replicaOf(panel, 3)).state, { timeout: 40_000 }).toBe('live')
  },
  async restart({ panel, keys, act }) {
    const { pid } = await replicaOf(panel, 3)
    await keys.choose('restart-3')
    await act('controlReplica restart', 'Enter')
    await statusWhen(panel, 'a new process', ({ replicas }) => replicas[3]?.pid !== pid && replicas[3]?.state === 'live')
  },
  async kill({ panel, keys, act }) {
    await keys.tabToTest(replicaActionTestId('kill', 3))
    await act('controlReplica kill', 'Space')
    await expect.poll(async () => (await replicaOf(panel, 3)).state).toBe('stopped')
    await keys.run('start-3')
    await expect.poll(async () => (await replicaOf(panel, 3)).state, { timeout: 40_000 }).toBe('live')
  },
  async corrupt({ panel, keys, act }) {
    await keys.choose('corrupt-3')
    await act('controlReplica corrupt', 'Enter')
    await expect(panel.page.getByTestId('notice').filter({ hasText: 'r3' }).last()).toBeVisible()
  },
  async wipe({ panel, keys, act }) {
    const { pid } = await replicaOf(panel, 3)
    await keys.run('wipe-3')
    await keys.tabToTest('wipe-confirm')
    await act('controlReplica wipe', 'Enter')
    await expect.poll(async () => (await replicaOf(panel, 3)).pid).not.toBe(pid)
  },
}

/** In the order in which one follows from the other. */
const acts: Readonly<Record<Act, (operator: Operator) => Promise<void>>> = {
  async createCluster(operator) {
    const { keys, act } = operator
    await keys.run('create')
    await keys.tabToTest(testIds.createClusterName)
    await keys.fill('keys')
    await act('createCluster', 'Enter')
    await isHealthy(operator)
  },
  async submit({ panel, keys, act }) {
    await keys.goTo('requests')
    await keys.tabToTest(testIds.requestKey)
    await keys.fill('colour')
    await keys.tabToTest(testIds.requestValue)
    await keys.fill('blue')
    await keys.tabToTest(testIds.requestSubmit)
    await act('submit', 'Enter')
    await expect(panel.page.getByTestId(testIds.requestResult)).toHaveAttribute('data-state', 'completed')
  },
  async annotate({ panel, keys, act }) {
    await keys.press('m')
    await keys.fill('as it should')
    await act('annotate', 'Enter')
    await expect(panel.page.getByTestId('note')).toBeHidden()
    expect((await panel.call('annotations', {})).map(({ text }) => text)).toEqual(['as it should'])
  },
  async removeAnnotation({ panel, keys, act }) {
    await keys.tabToTest('time-marks')
    await keys.press('Enter')
    await keys.tabToTest('note-change')
    await keys.press('Enter')
    await expect(panel.page.getByTestId('note-text')).toHaveValue('as it should')
    await keys.tabToTest('note-remove')
    await act('removeAnnotation', 'Enter')
    await expect.poll(async () => panel.call('annotations', {})).toEqual([])
  },
  async startLoad({ panel, keys, act }) {
    await keys.goTo('overview')
    await act('startLoad', 'l')
    await expect.poll(async () => (await panel.call('load', {})).completed, { timeout: 40_000 }).toBeGreaterThan(300)
  },
  async stopLoad({ panel, act }) {
    await act('stopLoad', 'l')
    await expect.poll(async () => (await panel.call('load', {})).running).toBe(false)
  },
  async startRecovery({ panel, keys, act }) {
    await keys.goTo('settings')
    await keys.tabToTest('recovery-start')
    await act('startRecovery', 'Enter')
    await expect.poll(async () => (await panel.call('recovery', {})).running).toBe(true)
  },
  async stopRecovery({ panel, keys, act }) {
    await keys.tabToTest('recovery-stop')
    await act('stopRecovery', 'Enter')
    await expect.poll(async () => (await panel.call('recovery', {})).replica, { timeout: 60_000 }).toBe(null)
    await statusWhen(panel, 'all are live', ({ replicas }) => replicas.every(({ state }) => state === 'live'))
  },
  async injectFault({ panel, keys, act }) {
    await keys.goTo('faults')
    const types = faultRequestSchema.options.map((option) => option.entries.type.literal)
    const offered = panel.page.locator('[data-testid="fault-type"] option')
    expect((await offered.evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value))).sort()).toEqual(
      [...types].sort(),
    )
    for (let index = 0; index < types.length; index += 1) {
      await keys.pick('[data-testid="fault-type"]', index)
      const type = await panel.page.getByTestId('fault-type').inputValue()
      if (type === 'partition') {
        // What a pointer drags, arrow keys move.
        await keys.tabToTest('member-3')
        await keys.press('ArrowRight')
        await expect(panel.page.getByTestId('group-B')).toContainText('r3')
      }
      await keys.tabToTest('fault-submit')
      await act(`injectFault ${type}`, 'Enter')
      await expect.poll(async () => (await panel.call('faults', {})).map(({ fault }) => fault.type)).toEqual([type])
      await faultsAre(panel, 1)
      if (index === types.length - 1) return
      await keys.press('h')
      await faultsAre(panel, 0)
    }
  },
  async healFault({ panel, keys, act }) {
    const [active] = await panel.call('faults', {})
    await keys.choose(`fault-${active?.id ?? ''}`)
    await act('healFault', 'Enter')
    await faultsAre(panel, 0)
    // A link of the matrix, by its own key.
    await keys.tabToTest('link-0-1')
    await keys.press('Enter')
    await faultsAre(panel, 1)
  },
  async healAll({ panel, keys, act }) {
    await keys.run('isolate-1')
    await faultsAre(panel, 2)
    await keys.run('isolate-2')
    await faultsAre(panel, 3)
    await act('healAll', 'h')
    await faultsAre(panel, 0)
  },
  async cancelRequest({ panel, keys, act }) {
    for (const replica of [1, 2]) await panel.call('injectFault', { fault: { type: 'isolate', replica, durationMs: null } })
    await keys.goTo('requests')
    await keys.tabToTest(testIds.requestSubmit)
    await keys.press('Enter')
    await keys.tabToTest('request-cancel')
    await act('cancelRequest', 'Enter')
    await expect(panel.page.getByTestId(testIds.requestResult)).toHaveAttribute('data-state', 'failed')
    await keys.run('heal-all')
    await faultsAre(panel, 0)
  },
  async diagnostics({ panel, keys, act }) {
    await keys.choose('diagnostics')
    await act('diagnostics', 'Enter')
    await expect(panel.page.getByTestId('notice').filter({ hasText: join(panel.dataFolder, 'diagnostics') })).toBeVisible()
  },
  async startScenario(operator) {
    const { keys, act } = operator
    await isHealthy(operator)
    await keys.goTo('scenarios')
    await keys.tabTo(`[data-testid="${scenarioTestId('backup-crash')}"] button:nth-of-type(2)`)
    await act('startScenario', 'Enter')
  },
  async advanceScenario({ panel, act }) {
    const presenter = panel.page.getByTestId(testIds.presenter)
    await expect(presenter).toHaveAttribute('data-phase', 'expecting')
    await act('advanceScenario', 'Space')
    await expect(presenter).toHaveAttribute('data-phase', 'held', { timeout: 60_000 })
  },
  async stopScenario({ panel, keys, act }) {
    await keys.press('Escape')
    await keys.tabToTest(testIds.scenarioStop)
    await act('stopScenario', 'Enter')
    await expect(panel.page.getByTestId(testIds.scenarioRun)).toHaveAttribute('data-state', 'stopped')
  },
  async controlReplica(operator) {
    await isHealthy(operator)
    for (const action of replicaActions.filter((name) => name !== 'start' && name !== 'wipe' && name !== 'corrupt')) {
      await controls[action](operator)
      if (action === 'stop') await controls.start(operator)
    }
    await controls.corrupt(operator)
    await controls.wipe(operator)
  },
  async closeCluster({ panel, keys, act }) {
    await keys.choose('close')
    await act('closeCluster', 'Enter')
    await expect(panel.page.getByTestId('create-quick')).toBeVisible({ timeout: 40_000 })
  },
  async openCluster({ panel, keys, act }) {
    await panel.call('createCluster', { name: 'forgetful', replicas: 4, durability: 'none' })
    await panel.page.reload()
    await panel.page.getByTestId('open-forgetful').waitFor()
    await keys.choose('open-forgetful')
    await act('openCluster', 'Enter')
    await isHealthy({ panel, keys, act })
    await panel.call('submit', { operation: { type: 'put', key: 'a', value: 'b' } })
  },
  async beginAnew(operator) {
    const { panel, keys, act } = operator
    // Nobody remembers anything.
    for (const id of [0, 1, 2, 3]) await panel.call('controlReplica', { id, action: 'kill' })
    await Promise.all([0, 1, 2, 3].map((id) => panel.call('controlReplica', { id, action: 'start' })))
    await statusWhen(panel, 'that is said', ({ verdict }) => verdict.key === 'verdict.stuck.forgotten')
    await keys.goTo('overview')
    await keys.tabToTest('begin-anew')
    await keys.press('Enter')
    await keys.tabToTest('begin-anew-name')
    await keys.fill('forgetful')
    await act('beginAnew', 'Enter')
    await isHealthy(operator)
  },
}

test('every act of the contract is done by keys, and answered at once', async ({ panel }) => {
  test.setTimeout(420_000)
  expect([...reads, ...runs, ...Object.keys(acts)].sort()).toEqual([...methods].sort())
  const operator: Operator = {
    panel,
    keys: new Keyboard(panel.page),
    act: (name, key) => answeredAtOnce(panel, name, () => panel.page.keyboard.press(key)),
  }
  for (const [name, perform] of Object.entries(acts)) await test.step(name, () => perform(operator))
})

test('everything that can be looked at and set is reached by keys', async ({ panel, shell }) => {
  const { page } = panel
  const keys = new Keyboard(page)
  await panel.call('createCluster', { name: 'looks', replicas: 4, durability: 'process' })
  await panel.call('openCluster', { name: 'looks' })
  for (const key of ['red', 'green', 'blue']) await panel.call('submit', { operation: { type: 'put', key, value: 'x' } })

  await keys.press('?')
  await expect(page.getByRole('dialog')).toBeVisible()
  await keys.press('Escape')
  await keys.press('g')
  await keys.press('l')
  await expect(page).toHaveURL(/#\/log/)
  await keys.press('/')
  await keys.fill('green')
  await expect(page.getByTestId(testIds.logRow)).toHaveCount(1)
  await keys.press('Escape')
  await expect(page.getByTestId(testIds.logRow)).toHaveCount(3)
  await keys.tabToTest('log-scroller')
  await keys.press('ArrowDown')
  await expect(page.getByTestId(testIds.logDetail)).toHaveAttribute('data-seq', '1')
  await keys.press('ArrowDown')
  await expect(page.getByTestId(testIds.logDetail)).toHaveAttribute('data-seq', '2')
  await keys.tabTo('[data-testid="log-detail"] button')
  await keys.press('Escape')
  await expect(page.getByTestId(testIds.logDetail)).toBeHidden()
  await keys.tabTo('[aria-haspopup="menu"].button:not(.trigger):not(.icon)')
  await keys.press('Enter')
  const saved = shell === 'browser' ? page.waitForEvent('download') : null
  await expect(page.getByTestId('export-json')).toBeFocused()
  await keys.press('Enter')
  expect((await saved)?.suggestedFilename() ?? 'looks-log-1-3.json').toBe('looks-log-1-3.json')
  await keys.tabToTest('log-compare')
  await keys.press('Space')
  await expect(page).toHaveURL(/compare=yes/)

  await keys.press('3')
  await keys.tabTo('[data-testid="message-diagram"]:not([data-total="0"])')
  await keys.press('ArrowRight')
  await expect(page.getByTestId('message-detail')).toBeVisible()
  await keys.tabTo('input[name="message-shape"]')
  await keys.press('ArrowRight')
  await expect(page.getByTestId('message-row').first()).toBeVisible()
  await keys.tabTo('[data-testid="message-table"] [tabindex="0"]')
  await keys.press('ArrowDown')
  await expect(page.locator('[data-testid="message-row"][aria-selected="true"]')).toHaveCount(1)

  for (const [key, screen] of [
    ['4', 'views'],
    ['5', 'checkpoints'],
  ] as const) {
    await keys.press(key)
    await expect(page).toHaveURL(new RegExp(`#/${screen}`))
    await expect(page.locator('main h1')).toBeVisible()
  }
  await keys.goTo('settings')
  await keys.tabTo('input[name="theme"]')
  await keys.press('ArrowRight')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'light')
  await keys.press('ArrowRight')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await keys.tabTo('input[name="language"]')
  await keys.press('ArrowRight')
  await keys.press('ArrowRight')
  await expect(page.getByTestId(navTestId('overview'))).toContainText('概览')
})
