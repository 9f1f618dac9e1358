/** The cluster host as every command of the command line makes it: replicas and recorder are children of this Node process. */
import { createHost } from '../cluster/host.ts'
import type { Host } from '../cluster/host-interface.ts'
import { launchByNode } from '../cluster/launch-node.ts'
import { entries, sampleRun, scenariosFolder, version, type foldersOf } from './paths.ts'

/** `locale`: the language of whoever looks at it. */
export const hostFor = (folders: ReturnType<typeof foldersOf>, locale = 'en'): Host =>
  createHost({ ...folders, scenariosFolder, sampleRun, shell: 'browser', version, locale, launch: launchByNode, entries })
