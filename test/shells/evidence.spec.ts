/** A liar is convicted on a screen, and what a replica did is run again: both of one real run. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import AxeBuilder from '@axe-core/playwright'
import type { Page } from '@playwright/test'
import { testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { root } from './support/serve.ts'
import { createCluster, goTo, put } from './support/steps.ts'

const findings = async (page: Page): Promise<readonly string[]> => {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']).setLegacyMode().analyze()
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}`))
}

test('evidence is shown, side by side, and exported; a replica is replayed, forward and back', async ({ panel, shell }) => {
  const { page } = panel
  test.slow()
  await page.emulateMedia({ reducedMotion: 'reduce' })
  const look = async (name: string): Promise<void> => {
    for (const [theme, language] of [
      ['dark', 'en'],
      ['light', 'zh-CN'],
    ] as const) {
      await page.getByTestId(testIds.theme).selectOption(theme)
      await page.getByTestId(testIds.language).selectOption(language)
      await page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-${theme}-${language}-full-${name}.png`) })
      expect.soft(await findings(page), `${name} ${theme} ${language}`).toEqual([])
    }
    await page.getByTestId(testIds.language).selectOption('en')
  }
  await createCluster(page, 'liar')
  await goTo(page, 'evidence')
  await expect(page.getByTestId('evidence-empty')).toBeVisible()
  await put(panel, 'colour', 'blue')
  await panel.call('injectFault', { fault: { type: 'byzantine', replica: 0, behaviour: 'equivocate', durationMs: null } })
  await put(panel, 'colour', 'red')
  await expect.poll(async () => (await panel.call('evidence', {})).length, { timeout: 40_000 }).toBeGreaterThan(0)

  await page.getByTestId('evidence-alarm').click()
  await page.getByTestId('evidence-row').first().click()
  const detail = page.getByTestId('evidence-detail')
  await expect(detail).toContainText('Against r0')
  // The digest, and nothing else, differs on both sides.
  await expect(detail.getByText('contradicts', { exact: true })).toHaveCount(2)
  // Electron asks with a dialog of the system where the file is to go.
  if (shell === 'browser') {
    const download = page.waitForEvent('download')
    await page.getByTestId('evidence-export').click()
    const [evidence] = await panel.call('evidence', {})
    const file = JSON.parse(readFileSync(await (await download).path(), 'utf8')) as { signer: number; first: unknown }
    expect(file).toMatchObject({ signer: 0 })
    expect([evidence?.first, (await panel.call('evidence', {})).at(-1)?.first]).toContainEqual(file.first)
  }
  await look('evidence')

  await goTo(page, 'replay')
  await page.getByTestId('replay-process').selectOption('1-1')
  await page.getByTestId('replay-open').click()
  const moment = page.getByTestId('replay-moment')
  const proof = page.getByTestId('replay-proof')
  await expect(moment).toHaveAttribute('data-inputs', '1')
  await page.getByTestId('replay-target').fill('1')
  await page.getByTestId('replay-jump').click()
  await expect(moment).toHaveAttribute('data-executed', '1')
  const inputs = Number(await moment.getAttribute('data-inputs'))
  await page.getByTestId('replay-steps').focus()
  await page.keyboard.press('ArrowLeft')
  await expect(moment).toHaveAttribute('data-inputs', String(inputs - 1))
  await expect(moment).toHaveAttribute('data-executed', '0')
  await page.keyboard.press('ArrowRight')
  await expect(moment).toHaveAttribute('data-executed', '1')
  await expect(page.getByTestId('replay-changes')).toContainText('lastExecuted')
  await expect(proof).toHaveAttribute('data-holds', 'true')
  await look('replay')
  await page.getByTestId('replay-end').click()
  await expect.poll(async () => Number(await moment.getAttribute('data-inputs'))).toBeGreaterThan(inputs)
  await expect(proof).toHaveAttribute('data-holds', 'true')
})
