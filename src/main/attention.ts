/** The system's notifications: what needs attention while the window is not looked at. */
import { Notification } from 'electron'
import type { Attention } from '../contract/shell.ts'

/** Shows one; a press on it calls `onClick`. A desktop without notifications still has the log and the window. */
export const showAttention = ({ title, body }: Attention, onClick: () => void, log: (line: string) => void): void => {
  log(`notification: ${title}: ${body}`)
  if (!Notification.isSupported()) return
  const shown = new Notification({ title, body })
  shown.on('click', onClick)
  shown.show()
}
