/** The cluster host as every command of the command line makes it: replicas and recorder are children of this Node process. */
import { createHost } from '../cluster/host.ts'
import type { Host } from '../cluster/host-interface.ts'
import { launchByNode } from '../cluster/launch-node.ts'
import { entries, sampleRun, scenariosFolder, version, type foldersOf } from './paths.ts'

interface Choice {
  /** The language of whoever looks at it; English when not given. */
  readonly locale?: string
  /** Script of the replica processes; the project's own when not given. */
  readonly replica?: string
}

export const hostFor = (folders: ReturnType<typeof foldersOf>, { locale = 'en', replica = entries.replica }: Choice = {}): Host =>
  createHost({
    ...folders,
    scenariosFolder,
    sampleRun,
    shell: 'browser',
    version,
    locale,
    launch: launchByNode,
    entries: { ...entries, replica },
  })
