/** What has to be there before anything can run: a Node, the packages, the build. Each says what it does and does nothing twice. */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { cacheFolder, cliFile, inModules, outFolder, projectNode, root, toolEnvironment } from './paths.mjs'
import { npm, run } from './run.mjs'

/** A stage could not be completed; `message` says what to do. */
export class StageError extends Error {}

export const say = (text) => process.stderr.write(`${text}\n`)

const readJson = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return null
  }
}

/** Whether every package of the lockfile is installed in its version; those for other platforms may be absent. */
export const isInstalled = () => {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {}
  const present = readJson(inModules('.package-lock.json'))?.packages
  if (present === undefined) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.optional === true) return true
    return present[path]?.version === entry.version && existsSync(join(root, path))
  })
}

const lockFile = join(cacheFolder, 'setting-up')

/** Whether the process that holds the lock is still there. */
const isHeld = () => {
  try {
    process.kill(Number(readFileSync(lockFile, 'utf8')), 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/**
 * Runs `body` while no other of our scripts sets up: four commands started at once must not install or build over one another.
 * A lock whose holder is gone counts for nothing.
 */
const alone = async (body) => {
  mkdirSync(cacheFolder, { recursive: true })
  while (true) {
    try {
      writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
      break
    } catch (error) {
      if (error.code !== 'EEXIST') throw error
      if (isHeld()) await new Promise((resolve) => setTimeout(resolve, 100))
      else rmSync(lockFile, { force: true })
    }
  }
  try {
    return await body()
  } finally {
    rmSync(lockFile, { force: true })
  }
}

/** Installs the packages when they are missing or not those of the lockfile. */
export const ensureInstalled = async () => {
  if (isInstalled()) return
  await alone(async () => {
    if (isInstalled()) return
    say('Installing packages (npm ci) ...')
    const { code, output } = await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet: true })
    if (code !== 0) throw new StageError(`npm ci failed:\n${output}\nIs the npm registry reachable?`)
  })
}

/** The Node that everything but these scripts runs on. */
export const ensureNode = () => {
  const node = projectNode()
  if (node === null) {
    throw new StageError(
      `This machine has Node ${process.versions.node}, and the project brings no Node 24 for ${process.platform}-${process.arch}: install Node 24 or newer.`,
    )
  }
  return node
}

const sourceFiles = (folder) =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? sourceFiles(path) : [path]
  })

/** A digest over what the build is made of: content, since times change with every checkout. */
const sourceDigest = () => {
  const hash = createHash('sha256')
  const files = [...sourceFiles(join(root, 'src')), ...['electron.vite.config.ts', 'package-lock.json'].map((name) => join(root, name))]
  for (const file of files.sort())
    hash
      .update(`${relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  return hash.digest('hex')
}

const stampFile = join(outFolder, '.sources')

/** Whether out/ was built from the sources as they are. */
export const isBuilt = () => existsSync(cliFile) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === sourceDigest()

export const build = async () => {
  const digest = sourceDigest()
  const { code, output } = await run(ensureNode(), [inModules('electron-vite', 'bin', 'electron-vite.js'), 'build'], {
    env: toolEnvironment({ NODE_ENV: 'production' }),
    quiet: true,
  })
  if (code !== 0) throw new StageError(`The build failed:\n${output}`)
  mkdirSync(outFolder, { recursive: true })
  writeFileSync(stampFile, digest)
  return output
}

/** Builds when out/ is missing or not made from the sources as they are. */
export const ensureBuilt = async () => {
  if (isBuilt()) return
  await alone(async () => {
    if (isBuilt()) return
    say('Building (electron-vite build) ...')
    await build()
  })
}

/** Runs a script's main part: a stage that failed ends it with one clear message. */
export const main = async (body) => {
  try {
    process.exitCode = await body()
  } catch (error) {
    say(error instanceof StageError ? error.message : (error?.stack ?? String(error)))
    process.exitCode = 1
  }
}
