/** Opens the panel: in Electron where there is a display and a runtime, else in the browser shell. */
import { electronVersion, fetchElectron, hasDisplay, officialElectron } from './electron.mjs'
import { cliFile, root, toolEnvironment } from './paths.mjs'
import { stayWith } from './run.mjs'
import { ensureBuilt, ensureInstalled, ensureNode, isBuilt, isInstalled, say } from './stages.mjs'

const stages = 4
const stage = (number, text) => say(`[${number}/${stages}] ${text}`)

/** An Electron that can be used here, or null with the reason said. */
const findElectron = async (node) => {
  if (!hasDisplay()) {
    say('      No display here: the browser shell it is.')
    return null
  }
  const found = officialElectron()
  if (found !== null) return found
  say('      Fetching the Electron runtime once (install-electron) ...')
  if (await fetchElectron(node)) return officialElectron()
  say('      It cannot be fetched here: the browser shell it is. (ELECTRON_OVERRIDE_DIST_PATH may name a folder that holds one.)')
  return null
}

/** Chromium refuses to run as root with its operating-system sandbox on. */
const asRoot = () => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return []
  say("      Running as root, so without Chromium's operating-system sandbox")
  return ['--no-sandbox']
}

/** Resolves with the exit code when the panel was closed or stopped. */
export const start = async (args) => {
  stage(1, `Node ${process.versions.node} on ${process.platform}-${process.arch}`)
  stage(2, isInstalled() ? 'Packages are installed' : 'Packages are missing or not those of the lockfile')
  await ensureInstalled()
  const node = ensureNode()
  stage(3, isBuilt() ? 'The build is up to date' : 'The build is missing or older than the sources')
  await ensureBuilt()
  stage(4, 'Opening the panel; Ctrl-C stops everything')
  const electron = args.length > 0 ? null : await findElectron(node)
  if (electron === null) return stayWith(node, [cliFile, 'serve', ...args], { env: toolEnvironment(), tied: true })
  say(`      Electron ${electronVersion(electron)}`)
  return stayWith(electron, [root, ...asRoot(), '--local-cluster'], { env: toolEnvironment({ PBFT_PANEL_NODE: node }) })
}
