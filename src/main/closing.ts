/** What happens to a running cluster when its window is closed: the user decides. */
import { dialog, type BrowserWindow } from 'electron'
import type { Host } from '../cluster/host-interface.ts'
import type { Texts } from './texts.ts'

export type ClosingChoice = 'stop' | 'keep' | 'cancel'

const choices: readonly ClosingChoice[] = ['stop', 'keep', 'cancel']

/** Asks when a cluster is open; without one, or in tests (PBFT_PANEL_CLOSE_WITHOUT_ASKING), closing is stopping. */
export const askHowToClose = async (window: BrowserWindow, host: Host, texts: Texts): Promise<ClosingChoice> => {
  if (process.env['PBFT_PANEL_CLOSE_WITHOUT_ASKING'] !== undefined) return 'stop'
  const state = await host.call('host', {})
  if (!state.ok || state.value.phase === 'closed') return 'stop'
  const { response } = await dialog.showMessageBox(window, {
    type: 'question',
    message: texts.closing,
    detail: texts.closingDetail,
    buttons: choices.map((choice) => texts[choice]),
    defaultId: 0,
    cancelId: 2,
    noLink: true,
  })
  return choices[response] ?? 'cancel'
}
