/** What the bench measures, and which of it is set against what. */
import type { Authentication, Durability } from '../../contract/manifest.ts'

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
  /** Kill the primary (SIGKILL) after the first second of the measured window. */
  readonly killPrimary: boolean
}

export interface BenchCase {
  readonly name: string
  readonly settings: CaseSettings
  /** This case measures longer than the others, ms; null: as long as they. */
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
  killPrimary: false,
}

/** From this many clients on their requests queue for longer than the usual wait; sending again would only add to the load. */
const crowd = 400
const crowdRetryMs = 5_000

const nameOf = (settings: CaseSettings): string => {
  const { system, operation, clients, durability, authentication, replicas, killPrimary } = settings
  if (system !== 'pbft') return `${system}-${operation}-${clients}`
  const more = `${replicas === 4 ? '' : `-n${replicas}`}${killPrimary ? '-kill-primary' : ''}`
  return `${operation}-${clients}-${durability}-${authentication}${more}`
}

const makeCase = (changes: Partial<CaseSettings>, measureMs: number | null = null): BenchCase => {
  const settings = { ...base, ...changes }
  const patient = settings.clients >= crowd ? { ...settings, retryMs: crowdRetryMs, retryMaxMs: crowdRetryMs } : settings
  return { name: nameOf(settings), settings: patient, measureMs }
}

const clientCounts = [1, 16, 64, 400, 1_600] as const
const durabilities = ['full', 'process', 'none'] as const

/** Every case of our own engine, in the order in which a round runs them. */
export const benchCases: readonly BenchCase[] = (['signature', 'mac'] as const).flatMap((authentication) => [
  ...durabilities.flatMap((durability) => clientCounts.map((clients) => makeCase({ authentication, durability, clients }))),
  makeCase({ authentication, operation: 'get', clients: 1 }),
  makeCase({ authentication, operation: 'get', clients: 64 }),
  makeCase({ authentication, clients: 64, replicas: 7 }),
  makeCase({ authentication, clients: 8, killPrimary: true }, 8_000),
])

/** Three nodes of etcd, with fsync. */
export const etcdCases: readonly BenchCase[] = clientCounts.map((clients) =>
  makeCase({ system: 'etcd', replicas: 3, authentication: 'none', clients }),
)

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
