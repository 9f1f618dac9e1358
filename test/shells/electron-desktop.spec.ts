/** Desktop manners: closing with a running cluster, the tray, a second start, what the system is told while nobody looks. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, type Panel } from './support/panel.ts'
import { goTo, statusWhen } from './support/steps.ts'

const appOf = (panel: Panel) => {
  if (panel.app === null) throw new Error('these are for Electron')
  return panel.app
}

/** Presses a button of the system's dialog, which no test can reach, and gives what the dialog offered. */
const closeAndAnswer = (panel: Panel, answer: number): Promise<readonly string[]> =>
  appOf(panel).evaluate(async ({ BrowserWindow, dialog }, response) => {
    delete process.env['PBFT_PANEL_CLOSE_WITHOUT_ASKING']
    return new Promise<string[]>((resolve) => {
      dialog.showMessageBox = ((_window: unknown, options: { buttons: string[] }) => {
        resolve(options.buttons)
        return Promise.resolve({ response, checkboxChecked: false })
      }) as unknown as typeof dialog.showMessageBox
      BrowserWindow.getAllWindows()[0]?.close()
    })
  }, answer)

const isInSight = (panel: Panel): Promise<boolean> =>
  appOf(panel).evaluate(({ BrowserWindow }) => {
    const [window] = BrowserWindow.getAllWindows()
    return window !== undefined && window.isVisible() && !window.isMinimized()
  })

const notificationsOf = (panel: Panel): string[] =>
  readFileSync(join(panel.dataFolder, 'logs', 'electron.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('notification: '))

const kill = async (panel: Panel, id: number): Promise<void> => {
  const { pid } = await panel.call('replica', { id })
  process.kill(pid ?? NaN, 'SIGKILL')
  await expect
    .poll(async () =>
      (await panel.call('alarms', {})).some(({ key, parameters }) => key === 'alarm.replica.exited' && parameters['replica'] === id),
    )
    .toBe(true)
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('closing asks; in the tray it goes on, tells what needs attention, and a second start brings it back', async ({ panel }) => {
  test.setTimeout(240_000)
  const app = appOf(panel)
  await panel.call('createCluster', { name: 'manners', replicas: 4, durability: 'process' })
  await panel.call('openCluster', { name: 'manners' })
  const { replicas } = await statusWhen(panel, 'all live', (status) => status.replicas.every(({ state }) => state === 'live'))

  const offered = await closeAndAnswer(panel, 2)
  expect(offered).toEqual(['Stop the Cluster and Quit', 'Keep Running in the Tray', 'Cancel'])
  expect(await isInSight(panel)).toBe(true)

  await goTo(panel.page, 'settings')
  await panel.page.locator('label:has(input[name="notify"][value="no"])').click()
  await closeAndAnswer(panel, 1)
  await expect.poll(() => isInSight(panel)).toBe(false)
  expect((await panel.call('host', {})).phase).toBe('open')
  await panel.call('submit', { operation: { type: 'put', key: 'still', value: 'here' } })
  await kill(panel, 3)
  await panel.page.locator('label:has(input[name="notify"][value="yes"])').dispatchEvent('click')
  await panel.call('controlReplica', { id: 3, action: 'start' })
  await statusWhen(panel, 'it is back', (status) => status.replicas[3]?.state === 'live')
  await kill(panel, 2)
  await expect.poll(() => notificationsOf(panel).length).toBeGreaterThan(0)
  // Of r3 it did not tell; of r2 first comes what is noticed first: that its process ended, or that its link is down.
  expect(notificationsOf(panel).filter((line) => line.includes('r3 ended'))).toEqual([])
  expect(notificationsOf(panel)[0]).toMatch(/manners needs attention: .*\br2\b/)

  const second = spawn(
    app.process().spawnfile,
    app
      .process()
      .spawnargs.slice(1)
      .filter((arg) => !arg.startsWith('--remote-debugging') && !arg.startsWith('--inspect')),
    {
      stdio: 'ignore',
    },
  )
  expect(await new Promise((resolve) => second.once('exit', resolve))).toBe(0)
  await expect.poll(() => isInSight(panel)).toBe(true)

  const ended = new Promise((resolve) => app.process().once('exit', resolve))
  await closeAndAnswer(panel, 0).catch(() => undefined)
  expect(await ended).toBe(0)
  expect(replicas.filter(({ pid }) => pid !== null && isAlive(pid))).toEqual([])
})

test('the window remembers its place', async ({ panel }) => {
  const wanted = { x: 40, y: 30, width: 1_000, height: 700 }
  await appOf(panel).evaluate(({ BrowserWindow }, bounds) => BrowserWindow.getAllWindows()[0]?.setBounds(bounds), wanted)
  const file = join(panel.dataFolder, 'electron', 'window.json')
  await expect.poll(() => existsSync(file)).toBe(true)
  await expect
    .poll(() => (JSON.parse(readFileSync(file, 'utf8')) as { bounds: unknown }).bounds)
    .toMatchObject({ width: wanted.width, height: wanted.height })
})
