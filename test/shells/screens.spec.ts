/** Every screen, in dark and light: nothing for axe to find (WCAG 2.2 AA), no policy violation, and a picture to look at. */
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { screens } from '../../src/contract/screens.ts'
import { testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { root } from './support/serve.ts'
import { createCluster, goTo, put, statusWhen } from './support/steps.ts'

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What axe found, short enough to read in a failure. Legacy mode: Electron gives it no window of its own. */
const findings = async (page: Page): Promise<readonly string[]> => {
  const { violations } = await new AxeBuilder({ page }).withTags(tags).setLegacyMode().analyze()
  return violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.target.join(' ')}: ${(node.failureSummary ?? '').split('\n').at(-1)}`),
  )
}

/** Colours of a theme that still fade from one to the other are neither. */
const settled = (page: Page): Promise<unknown> =>
  page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))))

test('axe finds what is planted', async ({ panel }) => {
  await panel.page.evaluate(() => {
    const planted = document.createElement('button')
    planted.style.color = planted.style.backgroundColor = '#777'
    document.querySelector('main')?.append(planted)
  })
  expect((await findings(panel.page)).map((finding) => finding.split(':')[0])).toContain('button-name')
})

for (const theme of ['dark', 'light'] as const) {
  for (const language of ['en', 'zh-CN'] as const) {
    test(`every screen is accessible (${theme}, ${language})`, async ({ panel, shell }) => {
      // The page is the same in both shells; there each theme and each language has its turn once.
      test.skip(shell === 'electron' && (theme === 'dark') !== (language === 'en'), 'this pair is walked through in the browser')
      test.setTimeout(300_000)
      const { page } = panel
      const picture = (name: string) =>
        page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-${theme}-${language}-${name}.png`) })
      await page.emulateMedia({ reducedMotion: 'reduce' })
      await page.getByTestId(testIds.theme).selectOption(theme)
      await page.getByTestId(testIds.language).selectOption(language)
      await settled(page)
      await picture('welcome')
      expect.soft(await findings(page), 'welcome').toEqual([])
      await createCluster(page, 'screens')
      for (const value of ['one', 'two', 'three']) await put(panel, 'key', value)
      await panel.call('injectFault', { fault: { type: 'isolate', replica: 0, durationMs: null } })
      await put(panel, 'key', 'four')
      await statusWhen(panel, 'the next view', ({ view }) => (view ?? 0) > 0)
      for (const screen of screens) {
        await goTo(page, screen)
        if (screen === 'log') await page.getByTestId(testIds.logRow).first().click()
        // What is recorded is read when somebody looks.
        if (screen === 'messages') await page.locator('[data-testid="message-diagram"]:not([data-lines="0"])').waitFor({ timeout: 60_000 })
        await settled(page)
        await picture(screen)
        expect.soft(await findings(page), screen).toEqual([])
      }
      expect(await panel.cspViolations()).toEqual([])
    })
  }
}
