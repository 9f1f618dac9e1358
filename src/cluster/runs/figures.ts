/** The figures of a run, from what its journal holds. Pure. */
import type { RunFigures } from '../../contract/runs.ts'
import type { DocumentKind, DocumentOf } from './schemas.ts'

export interface RunFacts {
  readonly log: { readonly first: number; readonly last: number; readonly batches: number; readonly requests: number }
  readonly documents: { readonly [K in Exclude<DocumentKind, 'status' | 'band'>]: readonly DocumentOf<K>[] }
}

export const noFigures: RunFigures = {
  ...{ first: 0, last: 0, batches: 0, requests: 0, faults: 0, violations: 0, viewChanges: 0, checkpoints: 0, evidence: 0 },
  ...{ peakPerSecond: 0, longestOutageMs: null, p50Ms: null, p99Ms: null },
}

const known = (values: readonly (number | null)[]): number[] => values.filter((value): value is number => value !== null)
const largest = (values: readonly number[]): number | null => (values.length === 0 ? null : values.reduce((a, b) => Math.max(a, b)))

const median = (values: readonly number[]): number | null => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null
}

export const figuresOf = ({ log, documents }: RunFacts): RunFigures => {
  const { sample, alarm, fault, view, checkpoint, evidence } = documents
  return {
    ...log,
    faults: fault.filter(({ what }) => what === 'injected').length,
    violations: alarm.filter(({ key }) => key === 'alarm.monitor.violated').length,
    viewChanges: view.filter(({ view: number, began }) => number > 0 && began !== null).length,
    checkpoints: checkpoint.length,
    evidence: evidence.length,
    peakPerSecond: largest(sample.map(({ requests }) => requests)) ?? 0,
    longestOutageMs: largest(known(view.map(({ outageMs }) => outageMs))),
    p50Ms: median(known(sample.map(({ p50Ms }) => p50Ms))),
    p99Ms: largest(known(sample.map(({ p99Ms }) => p99Ms))),
  }
}
