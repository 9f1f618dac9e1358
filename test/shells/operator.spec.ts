/** What an operator may rely on: acts answer at once, an error says what to do, and a link restores what it was made of. */
import { replicaActionTestId, replicaCardTestId, testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { createCluster, goTo, put } from './support/steps.ts'

test('an act is answered by a visible state before its result is there', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'acts')
  const restart = page.getByTestId(replicaActionTestId('restart', 2))
  await expect(restart).toHaveAttribute('aria-busy', 'false')
  // In the page, so that no way there and back is counted: until the next paint after the click.
  const busyAfter = await restart.evaluate(async (button: HTMLElement) => {
    const before = performance.now()
    button.click()
    while (button.getAttribute('aria-busy') !== 'true' && performance.now() - before < 5_000) await new Promise(requestAnimationFrame)
    return button.getAttribute('aria-busy')
  })
  expect(busyAfter).toBe('true')
  await expect(page.getByTestId(replicaCardTestId(2))).toHaveAttribute('data-state', 'live', { timeout: 40_000 })
})

test('a link restores screen, filter and selection', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'links')
  await put(panel, 'colour', 'blue')
  await put(panel, 'shape', 'round')
  await page.evaluate(() => (location.hash = '#/log?q=shape&seq=2'))
  await page.reload()
  await expect(page.getByTestId(testIds.logFilter)).toHaveValue('shape')
  await expect(page.getByTestId(testIds.logDetail)).toHaveAttribute('data-seq', '2')
  await expect(page.getByTestId(testIds.logRow)).toHaveCount(1)

  // The moment goes along to other screens, until the present is wanted again.
  await page.getByRole('button', { name: 'This moment', exact: true }).click()
  await expect(page.getByTestId('moment')).toBeVisible()
  await goTo(page, 'views')
  await expect(page).toHaveURL(/[?&]t=\d+/)
  await page.getByTestId('go-live').click()
  await expect(page.getByTestId('moment')).toBeHidden()
  await expect(page).not.toHaveURL(/[?&]t=/)
})

test('opening a cluster can be cancelled, and leaves nothing running', async ({ panel }) => {
  const { page } = panel
  await page.getByTestId('create-quick').click()
  await page.getByTestId('opening-cancel').click()
  await expect(page.getByTestId('create-quick')).toBeVisible({ timeout: 40_000 })
  expect(await panel.call('host', {})).toMatchObject({ phase: 'closed' })
  // It was made, and can be opened for good.
  await page.getByTestId('open-local').click()
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy', { timeout: 40_000 })
})
