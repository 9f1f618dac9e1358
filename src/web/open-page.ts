/**
 * Opens the user's browser at the panel. The token must not stand in a command line, where every user of the machine could
 * read it, so the browser gets a file that only this user can read and that leads there.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const opener = (): readonly string[] | null => {
  if (process.platform === 'darwin') return ['open']
  if (process.platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  return process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined ? ['xdg-open'] : null
}

/** Long enough for a slow browser to start. */
const keptMs = 60_000

/** Tries to open `address`; false when there is no desktop. Returns at once; the file goes away later, or with this process. */
export const openPage = (address: string): boolean => {
  const [command, ...args] = opener() ?? []
  if (command === undefined) return false
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-'))
  const file = join(folder, 'open.html')
  const escaped = address.replace(/&/g, '&amp;').replace(/"/g, '&quot;')
  writeFileSync(file, `<!doctype html><meta http-equiv="refresh" content="0;url=${escaped}"><title>PBFT Panel</title>\n`, { mode: 0o600 })
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  setTimeout(remove, keptMs).unref()
  process.once('exit', remove)
  const child = spawn(command, [...args, file], { stdio: 'ignore', detached: true })
  child.on('error', remove)
  child.unref()
  return true
}
