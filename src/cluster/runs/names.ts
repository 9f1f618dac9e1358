/** Where the parts of a run that came from a file lie in its folder. */
import { join } from 'node:path'

export const journalName = 'journal.sqlite'
export const recordingName = (replica: number): string => `replica-${replica}`

/** The paths of them, for a run of `n` replicas. */
export const partsOf = (folder: string, n: number): { readonly journal: string; readonly replicas: readonly string[] } => ({
  journal: join(folder, journalName),
  replicas: Array.from({ length: n }, (_, id) => join(folder, recordingName(id))),
})
