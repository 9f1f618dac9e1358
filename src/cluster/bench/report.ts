/** The bench's answer as a table for people. */
import { median, type BenchResult, type CaseResult, type RatioResult } from './bench.ts'
import type { Machine } from './machine.ts'
import type { TargetResult } from './targets.ts'

const whole = (value: number | null): string => (value === null ? '-' : Math.round(value).toLocaleString('en-US'))
const fixed = (value: number | null, digits: number): string => (value === null ? '-' : value.toFixed(digits))

const columns: readonly { readonly title: string; readonly cell: (result: CaseResult) => string }[] = [
  { title: 'case', cell: ({ name }) => name },
  { title: 'ops/s', cell: ({ opsPerSecond }) => whole(opsPerSecond) },
  { title: 'p50 ms', cell: ({ p50Ms }) => fixed(p50Ms, 2) },
  { title: 'p99 ms', cell: ({ p99Ms }) => fixed(p99Ms, 2) },
  { title: 'gap ms', cell: ({ longestGapMs }) => whole(longestGapMs) },
  { title: 'batch', cell: ({ requestsPerBatch }) => fixed(requestsPerBatch, 1) },
  { title: 'node MiB', cell: ({ rssMb }) => whole(rssMb) },
  { title: 'nodes cpu', cell: ({ nodesCpu }) => fixed(nodesCpu, 2) },
  { title: 'busiest', cell: ({ busiestCpu }) => fixed(busiestCpu, 2) },
  { title: 'load cpu', cell: ({ loadCpu }) => fixed(loadCpu, 2) },
  { title: 'node us/op', cell: ({ nodeUsPerOp }) => whole(nodeUsPerOp) },
  { title: 'load us/op', cell: ({ loadUsPerOp }) => whole(loadUsPerOp) },
  { title: 'ops/cpu-s', cell: ({ opsPerCpuSecond }) => whole(opsPerCpuSecond) },
  { title: 'others', cell: ({ othersCpu }) => fixed(othersCpu, 2) },
]

/** First column to the left, the others to the right. */
const align = (rows: readonly (readonly string[])[]): string[] => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
}

const machineLine = (machine: Machine): string =>
  `${machine.date}  ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; ${machine.system}; Node ${machine.node}; ` +
  `fdatasync ${machine.fsyncMs} ms; load average before ${machine.loadBefore.toFixed(2)}`

const ratioRow = ({ name, of, to, opsPerSecond, ratio, cpuRatio }: RatioResult): string[] => [
  name,
  ratio.toFixed(2),
  fixed(cpuRatio, 2),
  `${whole(opsPerSecond[0])} / ${whole(opsPerSecond[1])}`,
  `${of} / ${to}`,
]

const targetRow = ({ name, from, measured, target, isUpper, ratio, isMet }: TargetResult): string[] => [
  name,
  isMet ? 'met' : 'not met',
  ratio.toFixed(2),
  `${measured >= 100 ? whole(measured) : fixed(measured, 2)} / ${isUpper ? 'at most ' : ''}${target >= 100 ? whole(target) : String(target)}`,
  from,
]

/** From this many cores on what else ran has visibly cost operations per second. */
const noisyCores = 0.2

const noiseLines = (measured: readonly CaseResult[]): string[] => {
  const others = median(measured.map(({ othersCpu }) => othersCpu))
  if (others === null || others < noisyCores) return []
  return ['', `Other programs used ${others.toFixed(1)} cores meanwhile: ops/s and latency are lower bounds, ops/cpu-s says more.`]
}

/** The lines of the answer: machine, cases, ratios, targets, and what was not measured and why. */
export const reportLines = ({ machine, cases, ratios, targets }: BenchResult): string[] => {
  const measured = cases.filter(({ runs }) => runs.length > 0)
  const missing = cases.filter(({ problem }) => problem !== null)
  const table = [columns.map(({ title }) => title), ...measured.map((result) => columns.map(({ cell }) => cell(result)))]
  const ratioTable = [['ratio', 'of / to', 'by cpu', 'ops/s', 'cases'], ...ratios.map(ratioRow)]
  return [
    machineLine(machine),
    '',
    ...(measured.length > 0 ? align(table) : []),
    ...(ratios.length > 0 ? ['', ...align(ratioTable)] : []),
    ...(targets.length > 0 ? ['', ...align([['target', '', 'ratio', 'measured / target', 'case'], ...targets.map(targetRow)])] : []),
    ...noiseLines(measured),
    ...(missing.length > 0 ? [''] : []),
    ...missing.map(({ name, state, problem }) => `${name}: ${state === 'failed' ? 'failed' : 'not measured'}: ${problem ?? ''}`),
  ]
}
