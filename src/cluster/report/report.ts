/** A run as one HTML file that opens offline. */
import type { Locale } from '../../contract/screens.ts'
import type { RecordedEntryWithLedger } from '../recorder/protocol.ts'
import type { RunFacts } from '../runs/figures.ts'
import type { RunHead } from '../runs/schemas.ts'

export interface ReportInput {
  readonly head: RunHead
  readonly facts: RunFacts
  readonly entries: Iterable<readonly RecordedEntryWithLedger[]>
  readonly locale: Locale
}

export const reportOf = ({ head, locale }: ReportInput): string =>
  `<!doctype html><html lang="${locale}"><title>${head.info.id}</title></html>`
