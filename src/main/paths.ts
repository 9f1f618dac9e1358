/** Where the app's files and its data lie. Run from out/main. */
import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import envPaths from 'env-paths'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '..', '..')

export const entries = { replica: join(here, 'replica.cjs'), recorder: join(here, 'recorder.cjs') }
export const preload = join(root, 'out', 'preload', 'index.cjs')
export const pageFolder = join(root, 'out', 'renderer')
export const scenariosFolder = join(root, 'resources', 'scenarios')
/** A recorded run to look at. */
export const sampleRun = join(root, 'resources', 'runs', 'sample.pbftrun')
export const icon = join(root, 'resources', 'icon.png')
export const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version

export interface Folders {
  readonly dataFolder: string
  readonly logsFolder: string
  /** Chromium's profile and the window's state; null: Electron's own choice. */
  readonly profileFolder: string | null
}

/** The same data folder as the command line's, so that both shells know the same clusters; `--data=DIR` names another. */
export const foldersOf = (args: readonly string[]): Folders => {
  const given = args.find((arg) => arg.startsWith('--data='))?.slice('--data='.length)
  if (given !== undefined && given !== '') {
    const data = resolve(given)
    return { dataFolder: data, logsFolder: join(data, 'logs'), profileFolder: join(data, 'electron') }
  }
  const paths = envPaths('pbft-panel', { suffix: '' })
  return { dataFolder: paths.data, logsFolder: paths.log, profileFolder: null }
}
