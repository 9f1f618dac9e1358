/** A copy of the engine's sources with a planted bug, in a temporary folder: for the simulator, or for real replica processes. Runs unbuilt on Node 24. */
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { applyPlant, type Plant } from '../../pbft/sim/index.ts'

const worker = join('src', 'web', 'simulation', 'worker.ts')
const engine = join('src', 'pbft')
/** What a replica process needs beside the engine. */
const processParts: readonly string[] = ['replica', 'link', 'contract'].map((room) => join('src', room))

/** Whether `root` has the sources and this Node runs them; else why not. */
export const problemOfSources = (root: string): string | null => {
  if (!existsSync(join(root, worker)) || !existsSync(join(root, engine))) {
    return 'A planted bug needs the sources; this installation has none. Use a clone of the project.'
  }
  if (!existsSync(join(root, 'node_modules'))) return 'A planted bug needs the installed packages: npm ci.'
  return process.features.typescript ? null : `A planted bug runs from the sources, which takes Node 24; this is ${process.versions.node}.`
}

export interface MutatedCopy {
  readonly folder: string
  /** Script of the simulator's threads in the copy. */
  readonly entry: string
  /** Script of a replica process; there when the copy was made by `copyForProcesses`. */
  readonly replica: string
  remove(): Promise<void>
}

/** Copies the engine (and `more`, relative to `root`) with the change of `plant` into a new folder. Throws when the plant does not apply. */
export const copyWithPlant = async (root: string, plant: Plant, more: readonly string[] = []): Promise<MutatedCopy> => {
  const folder = await mkdtemp(join(tmpdir(), 'pbft-plant-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
    for (const part of [engine, worker, ...more]) {
      await mkdir(dirname(join(folder, part)), { recursive: true })
      await cp(join(root, part), join(folder, part), { recursive: true })
    }
    const file = join(folder, engine, plant.file)
    await writeFile(file, applyPlant(await readFile(file, 'utf8'), plant))
  } catch (error) {
    await remove()
    throw error
  }
  return { folder, entry: join(folder, worker), replica: join(folder, 'src', 'replica', 'main.ts'), remove }
}

/** The same with all that a replica process is made of. Throws when the plant does not apply. */
export const copyForProcesses = (root: string, plant: Plant): Promise<MutatedCopy> => copyWithPlant(root, plant, processParts)
