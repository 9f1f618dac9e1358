/** A scenario presented by the keyboard alone: expectation before evidence, one key forward, and what came of it. */
import { join } from 'node:path'
import { scenarioTestId, testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { root } from './support/serve.ts'
import { createCluster, goTo } from './support/steps.ts'

for (const { theme, language, present } of [
  { theme: 'dark', language: 'en', present: 'Present' },
  { theme: 'light', language: 'zh-CN', present: '演示' },
] as const) {
  test(`a backup's crash is presented (${theme}, ${language})`, async ({ panel, shell }) => {
    const { page } = panel
    const picture = (name: string) =>
      page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-${theme}-${language}-${name}.png`) })
    await page.getByTestId(testIds.theme).selectOption(theme)
    await page.getByTestId(testIds.language).selectOption(language)
    await createCluster(page, 'stage')
    await goTo(page, 'scenarios')
    await page.getByTestId(scenarioTestId('backup-crash')).getByRole('button', { name: present }).click()
    const presenter = page.getByTestId(testIds.presenter)
    await expect(presenter).toHaveAttribute('data-phase', 'expecting')
    const total = (await panel.call('scenario', {}))?.steps.length ?? 0
    for (let step = 0; step < total; step += 1) {
      await expect(presenter).toHaveAttribute('data-phase', 'expecting')
      await expect(presenter.getByRole('listitem')).toHaveCount(0)
      if (step === 2) await picture('presenter-expecting')
      await page.keyboard.press('Space')
      await expect(presenter).toHaveAttribute('data-phase', 'held', { timeout: 90_000 })
      await expect(presenter.getByRole('listitem').first()).toBeVisible()
      if (step === 2) await picture('presenter-held')
      await expect(page.getByTestId(testIds.presenterNext)).toBeEnabled()
      await page.keyboard.press('ArrowRight')
    }
    await expect(page.getByTestId(testIds.scenarioRun)).toHaveAttribute('data-holds', 'true')
    await page.keyboard.press('Escape')
    await expect(presenter).toBeHidden()
    await picture('scenario-held')
    expect(await panel.cspViolations()).toEqual([])
  })
}
