/** Which Electron is there, if any, and whether it could show a window. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inModules, toolEnvironment } from './paths.mjs'
import { run } from './run.mjs'

const executableName = { darwin: 'Electron.app/Contents/MacOS/Electron', win32: 'electron.exe' }[process.platform] ?? 'electron'

/** The installed official Electron, or the one in ELECTRON_OVERRIDE_DIST_PATH: its executable, or null. */
export const officialElectron = () => {
  const folders = [process.env.ELECTRON_OVERRIDE_DIST_PATH, inModules('electron', 'dist')]
  for (const folder of folders) {
    if (folder !== undefined && folder !== '' && existsSync(join(folder, executableName))) return join(folder, executableName)
  }
  return null
}

/** Whether a window can be shown here. */
export const hasDisplay = () =>
  process.platform === 'darwin' || process.platform === 'win32' || Boolean(process.env.DISPLAY) || Boolean(process.env.WAYLAND_DISPLAY)

/** Fetches the official Electron; true when it is there afterwards. Closed networks cannot, which is no error. */
export const fetchElectron = async (node) => {
  await run(node, [inModules('electron', 'install.js')], { env: toolEnvironment(), quiet: true, timeoutMs: 300_000 })
  return officialElectron() !== null
}

/**
 * The version that an Electron folder states in its `version` file; 'unknown' without one.
 * @param {string} executable
 */
export const electronVersion = (executable) => {
  const file = join(executable, '..', 'version')
  return existsSync(file) ? readFileSync(file, 'utf8').trim().replace(/^v/, '') : 'unknown'
}
