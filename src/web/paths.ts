/** Where the program's own files lie, the same way from the sources (src/web) and from the build (out/main). */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import envPaths from 'env-paths'

const here = dirname(fileURLToPath(import.meta.url))
/** Run unbuilt, the entries are the sources themselves. */
const unbuilt = import.meta.url.endsWith('.ts')
/** The folder of the project, or of the installation. */
export const root = join(here, '..', '..')

/** Scripts of the child processes and threads. */
export const entries = unbuilt
  ? {
      replica: join(root, 'src', 'replica', 'main.ts'),
      recorder: join(root, 'src', 'cluster', 'recorder', 'main.ts'),
      load: join(root, 'src', 'cluster', 'bench', 'load-main.ts'),
      simulation: join(root, 'src', 'web', 'simulation', 'worker.ts'),
    }
  : {
      replica: join(here, 'replica.cjs'),
      recorder: join(here, 'recorder.cjs'),
      load: join(here, 'load.cjs'),
      simulation: join(here, 'simulation.cjs'),
    }

/** The library of scenarios. */
export const scenariosFolder = join(root, 'resources', 'scenarios')

/** A recorded run to look at. */
export const sampleRun = join(root, 'resources', 'runs', 'sample.pbftrun')

/** The built page. */
export const pageFolder = join(root, 'out', 'renderer')

/** The program's version, as package.json states it. */
export const version = (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version

/** The platform's folders for data and logs; with `data`, both lie in that folder. */
export const foldersOf = (data: string | undefined): { readonly dataFolder: string; readonly logsFolder: string } => {
  if (data !== undefined) return { dataFolder: data, logsFolder: join(data, 'logs') }
  const paths = envPaths('pbft-panel', { suffix: '' })
  return { dataFolder: paths.data, logsFolder: paths.log }
}
