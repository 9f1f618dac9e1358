/** What the shells' tests need from the operating system: a display, a browser, Electron's libraries, Chinese glyphs. */
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { run } from './run.mjs'
import { say, StageError } from './stages.mjs'

const packages = [
  ...['xvfb', 'xauth', 'libgtk-3-0', 'libnss3', 'libasound2', 'libgbm1', 'libxss1', 'libxtst6', 'libatk-bridge2.0-0', 'libdrm2'],
  ...['chromium', 'fonts-noto-cjk'],
]

const isDebian = () => {
  if (!existsSync('/etc/os-release')) return false
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8'))
}

const onPath = (name) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)))

const missingPackages = async () => {
  const { output } = await run('dpkg-query', ['-W', '-f', '${Package} ${Status}\\n', ...packages], { quiet: true })
  return packages.filter((name) => !output.split('\n').includes(`${name} install ok installed`))
}

/**
 * Installs what is missing where that is ours to do (root on Debian); elsewhere says the one command and gives up.
 * Windows and macOS need nothing of it.
 */
export const ensureSystemPackages = async () => {
  if (process.platform !== 'linux') return
  if (!isDebian()) {
    if (onPath('Xvfb') && onPath('chromium')) return
    throw new StageError("The shells' tests need Xvfb and Chromium: install both with this system's package manager.")
  }
  const missing = await missingPackages()
  if (missing.length === 0) return
  const command = `apt-get install -y --no-install-recommends ${missing.join(' ')}`
  if (process.getuid?.() !== 0) throw new StageError(`The shells' tests need some system packages. Please run:\n  sudo ${command}`)
  say(`Installing system packages: ${missing.join(' ')} ...`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-q'], { env, quiet: true })
  const [name, ...args] = command.split(' ')
  const { code, output } = await run(name, args, { env, quiet: true })
  if (code !== 0) throw new StageError(`${command} failed:\n${output}`)
}
