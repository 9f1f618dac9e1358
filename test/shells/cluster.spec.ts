/** The whole way through, in both languages: create, submit, isolate the primary, heal, restart, read the log. */
import { replicaActionTestId, replicaCardTestId, testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { areEqual, createCluster, goTo, put, statusWhen } from './support/steps.ts'

for (const { language, word } of [
  { language: 'en', word: 'Overview' },
  { language: 'zh-CN', word: '概览' },
]) {
  test(`a cluster survives the isolation of its primary (${language})`, async ({ panel }) => {
    const { page } = panel
    await page.getByTestId(testIds.language).selectOption(language)
    await expect(page.getByTestId('nav-overview')).toContainText(word)
    await createCluster(page, 'specs')

    await put(panel, 'colour', 'blue')
    const before = await panel.call('status', {})
    const primary = before.primary ?? -1
    expect(before.replicas.map(({ pid }) => pid).filter((pid) => pid !== null)).toHaveLength(4)

    await goTo(page, 'overview')
    await page.getByTestId(replicaActionTestId('isolate', primary)).click()
    await expect(page.getByTestId(replicaCardTestId(primary))).toHaveAttribute('data-state', 'isolated')
    await put(panel, 'colour', 'green')
    const after = await statusWhen(panel, 'a new view', ({ view }) => (view ?? 0) > (before.view ?? 0))
    await expect(page.getByTestId(testIds.view)).toHaveText(String(after.view))
    expect(after.primary).not.toBe(primary)

    await page.getByTestId(testIds.healAll).click()
    await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'healthy')
    await statusWhen(panel, 'the old primary has what the others have', areEqual)

    await goTo(page, 'overview')
    const pid = (await panel.call('replica', { id: 3 })).pid
    await page.getByTestId(replicaActionTestId('restart', 3)).click()
    await statusWhen(panel, 'replica 3 is a new process', ({ replicas }) => replicas[3]?.pid !== pid && replicas[3]?.state === 'live')
    await expect(page.getByTestId(replicaCardTestId(3))).toHaveAttribute('data-state', 'live')

    const log = await panel.call('log', {})
    expect(log.entries.map(({ seq }) => seq)).toEqual(log.entries.map((_entry, index) => index + 1))
    await goTo(page, 'log')
    const rows = page.getByTestId(testIds.logRow)
    await expect(rows).toHaveCount(log.entries.length)
    const first = page.locator(`[data-testid="${testIds.logRow}"][data-seq="1"]`)
    await expect(first).toContainText('colour')
    await first.click()
    const detail = page.getByTestId(testIds.logDetail)
    await expect(detail).toContainText('blue')
    for (const id of [0, 1, 2, 3]) await expect(detail).toContainText(`r${id}`)
    expect(await panel.cspViolations()).toEqual([])
  })
}
