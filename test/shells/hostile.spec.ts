/** Content that wants to be more than text: markup, megabytes, bytes that are no text, characters that hide. It is shown as text everywhere. */
import { readFileSync } from 'node:fs'
import { screens } from '../../src/contract/screens.ts'
import { encodeOperation } from '../../src/pbft/service/index.ts'
import { testIds } from '../../src/renderer/testids.ts'
import { submitBytes } from './support/hostile-client.ts'
import { expect, test, type Panel } from './support/panel.ts'
import { goTo, put, statusWhen } from './support/steps.ts'

const markup = '<img src=x onerror="document.title=\'taken\'"><script>document.title="taken"</script>'
/** Not even a whole character at its end. */
const hiding = 'a\u202egnp.exe\u202c\u200b\u0000\u001b[31m\u2028\ud800'
const long = `=${'k'.repeat(1_023)}`
const session = '<img src=x onerror="document.title=1">\u202e'
/** All that one screen may put into the page: a value of a megabyte, laid out as a whole, would stop it for seconds. */
const textMax = 200_000

/** What a hostile page would have done, and whether anything has grown out of the window. */
const isUnharmed = async ({ page, cspViolations }: Panel, where: string): Promise<void> => {
  const found = await page.evaluate(() => ({
    title: document.title,
    images: document.querySelectorAll('img, main script, iframe').length,
    tooWide: document.documentElement.scrollWidth > innerWidth,
    text: document.body.innerText.length,
    hiding: /[\u202a-\u202e\u200b\u2066-\u2069]/.test(document.body.innerText),
  }))
  expect(found, where).toMatchObject({ images: 0, tooWide: false, hiding: false })
  expect(found.title, where).not.toMatch(/taken|1/)
  expect(found.text, where).toBeLessThan(textMax)
  expect(await cspViolations(), where).toEqual([])
}

test('hostile content is text on every screen and in every export', async ({ panel, shell }) => {
  test.setTimeout(240_000)
  const { page } = panel
  await panel.call('createCluster', { name: 'hostile', replicas: 4, durability: 'process' })
  const { folder } = await panel.call('openCluster', { name: 'hostile' })
  await statusWhen(panel, 'a quorum', ({ toleratesMore }) => toleratesMore === 1)
  const submit = (key: string, value: string) => panel.call('submit', { operation: { type: 'put', key, value } })
  await submit(markup, markup)
  await submit(hiding, hiding)
  await submit(long, `${markup}${'x'.repeat(1_048_576 - markup.length)}`)
  const valid = encodeOperation({ type: 'put', key: 'AAAA', value: 'BBBB' })
  const invalid = Uint8Array.from(valid, (byte) => (byte === 0x41 ? 0xff : byte === 0x42 ? 0xc0 : byte))
  await submitBytes(folder, session, invalid)
  await submitBytes(folder, session, Buffer.from(markup))
  await put(panel, markup, hiding)
  await isUnharmed(panel, 'requests')

  await goTo(page, 'log')
  await expect(page.getByTestId(testIds.logRow)).toHaveCount(6)
  const detail = page.getByTestId(testIds.logDetail)
  for (const [seq, shown] of [
    [1, markup],
    [2, 'a⟨U+202E⟩gnp.exe'],
    [3, '4,096 of 1,048,576'],
    [4, 'ÿÿÿÿ'],
    [5, '<img src=x'],
    [6, markup],
  ] as const) {
    await page.locator(`[data-seq="${seq}"][data-testid="${testIds.logRow}"]`).click()
    await expect(detail).toHaveAttribute('data-seq', String(seq))
    await expect(detail).toContainText(shown)
    await isUnharmed(panel, `log ${seq}`)
  }
  if (shell === 'browser') {
    for (const format of ['json', 'csv'] as const) {
      const saved = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Export' }).click()
      await page.getByTestId(`export-${format}`).click()
      const text = readFileSync(await (await saved).path(), 'utf8')
      // Whole, and nothing that a spreadsheet would compute.
      expect(text.length).toBeGreaterThan(1_048_576)
      if (format === 'json')
        expect((JSON.parse(text) as { requests: { operation: { key?: string } }[] }[])[1]?.requests[0]?.operation.key).toBe(hiding)
      else expect(text.split('\r\n').filter((line) => /(^|,)"?[=+@]/.test(line))).toEqual([])
    }
  }
  await page.getByTestId('log-compare').click()
  await isUnharmed(panel, 'log compared')

  await goTo(page, 'messages')
  await page.getByTestId('kind-request').click()
  await page.getByText('Table', { exact: true }).click()
  await page.getByRole('button', { name: 'All', exact: true }).click()
  const named = page.getByTestId('message-row').filter({ hasText: '<img src=x' })
  await expect(named.first()).toBeVisible({ timeout: 40_000 })
  await isUnharmed(panel, 'messages as a table')
  // The client's requests to several replicas; what each has led to names the client again.
  for (const nth of [0, 1, 2]) {
    await named.nth(nth).click()
    await expect(page.getByTestId('message-detail')).toContainText('<img src=x')
    await isUnharmed(panel, `message ${nth}`)
  }
  await page.getByText('Diagram', { exact: true }).click()
  for (const screen of screens) {
    await goTo(page, screen)
    await isUnharmed(panel, screen)
  }
})
