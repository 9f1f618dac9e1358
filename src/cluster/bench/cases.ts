/** What the bench measures, and which of it is set against what. */
import { behaviourNames, type BehaviourName } from '../../contract/faults.ts'
import type { Authentication, Durability } from '../../contract/manifest.ts'

/** What happens to the cluster while it is measured. */
export type Disturbance =
  /** The primary is killed (SIGKILL) one second into the measured window. */
  | { readonly kind: 'kill-primary' }
  /** A backup is stopped (SIGSTOP) before the warm-up. */
  | { readonly kind: 'stop-backup' }
  /** The first primary misbehaves with its real keys from before the warm-up on. */
  | { readonly kind: 'byzantine'; readonly behaviour: BehaviourName }

export interface CaseSettings {
  readonly system: 'pbft' | 'etcd'
  readonly replicas: number
  readonly durability: Durability
  readonly authentication: Authentication | 'none'
  readonly clients: number
  readonly operation: 'put' | 'get'
  readonly valueBytes: number
  readonly keys: number
  /** First and longest wait of a client before it sends again, ms. */
  readonly retryMs: number
  readonly retryMaxMs: number
  readonly disturbance: Disturbance | null
  /** Whether the replicas record the run; null: as they usually do. */
  readonly recording: boolean | null
}

export interface BenchCase {
  readonly name: string
  readonly settings: CaseSettings
  /** This case warms up, or measures, longer than the others, ms; null: as long as they. */
  readonly warmUpMs: number | null
  readonly measureMs: number | null
}

/** One figure over another, measured in turn. */
export interface Comparison {
  readonly name: string
  readonly of: string
  readonly to: string
}

const base: CaseSettings = {
  system: 'pbft',
  replicas: 4,
  durability: 'full',
  authentication: 'signature',
  clients: 1,
  operation: 'put',
  valueBytes: 100,
  keys: 1_000,
  retryMs: 200,
  retryMaxMs: 2_000,
  disturbance: null,
  recording: null,
}

/** From this many clients on their requests queue for longer than the usual wait; sending again would only add to the load. */
const crowd = 400
const crowdRetryMs = 5_000

/**
 * Code is slow until it has run some thousand times. Alone a client makes few operations a second; a crowd makes many, but in few batches.
 * After 2.5 s an operation of 1,600 clients still cost 1.5 to 2.5 times the CPU that it costs after 8 s (`none`, `mac`).
 */
const longWarmUpMs = 8_000

const suffixOf = (disturbance: Disturbance): string =>
  disturbance.kind === 'byzantine' ? `byzantine-${disturbance.behaviour}` : disturbance.kind

const nameOf = (settings: CaseSettings): string => {
  const { system, operation, clients, durability, authentication, replicas, disturbance } = settings
  if (system !== 'pbft') return `${system}-${operation}-${clients}`
  const more = `${replicas === 4 ? '' : `-n${replicas}`}${disturbance === null ? '' : `-${suffixOf(disturbance)}`}`
  const recording = settings.recording === null ? '' : `recording-${settings.recording ? 'on' : 'off'}-`
  return `${recording}${operation}-${clients}-${durability}-${authentication}${more}`
}

const makeCase = (changes: Partial<CaseSettings>, times: Partial<Pick<BenchCase, 'warmUpMs' | 'measureMs'>> = {}): BenchCase => {
  const settings = { ...base, ...changes }
  const patient = settings.clients >= crowd ? { ...settings, retryMs: crowdRetryMs, retryMaxMs: crowdRetryMs } : settings
  const warmUpMs = settings.clients === 1 || settings.clients >= crowd ? longWarmUpMs : null
  return { name: nameOf(settings), settings: patient, warmUpMs, measureMs: null, ...times }
}

const clientCounts = [1, 16, 64, 400, 1_600] as const
const durabilities = ['full', 'process', 'none'] as const
/** Long enough for the view change that a misbehaving primary causes. */
const disturbedWarmUpMs = 4_000
const disturbedClients = 64

const scalingCases = [10, 13].map((replicas) => makeCase({ authentication: 'mac', clients: 64, replicas }))

const disturbedCases = [
  { kind: 'stop-backup' } as const,
  ...behaviourNames.map((behaviour) => ({ kind: 'byzantine', behaviour }) as const),
].map((disturbance) => makeCase({ authentication: 'mac', clients: disturbedClients, disturbance }, { warmUpMs: disturbedWarmUpMs }))

