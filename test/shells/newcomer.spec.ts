/**
 * The newcomer's way of docs/newcomer.md, by the words on the screen alone, without an identifier, a link or a call: from the first start to
 * having read why the service went on. Its pictures are the page's.
 */
import { join } from 'node:path'
import { expect, test } from './support/panel.ts'
import { root } from './support/serve.ts'

test('a newcomer submits a request, isolates the primary and reads why the service went on', async ({ panel, shell }) => {
  const { page } = panel
  const picture = (name: string) => page.screenshot({ path: join(root, 'test-results', 'screens', `${shell}-newcomer-${name}.png`) })
  const screen = (name: string) => page.getByRole('navigation').getByRole('link', { name }).click()
  const verdict = page.getByRole('banner')

  await expect(page.getByRole('button', { name: 'Create with 4 replicas' })).toBeVisible()
  await picture('1-first-start')
  await page.getByRole('button', { name: 'Create with 4 replicas' }).click()

  await expect(verdict).toContainText('Healthy: all 4 replicas are live in view 0; r0 is primary', { timeout: 40_000 })
  await picture('2-healthy')

  await screen('Requests')
  await page.getByRole('button', { name: 'Submit', exact: true }).click()
  await expect(page.getByRole('main')).toContainText('2 of 2 matching replies', { timeout: 40_000 })
  await picture('3-request')

  await screen('Overview')
  await page.getByRole('article', { name: 'r0' }).getByRole('button', { name: 'Isolate' }).click()
  await expect(verdict).toContainText('Isolated: r0. Requests complete; further faults tolerated: 0')
  await screen('Requests')
  await page.getByRole('button', { name: 'Submit', exact: true }).click()
  await expect(verdict).toContainText('View1Primaryr1', { timeout: 40_000 })
  await picture('4-goes-on')

  await screen('Views')
  await expect(page.getByRole('main')).toContainText('timed out', { timeout: 40_000 })
  await picture('5-why')

  await page.getByRole('button', { name: 'Heal all' }).click()
  await expect(verdict).toContainText('Healthy: all 4 replicas are live in view 1; r1 is primary', { timeout: 40_000 })
  await picture('6-healed')
})
