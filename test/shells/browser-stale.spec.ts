/** A host that no longer answers: what it said before is marked as old. Only a browser outlives its host. */
import { testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { createCluster } from './support/steps.ts'

test('when the host is gone nothing looks live', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'stale')
  panel.serving?.process.kill('SIGSTOP')
  await expect(page.getByTestId(testIds.connectionLost)).toBeVisible()
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'unknown')
  await expect(page.locator('[data-testid^="monitor-"]:not([data-state="unknown"])')).toHaveCount(0)
  await expect(page.locator('.is-stale')).toBeVisible()
  panel.serving?.process.kill('SIGCONT')
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy', { timeout: 40_000 })
})
