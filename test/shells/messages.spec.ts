/** The space-time diagram on a real run: what it shows, by pointer, by keys, as a table, and from a link. */
import { expect, test } from './support/panel.ts'
import { createCluster, goTo, put } from './support/steps.ts'

test('every message of a request is there, and can be reached without a pointer', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'messages')
  await put(panel, 'colour', 'blue')
  await goTo(page, 'messages')
  const diagram = page.getByTestId('message-diagram')
  await expect.poll(async () => Number(await diagram.getAttribute('data-total')), { timeout: 40_000 }).toBeGreaterThan(0)

  // Only what belongs to the one request: a pre-prepare to each backup, prepares and commits of all to all.
  await page.getByTestId('message-seq').fill('1')
  await page.getByTestId('kind-prepare').click()
  await page.getByRole('button', { name: 'All', exact: true }).click()
  // More where something had to be said again.
  await expect.poll(async () => Number(await diagram.getAttribute('data-total'))).toBeGreaterThanOrEqual(12)
  const total = Number(await diagram.getAttribute('data-total'))

  await diagram.focus()
  await page.keyboard.press('ArrowRight')
  const detail = page.getByTestId('message-detail')
  await expect(detail).toContainText('prepare')
  const first = await detail.getAttribute('data-id')
  await page.keyboard.press('ArrowRight')
  await expect(detail).not.toHaveAttribute('data-id', first ?? '')
  await expect(page).toHaveURL(/seq=1&kinds=prepare&id=\d+/)

  await page.reload()
  await expect(page.getByTestId('message-detail')).toContainText('prepare')
  await page.getByText('Table', { exact: true }).click()
  await expect(page.getByTestId('message-row')).toHaveCount(total)
})

test('what a fault ate is lost, and says which', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'losses')
  await panel.call('injectFault', { fault: { type: 'isolate', replica: 3, durationMs: null } })
  await put(panel, 'colour', 'red')
  await goTo(page, 'messages')
  await page.getByText('Table', { exact: true }).click()
  await page.getByRole('button', { name: 'All', exact: true }).click()
  await expect(page.getByTestId('message-row').filter({ hasText: 'lost' }).first()).toBeVisible({ timeout: 40_000 })
})
