/** Runs on the screen: the sample is looked at, its report opens offline without a request, files come and go, and a bad one is refused. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from '@playwright/test'
import { testIds } from '../../src/renderer/testids.ts'
import { findBrowser, rootFlags } from './support/find-browser.ts'
import { expect, test } from './support/panel.ts'
import { root } from './support/serve.ts'
import { goTo } from './support/steps.ts'

const pictures = join(root, 'test-results', 'screens')

test('a recorded run is opened, looked at, reported on and taken along', async ({ panel, shell }) => {
  const { page } = panel
  const picture = (name: string) => page.screenshot({ path: join(pictures, `${shell}-${name}.png`) })
  await page.getByTestId(testIds.openSampleRun).click()
  await expect(page.getByTestId(testIds.recordedRun)).toBeVisible()
  const { entries } = await panel.call('log', { limit: 1_000 })
  expect(entries.length).toBeGreaterThan(100)
  await goTo(page, 'log')
  await expect(page.getByTestId(testIds.logRow).first()).toBeVisible()
  await picture('recorded-log')
  await goTo(page, 'runs')
  const row = page.getByTestId(testIds.runRow)
  await expect(row).toHaveCount(1)
  await expect(row).toHaveAttribute('data-verdict', 'held')
  await picture('runs-en-light')
  await page.getByTestId(testIds.theme).selectOption('dark')
  await page.getByTestId(testIds.language).selectOption('zh-CN')
  await picture('runs-zh-dark')
  await page.getByTestId(testIds.language).selectOption('en')

  const id = (await panel.call('runs', {})).runs[0]?.id ?? ''
  const made = await panel.call('exportRun', { id, as: 'report', locale: 'en' })
  const parts: Buffer[] = []
  for (let offset: number | null = 0; offset !== null;) {
    const part: { data: string; next: number | null } = await panel.call('exportPart', { file: made.file, offset })
    parts.push(Buffer.from(part.data, 'base64'))
    offset = part.next
  }
  expect(Buffer.concat(parts).length).toBe(made.bytes)

  // A file that is no run: told, counted, nothing kept.
  await page
    .getByTestId(testIds.runFile)
    .setInputFiles({ name: '../../evil<img>.pbftrun', mimeType: 'x/y', buffer: Buffer.from('PBFTRUN\n\u0000\u0001') })
  await expect.poll(async () => (await panel.call('runs', {})).refused).toEqual({ 'not-a-run': 1 })
  await expect(row).toHaveCount(1)
  // A good one, dropped.
  const sample = readFileSync(join(root, 'resources', 'runs', 'sample.pbftrun')).toString('base64')
  const transfer = await page.evaluateHandle((data) => {
    const given = new DataTransfer()
    given.items.add(new File([Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0))], 'sample.pbftrun'))
    return given
  }, sample)
  await page.getByTestId(testIds.runs).dispatchEvent('drop', { dataTransfer: transfer })
  await expect(row).toHaveCount(2)
  await goTo(page, 'runs')
  for (const box of await row.getByRole('checkbox').all()) await box.check()
  await page.getByRole('button', { name: 'Compare' }).click()
  await expect(page.getByTestId(testIds.runComparison)).toContainText('No difference')
  await picture('runs-compared')
  expect(await panel.cspViolations()).toEqual([])
})

test('the report opens from a file with the network off, and asks for nothing', async ({ panel, shell }, info) => {
  test.skip(shell === 'electron', 'the file is the same whichever shell made it')
  const sample = await panel.call('openSampleRun', {})
  for (const { locale, scheme, width, height } of [
    { locale: 'en', scheme: 'light', width: 1_920, height: 1_080 },
    { locale: 'zh-CN', scheme: 'dark', width: 390, height: 844 },
  ] as const) {
    const made = await panel.call('exportRun', { id: sample.id, as: 'report', locale })
    const part = await panel.call('exportPart', { file: made.file, offset: 0 })
    expect(part.next).toBeNull()
    const file = info.outputPath(`report-${locale}.html`)
    writeFileSync(file, Buffer.from(part.data, 'base64'))
    const browser = await chromium.launch({ executablePath: findBrowser(), args: rootFlags })
    const context = await browser.newContext({ offline: true, colorScheme: scheme, viewport: { width, height } })
    const page = await context.newPage()
    const asked: string[] = []
    const said: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (message) => said.push(message.text()))
    page.on('dialog', (dialog) => said.push(dialog.message()))
    await page.goto(`file://${file}`)
    await expect(page.locator('[data-verdict]')).toBeVisible()
    await page.evaluate(() => document.querySelectorAll('details').forEach((details) => (details.open = true)))
    expect(asked).toEqual([`file://${file}`])
    expect(said).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    expect(await page.evaluate(() => document.querySelectorAll('img, script, link, iframe').length)).toBe(0)
    await page.screenshot({ path: join(pictures, `report-${locale}-${scheme}-${width}.png`) })
    await browser.close()
  }
})
