/** The native menu: the rail's screens in the rail's order, in the language that the page speaks. */
import { screenKey, screens } from '../../src/contract/screens.ts'
import { testIds } from '../../src/renderer/testids.ts'
import { expect, test, type Panel } from './support/panel.ts'

const menuOf = async (panel: Panel) => {
  if (panel.app === null) throw new Error('these are for Electron')
  return panel.app.evaluate(({ Menu }) =>
    (Menu.getApplicationMenu()?.items ?? []).map(({ label, submenu }) => ({
      label,
      entries: (submenu?.items ?? []).map((item) => ({ label: item.label, accelerator: item.accelerator ?? null })),
    })),
  )
}

test('the menu names the screens as the rail does, in both languages', async ({ panel }) => {
  const { page } = panel
  for (const [language, go] of [
    ['en', 'Go'],
    ['zh-CN', '前往'],
  ] as const) {
    await page.getByTestId(testIds.language).selectOption(language)
    await expect.poll(async () => (await menuOf(panel)).map(({ label }) => label)).toContain(go)
    const entries = (await menuOf(panel)).find(({ label }) => label === go)?.entries ?? []
    expect(entries.map(({ accelerator }) => accelerator)).toEqual(
      screens.map((screen) => (screenKey(screen) === null ? null : `CmdOrCtrl+${screenKey(screen)}`)),
    )
    const rail = await page.locator('nav.rail li .text').allTextContents()
    expect(entries.map(({ label }) => label)).toEqual(rail)
  }
})
