/** Whether an act shows at once that it is under way: by the page's own frames, while the host is held up and cannot have answered. */
import { expect, test, type Panel } from './panel.ts'

declare global {
  interface Window {
    underWaySeen?: { readonly frames: number; readonly ms: number } | null
  }
}

/** 100 ms at 60 frames a second. Frames are counted, not milliseconds: a busy machine makes them longer, and no fewer of them. */
const framesMax = 6

/** In the page: from the next key on, until something is marked as busy. */
const watchNextKey = (): void => {
  window.underWaySeen = null
  const isBusy = (): boolean => document.querySelector('[data-testid="pending"], button[aria-busy="true"]') !== null
  const onKey = (): void => {
    const from = performance.now()
    let frames = 0
    const count = (): void => {
      frames += 1
      if (window.underWaySeen === null && frames < 600) requestAnimationFrame(count)
    }
    requestAnimationFrame(count)
    const observer = new MutationObserver(() => {
      if (!isBusy()) return
      observer.disconnect()
      window.underWaySeen = { frames, ms: performance.now() - from }
    })
    observer.observe(document.body, { subtree: true, childList: true, attributes: true, attributeFilter: ['aria-busy'] })
  }
  addEventListener('keydown', onKey, { capture: true, once: true })
}

/**
 * Does the act by its last key. In the browser its host is stopped meanwhile, so that what shows cannot be an answer; in Electron, where
 * stopping the host would stop the window too, what is marked as busy is seen before the answer takes the mark away.
 */
export async function answeredAtOnce(panel: Panel, act: string, lastKey: () => Promise<void>): Promise<void> {
  await panel.page.evaluate(watchNextKey)
  panel.serving?.process.kill('SIGSTOP')
  try {
    await lastKey()
    await expect.poll(() => panel.page.evaluate(() => window.underWaySeen), { message: `${act} shows that it is under way` }).not.toBeNull()
  } finally {
    panel.serving?.process.kill('SIGCONT')
  }
  const seen = await panel.page.evaluate(() => window.underWaySeen)
  test.info().annotations.push({ type: 'answered', description: `${act}: ${seen?.frames} frames, ${seen?.ms.toFixed(1)} ms` })
  expect(seen?.frames, `${act}: frames until it shows`).toBeLessThanOrEqual(framesMax)
}
