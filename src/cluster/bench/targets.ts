/** What the engine has to reach on two cores that replicas and clients share (four replicas, puts of 100 bytes), and how far it is. */
import type { CaseResult, RatioResult } from './bench.ts'

interface Target {
  readonly name: string
  readonly target: number
  /** At most, instead of at least. */
  readonly isUpper: boolean
  /** What counts, and in which case; null when it was not measured. */
  measured(cases: readonly CaseResult[], ratios: readonly RatioResult[]): { readonly value: number; readonly from: string } | null
}

export interface TargetResult {
  readonly name: string
  /** Case or ratio that the figure is of. */
  readonly from: string
  readonly measured: number
  readonly target: number
  readonly isUpper: boolean
  /** `measured` over `target`. */
  readonly ratio: number
  readonly isMet: boolean
}

type Figure = 'opsPerSecond' | 'p50Ms' | 'longestGapMs' | 'rssMb'

/** The extreme of one figure over the cases that fit. */
const of =
  (figure: Figure, pick: 'highest' | 'lowest', fits: (one: CaseResult) => boolean): Target['measured'] =>
  (cases) => {
    const known = cases.flatMap((one) => (fits(one) && one[figure] !== null ? [{ value: one[figure], from: one.name }] : []))
    const ascending = known.sort((a, b) => a.value - b.value)
    return (pick === 'highest' ? ascending.at(-1) : ascending[0]) ?? null
  }

const isPut = ({ settings }: CaseResult): boolean =>
  settings.system === 'pbft' && settings.operation === 'put' && settings.replicas === 4 && settings.disturbance === null

const peak = (authentication: string, durability: string, target: number): Target => ({
  name: `peak ops/s, ${authentication}, ${durability}`,
  target,
  isUpper: false,
  measured: of(
    'opsPerSecond',
    'highest',
    (one) => isPut(one) && one.settings.authentication === authentication && one.settings.durability === durability,
  ),
})

const atMost = (name: string, target: number, caseName: string, figure: Figure): Target => ({
  name,
  target,
  isUpper: true,
  measured: of(figure, 'lowest', (one) => one.name === caseName),
})

/** The lowest of the ratios whose case begins so. */
const share = (name: string, target: number, prefix: string): Target => ({
  name,
  target,
  isUpper: false,
  measured(_cases, ratios) {
    const [lowest] = ratios.filter((ratio) => ratio.of.startsWith(prefix)).sort((a, b) => a.ratio - b.ratio)
    return lowest === undefined ? null : { value: lowest.ratio, from: lowest.of }
  },
})

const targets: readonly Target[] = [
  peak('mac', 'none', 30_000),
  peak('mac', 'full', 15_000),
  peak('signature', 'full', 4_500),
  atMost('one client, mac, none, p50 ms', 0.8, 'put-1-none-mac', 'p50Ms'),
  atMost('one client, mac, full, p50 ms, and the disk twice', 1.5, 'put-1-full-mac', 'p50Ms'),
  atMost('read, one client, p50 ms', 0.4, 'get-1-full-mac', 'p50Ms'),
  atMost('primary killed, 8 clients, longest gap ms', 1_000, 'put-8-full-mac-kill-primary', 'longestGapMs'),
  {
    name: 'memory of a replica, MiB',
    target: 200,
    isUpper: true,
    measured: of('rssMb', 'highest', isPut),
  },
  share('one backup stopped, share of fault-free', 0.8, 'put-64-full-mac-stop-backup'),
  share('worst Byzantine behaviour, share of fault-free', 0.5, 'put-64-full-mac-byzantine'),
]

/** The targets of which something was measured. */
export const judgeTargets = (cases: readonly CaseResult[], ratios: readonly RatioResult[]): TargetResult[] =>
  targets.flatMap(({ name, target, isUpper, measured }) => {
    const found = measured(cases, ratios)
    if (found === null) return []
    const isMet = isUpper ? found.value <= target : found.value >= target
    return [{ name, from: found.from, measured: found.value, target, isUpper, ratio: found.value / target, isMet }]
  })
