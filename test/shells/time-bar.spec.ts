/** The time bar: every screen shows an earlier moment of the recorded run, says so, lets nothing be changed there, and comes back. */
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { monitorTestId, replicaCardTestId, testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { root } from './support/serve.ts'
import { createCluster, goTo, put, statusWhen } from './support/steps.ts'

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']
const findings = async (page: Page): Promise<readonly string[]> => {
  const { violations } = await new AxeBuilder({ page }).withTags(tags).setLegacyMode().analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`))
}

test('before the view change every screen shows the view before, and says that it is past', async ({ panel, shell }) => {
  const { page } = panel
  const picture = (name: string) => page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-time-${name}.png`) })
  await createCluster(page, 'time')
  await put(panel, 'colour', 'blue')
  // Recorded for longer than one step of the bar takes back.
  const recorded = async (): Promise<number> => (await panel.call('moment', { at: Date.now() - 2_500 })).status?.lastExecuted ?? 0
  await expect.poll(recorded).toBe(1)
  const isolated = await panel.call('injectFault', { fault: { type: 'isolate', replica: 0, durationMs: null } })
  await put(panel, 'colour', 'red')
  await statusWhen(panel, 'the next view', ({ view }) => view === 1)
  await goTo(page, 'overview')
  await expect(page.getByTestId(testIds.view)).toHaveText('1')
  await expect(page.getByTestId(testIds.primary)).toHaveText('r1')
  const bar = page.getByTestId('time-bar')
  await expect
    .poll(async () => (await panel.call('timeline', { from: 0, to: Date.now() })).marks.some(({ kind }) => kind === 'view'))
    .toBe(true)

  // By keys alone: the bar, what happened before (the view), then the fault, then a step further back.
  await page.keyboard.press('b')
  await expect(bar).toBeFocused()
  await page.keyboard.press('[')
  await expect(page.getByTestId('moment')).toBeVisible()
  const at = async (): Promise<number> => Number(await bar.getAttribute('data-at'))
  await expect.poll(at).toBeGreaterThan(0)
  for (let i = 0; (await at()) >= isolated.since; i += 1) {
    expect(i).toBeLessThan(20)
    const before = await at()
    // Nothing is marked before the fault, which shows 0.3 s after it.
    await page.keyboard.press(before > isolated.since + 300 ? '[' : 'ArrowLeft')
    await expect.poll(at).toBeLessThan(before)
  }
  await expect(page.getByTestId('moment')).toHaveAttribute('aria-busy', 'false')
  await expect(page.getByTestId(testIds.view)).toHaveText('0')
  await expect(page.getByTestId(testIds.primary)).toHaveText('r0')
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-time', 'past')
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy')
  await expect(page.getByTestId('status-past')).toBeVisible()
  await expect(page.getByTestId(replicaCardTestId(0))).toHaveAttribute('data-state', 'live')
  await expect(page.getByTestId(monitorTestId('progress'))).toHaveAttribute('data-state', 'holds')
  await expect(page).toHaveURL(/[?&]t=\d+/)
  await picture('overview')

  await goTo(page, 'log')
  await expect(page.getByTestId(testIds.logRow)).toHaveCount(1)
  await page.getByTestId(testIds.logRow).first().click()
  await expect(page.getByTestId(testIds.logDetail)).toContainText('blue')
  await picture('log')
  await goTo(page, 'views')
  await expect(page.locator('#view-0')).toBeVisible()
  await expect(page.locator('#view-1')).toHaveCount(0)
  await goTo(page, 'faults')
  await expect(page.getByTestId('fault-active')).toHaveCount(0)
  await expect(page.getByTestId('fault-submit')).toBeDisabled()
  await goTo(page, 'requests')
  await expect(page.getByTestId(testIds.requestSubmit)).toBeDisabled()
  await expect(page.getByTestId('request-row')).toHaveCount(1)
  await goTo(page, 'messages')
  await expect(page.getByTestId('message-diagram')).toBeVisible()
  await goTo(page, 'checkpoints')

  // The next thing that happened is the fault: in force then, and the same after a reload.
  await page.keyboard.press(']')
  await expect.poll(at).toBeGreaterThanOrEqual(isolated.since)
  await goTo(page, 'faults')
  await expect(page.getByTestId('fault-active')).toHaveCount(1)
  const moment = await at()
  await page.reload()
  await expect(page.getByTestId('fault-active')).toHaveCount(1)
  expect(await at()).toBe(moment)
  // Nothing can be changed there, whatever key is pressed.
  await page.keyboard.press('h')
  await expect(page.getByText('go back to live', { exact: false }).first()).toBeVisible()
  expect((await panel.call('faults', {})).length).toBe(1)

  await page.keyboard.press('n')
  await expect(page.getByTestId('moment')).toHaveCount(0)
  await expect(page.getByTestId(testIds.view)).toHaveText('1')
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-time', 'live')
  await expect(page).not.toHaveURL(/[?&]t=/)
  await goTo(page, 'log')
  await expect(page.getByTestId(testIds.logRow).nth(1)).toBeVisible()

  // By pointer: in the left fifth, before anything.
  const box = await bar.boundingBox()
  if (box === null) throw new Error('there is no time bar')
  await page.mouse.move(box.x + box.width - 2, box.y + 20)
  await page.mouse.down()
  await page.mouse.move(box.x + 2, box.y + 20, { steps: 5 })
  await page.mouse.up()
  await expect(page.getByTestId('moment')).toBeVisible()
  await page.getByTestId('time-live').click()
  await expect(page.getByTestId('moment')).toHaveCount(0)
})

test('the past is accessible in both themes and languages', async ({ panel, shell }) => {
  const { page } = panel
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await createCluster(page, 'past')
  await panel.call('injectFault', { fault: { type: 'isolate', replica: 3, durationMs: null } })
  await put(panel, 'colour', 'blue')
  await expect
    .poll(async () => (await panel.call('moment', { at: Date.now() })).previousMark, { message: 'the fault is recorded' })
    .not.toBeNull()
  await page.getByTestId('time-previous').click()
  await expect(page.getByTestId('moment')).toBeVisible()
  for (const theme of ['dark', 'light'] as const) {
    for (const language of ['en', 'zh-CN'] as const) {
      await page.getByTestId(testIds.theme).selectOption(theme)
      await page.getByTestId(testIds.language).selectOption(language)
      await goTo(page, 'overview')
      await page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-past-${theme}-${language}.png`) })
      expect.soft(await findings(page), `${theme} ${language}`).toEqual([])
      await page.getByTestId('time-marks').click()
      await expect(page.getByTestId('time-mark').first()).toBeVisible()
      await page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-past-${theme}-${language}-marks.png`) })
      expect.soft(await findings(page), `marks, ${theme} ${language}`).toEqual([])
      await page.keyboard.press('Escape')
    }
  }
})