/**
 * What recording costs: where the disk bounds the run, and where only the processor does. In turns, so that both sides share the machine's
 * moods; and long, since a seventh of a replica's CPU is the compiler's for its first 60,000 operations, of more code where there is a recorder.
 */
const recordingTimes = { warmUpMs: 8_000, measureMs: 4_000 }
const recordingCases = (['full', 'none'] as const).flatMap((durability) =>
  [true, false].map((recording) => makeCase({ authentication: 'mac', clients: 64, durability, recording }, recordingTimes)),
)

/** Every case of our own engine, in the order in which a round runs them. */
export const benchCases: readonly BenchCase[] = (['signature', 'mac'] as const).flatMap((authentication) => [
  ...durabilities.flatMap((durability) => clientCounts.map((clients) => makeCase({ authentication, durability, clients }))),
  makeCase({ authentication, operation: 'get', clients: 1 }),
  makeCase({ authentication, operation: 'get', clients: 64 }),
  makeCase({ authentication, clients: 64, replicas: 7 }),
  makeCase({ authentication, clients: 8, disturbance: { kind: 'kill-primary' } }, { measureMs: 8_000 }),
  ...(authentication === 'mac' ? [...scalingCases, ...disturbedCases, ...recordingCases] : []),
])

/** Three nodes of etcd, with fsync. */
export const etcdCases: readonly BenchCase[] = clientCounts.map((clients) =>
  makeCase({ system: 'etcd', replicas: 3, authentication: 'none', clients }),
)

const faultFree = `put-${disturbedClients}-full-mac`

const moreComparisons: readonly Comparison[] = [
  ...(['full', 'none'] as const).map((durability) => ({
    name: `with recording over without, 64 clients, ${durability}, mac`,
    of: `recording-on-put-64-${durability}-mac`,
    to: `recording-off-put-64-${durability}-mac`,
  })),
  ...[10, 13].map((replicas) => ({ name: `${replicas} replicas over 4, mac`, of: `${faultFree}-n${replicas}`, to: faultFree })),
  ...disturbedCases.map(({ name, settings }) => ({
    name: `${settings.disturbance === null ? '' : suffixOf(settings.disturbance)} over fault-free`,
    of: name,
    to: faultFree,
  })),
]

/** All comparisons that make sense; those of which a side was not measured are left out of the answer. */
export const comparisons: readonly Comparison[] = [
  ...(['signature', 'mac'] as const).flatMap((authentication) => [
    ...clientCounts.map((clients) => ({
      name: `fsync costs, ${clients} clients, ${authentication}`,
      of: `put-${clients}-full-${authentication}`,
      to: `put-${clients}-none-${authentication}`,
    })),
    ...durabilities.map((durability) => ({
      name: `64 clients over 1, ${durability}, ${authentication}`,
      of: `put-64-${durability}-${authentication}`,
      to: `put-1-${durability}-${authentication}`,
    })),
    { name: `7 replicas over 4, ${authentication}`, of: `put-64-full-${authentication}-n7`, to: `put-64-full-${authentication}` },
    ...(authentication === 'mac' ? moreComparisons : []),
    { name: `reads over writes, 1 client, ${authentication}`, of: `get-1-full-${authentication}`, to: `put-1-full-${authentication}` },
  ]),
  ...clientCounts.flatMap((clients) =>
    (['signature', 'mac'] as const).map((authentication) => ({
      name: `against etcd, ${clients} clients, ${authentication}`,
      of: `put-${clients}-full-${authentication}`,
      to: `etcd-put-${clients}`,
    })),
  ),
]

/** Cases by name or by the beginning of a name. The words that fit none are `unknown`. */
export const selectCases = (
  all: readonly BenchCase[],
  words: readonly string[],
): { readonly cases: readonly BenchCase[]; readonly unknown: readonly string[] } => {
  const fits = (name: string, word: string): boolean => name === word || name.startsWith(`${word}-`)
  const exact = new Set(all.map(({ name }) => name))
  const isChosen = (name: string): boolean => words.some((word) => (exact.has(word) ? name === word : fits(name, word)))
  return {
    cases: words.length === 0 ? all : all.filter(({ name }) => isChosen(name)),
    unknown: words.filter((word) => !all.some(({ name }) => fits(name, word))),
  }
}
