/** What happens to processes shows in the panel, and requests go on. */
import { replicaCardTestId, testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { areEqual, createCluster, goTo, put, statusWhen } from './support/steps.ts'

test('kill -9 of a backup shows within two seconds, requests go on, and it comes back', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'crash')
  await goTo(page, 'overview')
  const status = await panel.call('status', {})
  const backup = status.replicas.find(({ isPrimary }) => !isPrimary)
  if (typeof backup?.pid !== 'number') throw new Error('no backup has a process')
  process.kill(backup.pid, 'SIGKILL')
  await expect(page.getByTestId(replicaCardTestId(backup.id))).toHaveAttribute('data-state', 'stopped', { timeout: 2_000 })
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'degraded')
  await put(panel, 'after', 'the crash')

  await panel.call('controlReplica', { id: backup.id, action: 'start' })
  await goTo(page, 'overview')
  await expect(page.getByTestId(replicaCardTestId(backup.id))).toHaveAttribute('data-state', 'live')
  await statusWhen(panel, 'it has what the others have', areEqual)
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy')
})

test('a page that is loaded anew shows the same cluster', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'again')
  await put(panel, 'kept', 'yes')
  await page.reload()
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy')
  await goTo(page, 'log')
  await expect(page.getByTestId(testIds.logRow)).toHaveCount(1)
})
