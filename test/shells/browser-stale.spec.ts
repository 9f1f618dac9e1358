/** A host that no longer answers: what it said before is marked as old, on every screen. Only a browser outlives its host. */
import type { Page } from '@playwright/test'
import { screens } from '../../src/contract/screens.ts'
import { testIds } from '../../src/renderer/testids.ts'
import { expect, test } from './support/panel.ts'
import { createCluster, goTo, put, statusWhen } from './support/steps.ts'

/** In the page: what would still pass for the present. */
const livelyThings = (): string[] => {
  const found: string[] = []
  const claims =
    '.live:not(.off), [data-state="live"], [data-state="healthy"], [data-state="degraded"], [data-state="holds"], [data-state="stuck"]'
  for (const element of document.querySelectorAll(claims)) found.push(element.outerHTML.slice(0, 120))
  for (const element of document.querySelectorAll<HTMLElement>('main .lively, header .lively')) {
    const { opacity, filter } = getComputedStyle(element)
    if (Number(opacity) >= 1 && filter === 'none') found.push(`as bright as ever: ${element.className}`)
  }
  for (const animation of document.getAnimations()) {
    const target = (animation.effect as KeyframeEffect | null)?.target
    if (animation.playState === 'running' && target instanceof Element && target.closest('main') !== null)
      found.push(`moves: ${target.outerHTML.slice(0, 120)}`)
  }
  return found
}

test.setTimeout(240_000)

test('when the host is gone nothing looks live, on any screen', async ({ panel }) => {
  const { page } = panel
  await createCluster(page, 'stale')
  await put(panel, 'colour', 'blue')
  await panel.call('startLoad', { clients: 2, durationMs: 600_000, ratePerSecond: 20 })
  await panel.call('injectFault', { fault: { type: 'isolate', replica: 3, durationMs: null } })
  await statusWhen(panel, 'isolated', ({ replicas }) => replicas[3]?.state === 'isolated')
  // The scripts of all screens are here then: a host that is gone serves none.
  for (const screen of screens) await goTo(page, screen)
  panel.serving?.process.kill('SIGSTOP')
  try {
    await nothingLooksLive(page)
  } finally {
    panel.serving?.process.kill('SIGCONT')
  }
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'degraded', { timeout: 40_000 })
})

async function nothingLooksLive(page: Page): Promise<void> {
  await expect(page.getByTestId(testIds.connectionLost)).toBeVisible()
  await expect(page.getByTestId(testIds.verdict)).toHaveAttribute('data-state', 'unknown')
  await expect(page.locator('[data-testid^="monitor-"]:not([data-state="unknown"])')).toHaveCount(0)
  for (const screen of screens) {
    await goTo(page, screen)
    await expect(page.locator('main h1')).toBeVisible()
    await expect.poll(() => page.evaluate(livelyThings), { message: screen }).toEqual([])
    // What cannot be done now says why.
    for (const button of await page.locator('main button.primary:not([disabled])').all()) {
      expect(await button.textContent(), `${screen}: can be pressed`).toMatch(/Go|Open|Compose|Submit a request/)
    }
  }
}
