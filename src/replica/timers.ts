/** The core's named timers over Node's. */
import type { TimerName } from '../pbft/protocol/steps.ts'

/** Node fires at once what is set for longer than this, ms. */
const delayMsMax = 2_147_483_647

/** Set by the test which shows that the demo can fail: this replica then never gives up on a primary. */
const viewTimerDisabled = process.env['PBFT_PANEL_TEST_DISABLE_VIEW_TIMER'] === '1'

export interface Timers {
  /** Replaces an earlier setting. */
  set(timer: TimerName, delayMs: number): void
  cancel(timer: TimerName): void
  cancelAll(): void
}

export const createTimers = (onFired: (timer: TimerName) => void): Timers => {
  const running = new Map<TimerName, NodeJS.Timeout>()
  const cancel = (timer: TimerName): void => {
    clearTimeout(running.get(timer))
    running.delete(timer)
  }
  return {
    set(timer, delayMs) {
      cancel(timer)
      if (viewTimerDisabled && timer === 'view-change') return
      const fire = (): void => {
        running.delete(timer)
        onFired(timer)
      }
      running.set(timer, setTimeout(fire, Math.min(delayMs, delayMsMax)))
    },
    cancel,
    cancelAll() {
      for (const timer of [...running.keys()]) cancel(timer)
    },
  }
}
