/** Work on whole runs, the same in the recorder process and in a command. */
import { writeFileSync } from 'node:fs'
import type { RunFileLimits } from '../run-file/format.ts'
import { reportOf } from '../report/report.ts'
import type { RunHead } from '../runs/schemas.ts'
import type { Locale } from '../../contract/screens.ts'
import { compareRuns } from './run-compare.ts'
import { writeRunFile } from './run-export.ts'
import { unpackRunFile } from './run-import.ts'
import type { RunPlace } from './protocol.ts'
import type { RunSource } from './run-source.ts'

export const runWork = {
  exportRun: ({ place, file }: { readonly place: RunPlace; readonly file: string }, source: RunSource) => writeRunFile(place, source, file),

  importRun: ({
    file,
    folder,
    limits,
  }: {
    readonly file: string
    readonly folder: string
    readonly limits: RunFileLimits
  }): Promise<RunHead> => unpackRunFile(file, folder, limits),

  /** `file` is made new. */
  reportRun({ place, file, locale }: { readonly place: RunPlace; readonly file: string; readonly locale: Locale }, source: RunSource) {
    const html = reportOf({ head: place.record.head, facts: source.facts(), entries: source.entries(), locale })
    writeFileSync(file, html, { flag: 'wx', mode: 0o600 })
    return { bytes: Buffer.byteLength(html) }
  },

  compareRuns,
}
