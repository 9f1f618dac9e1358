/** What a report shows of a run, worked out from its documents and its log. Pure. */
import type { RecordedEntryWithLedger } from '../recorder/protocol.ts'
import type { RunFacts } from '../runs/figures.ts'
import { figuresOf } from '../runs/figures.ts'
import type { RecordedFault, RunHead } from '../runs/schemas.ts'
import type { RunFigures } from '../../contract/runs.ts'
import type { Span } from './charts.ts'

const laneBins = 120
const entriesShown = 400
/** One batch may hold thousands. */
const requestsShownOfEntry = 5

export interface FaultBand extends Span {
  readonly key: string
  readonly parameters: RecordedFault['parameters']
  readonly isHealed: boolean
}

export interface ReportEntry extends Omit<RecordedEntryWithLedger, 'rows'> {
  /** How many requests it has, of which some are shown. */
  readonly total: number
}

export interface ReportModel {
  readonly head: RunHead
  readonly facts: RunFacts
  readonly figures: RunFigures
  readonly span: Span
  readonly faults: readonly FaultBand[]
  /** By replica, executed batches in each of the bins of the span. */
  readonly lanes: readonly (readonly number[])[]
  /** The first and the last ones; between them the others are left out. */
  readonly entries: readonly ReportEntry[]
}

const bandsOf = ({ documents }: RunFacts, end: number): FaultBand[] => {
  const ends = new Map(documents.fault.filter(({ what }) => what !== 'injected').map(({ id, at }) => [id, at]))
  return documents.fault
    .filter(({ what }) => what === 'injected')
    .map(({ id, key, parameters, at }) => ({ key, parameters, from: at, to: ends.get(id) ?? end, isHealed: ends.has(id) }))
}

export const modelOf = (head: RunHead, facts: RunFacts, entries: Iterable<readonly RecordedEntryWithLedger[]>): ReportModel => {
  const { info } = head
  const last = facts.documents.sample.at(-1)?.at ?? info.began
  const span = { from: info.began, to: Math.max(info.ended ?? last, info.began + 1) }
  const lanes = Array.from({ length: info.n }, () => new Array<number>(laneBins).fill(0))
  const [first, rest]: [ReportEntry[], ReportEntry[]] = [[], []]
  for (const portion of entries) {
    for (const { rows, ...entry } of portion) {
      for (const { replica, executedAt } of rows) {
        const counts = lanes[replica]
        if (counts === undefined || executedAt === null || executedAt < span.from || executedAt > span.to) continue
        const bin = Math.min(laneBins - 1, Math.floor(((executedAt - span.from) / (span.to - span.from)) * laneBins))
        counts[bin] = (counts[bin] ?? 0) + 1
      }
      const shown = { ...entry, requests: entry.requests.slice(0, requestsShownOfEntry), total: entry.requests.length }
      if (first.length < entriesShown / 2) first.push(shown)
      else rest.push(shown)
      if (rest.length > entriesShown / 2) rest.shift()
    }
  }
  return { head, facts, figures: figuresOf(facts), span, faults: bandsOf(facts, span.to), lanes, entries: [...first, ...rest] }
}
