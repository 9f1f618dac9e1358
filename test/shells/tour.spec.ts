/** The guided tour from a first start to why the service went on, by keys alone, in either language; nothing for axe to find on the way. */
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import { locales } from '../../src/contract/screens.ts'
import { tourStepNames, type TourStepName } from '../../src/renderer/lib/tour-steps.ts'
import { testIds } from '../../src/renderer/testids.ts'
import { Keyboard } from './support/keyboard.ts'
import { expect, test, type Panel } from './support/panel.ts'
import { root } from './support/serve.ts'

const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']

/** What the operator does where the tour leads. */
const deeds: Readonly<Partial<Record<TourStepName, (panel: Panel, keys: Keyboard) => Promise<void>>>> = {
  cluster: (_, keys) => keys.press('Enter'),
  submit: (_, keys) => keys.press('Enter'),
  isolate: (_, keys) => keys.press('Enter'),
  again: (_, keys) => keys.press('Enter'),
  heal: (_, keys) => keys.press('Enter'),
}

test('leads by keys from the first start to why the service went on', async ({ panel, shell }) => {
  test.setTimeout(180_000)
  const { page } = panel
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const keys = new Keyboard(page)
  const card = page.getByTestId('tour')
  await expect(card).toHaveCount(0)
  await keys.tabToTest('tour-start')
  await keys.press('Enter')
  for (const [index, name] of tourStepNames.entries()) {
    await test.step(name, async () => {
      await expect(card).toHaveAttribute('data-step', name)
      const locale = locales[index % locales.length] ?? 'en'
      await page.getByTestId(testIds.language).selectOption(locale)
      await page.getByTestId(testIds.theme).selectOption(index % 4 < 2 ? 'light' : 'dark')
      // Colours that still fade from one theme to the other are neither.
      await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => undefined))))
      if (name !== 'end') await expect(page.getByTestId('tour-ring')).toBeVisible()
      await page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-tour-${index + 1}-${name}.png`) })
      if (index % 2 === 0) {
        const { violations } = await new AxeBuilder({ page }).withTags(tags).setLegacyMode().analyze()
        expect
          .soft(
            violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`)),
            name,
          )
          .toEqual([])
      }
      const deed = deeds[name]
      if (deed !== undefined) {
        await expect(page.getByTestId('tour-task')).toHaveAttribute('data-done', 'false')
        await keys.tabToTest('tour-go')
        await keys.press('Enter')
        await deed(panel, keys)
        if (name === 'cluster') return
        await expect(page.getByTestId('tour-task')).toHaveAttribute('data-done', 'true', { timeout: 40_000 })
      }
      await keys.tabToTest('tour-next')
      await keys.press('Enter')
    })
  }
  await expect(card).toHaveCount(0)
  expect((await panel.call('status', {})).view).toBeGreaterThan(0)
  expect(await panel.cspViolations()).toEqual([])

  // Again, from the list of actions; given up by Escape.
  await keys.run('tour')
  await expect(card).toHaveAttribute('data-step', 'ring')
  await expect(card).toBeFocused()
  await keys.press('Escape')
  await expect(card).toHaveCount(0)
})
