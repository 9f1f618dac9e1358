/** Two operators at once: somebody else is first, and this page does not know it yet when it acts. */
import type { Method, Params } from '../../../src/contract/api.ts'
import { testIds } from '../../../src/renderer/testids.ts'
import { connectSocket, expect, type Panel } from './panel.ts'

export interface Call {
  readonly method: Method
  readonly params: object
}
export const callOf = <M extends Method>(method: M, params: Params<M>): Call => ({ method, params })

/** The page's button, pressed by its script: in the turn in which somebody else's calls have left, as far as it is told. */
const pressIn = (panel: Panel, selector: string, calls: readonly Call[]): Promise<void> =>
  panel.page.evaluate(
    ({ wanted, first }) => {
      for (const { method, params } of first) void window.panelShell?.call(method, params as never)
      document.querySelector<HTMLElement>(wanted)?.click()
    },
    { wanted: selector, first: calls },
  )

/**
 * Presses `selector` when the host has somebody else's calls already and the page has not heard of them. In the browser the host is held
 * up meanwhile, and the calls come by a socket of their own; in Electron both leave the page in one turn.
 */
export async function afterSomebody(panel: Panel, calls: readonly Call[], selector: string): Promise<void> {
  await panel.page.locator(selector).first().waitFor()
  if (panel.serving === null) return pressIn(panel, selector, calls)
  const socket = await connectSocket(panel.serving)
  const answered = new Promise<void>((resolve) => {
    let left = calls.length
    socket.onmessage = () => {
      left -= 1
      if (left === 0) resolve()
    }
  })
  panel.serving.process.kill('SIGSTOP')
  try {
    calls.forEach(({ method, params }, id) => socket.send(JSON.stringify({ id, method, params })))
    await pressIn(panel, selector, [])
  } finally {
    panel.serving.process.kill('SIGCONT')
  }
  await answered
  socket.close()
}

/** Ends the host while it owes the page an answer to each of these. */
export async function hostGoneUnder(panel: Panel, presses: readonly (() => Promise<void>)[]): Promise<void> {
  const host = panel.serving?.process
  if (host === undefined) throw new Error('the host and the window are one process')
  host.kill('SIGSTOP')
  for (const press of presses) await press()
  await expect(panel.page.getByTestId('pending')).toHaveCount(presses.length)
  host.kill('SIGKILL')
  await expect(panel.page.getByTestId(testIds.connectionLost)).toBeVisible()
}
