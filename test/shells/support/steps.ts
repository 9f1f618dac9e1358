/** What people do in the panel, as steps that specs share. */
import type { Page } from '@playwright/test'
import type { ClusterStatus } from '../../../src/contract/model.ts'
import { navTestId, testIds } from '../../../src/renderer/testids.ts'
import { expect, type Panel } from './panel.ts'

export const goTo = async (page: Page, screen: string): Promise<void> => {
  await page.getByTestId(navTestId(screen)).click()
  await expect(page).toHaveURL(new RegExp(`#/${screen}`))
}

/** Makes a cluster by the dialog and waits until it is healthy. */
export const createCluster = async (page: Page, name: string): Promise<void> => {
  await page.getByTestId(testIds.createCluster).first().click()
  await page.getByTestId(testIds.createClusterName).fill(name)
  await page.getByTestId(testIds.createClusterReplicas).fill('4')
  await page.getByTestId(testIds.createClusterSubmit).click()
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy', { timeout: 40_000 })
}

/** Puts a value by the form and waits for the replicas' answer. */
export const put = async (panel: Panel, key: string, value: string): Promise<void> => {
  const { page } = panel
  const before = (await panel.call('requests', {})).length
  await goTo(page, 'requests')
  await page.getByTestId(testIds.requestType).selectOption('put')
  await page.getByTestId(testIds.requestKey).fill(key)
  await page.getByTestId(testIds.requestValue).fill(value)
  await page.getByTestId(testIds.requestSubmit).click()
  await expect.poll(async () => completed(panel), { timeout: 40_000 }).toBe(before + 1)
  await expect(page.getByTestId(testIds.requestResult).first()).toBeVisible()
}

const completed = async (panel: Panel): Promise<number> =>
  (await panel.call('requests', {})).filter(({ outcome }) => outcome.state === 'completed').length

/** Waits for a status, and gives it. */
export const statusWhen = async (panel: Panel, what: string, condition: (status: ClusterStatus) => boolean): Promise<ClusterStatus> => {
  let status = await panel.call('status', {})
  await expect
    .poll(
      async () => {
        status = await panel.call('status', {})
        return condition(status)
      },
      { message: what, timeout: 40_000 },
    )
    .toBe(true)
  return status
}

/** Every replica executed as far as the others and has the same state. */
export const areEqual = ({ replicas }: ClusterStatus): boolean =>
  new Set(replicas.map(({ lastExecuted }) => lastExecuted)).size === 1 && new Set(replicas.map(({ stateDigest }) => stateDigest)).size === 1
