/**
 * Scenarios: files of narrated steps that say what is expected, act, and then look whether it came so; and the run of one as screens
 * show it. The format is described in docs/scenarios.md.
 */
import * as v from 'valibot'
import type { FaultType } from './faults.ts'
import { authenticationSchema, durabilitySchema, parametersSchema, replicasMax } from './manifest.ts'
import { monitorNames, replicaActions, type MonitorName, type ReplicaState, type VerdictState } from './model.ts'
import { operationSchema } from './operations.ts'

/** Largest file of a scenario, bytes. */
export const scenarioBytesMax = 262_144

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max))
const words = v.pipe(v.string(), v.minLength(1), v.maxLength(2_000))
/** What is told in more than one language; English is what the command line says. */
export const scenarioTextSchema = v.strictObject({ en: words, 'zh-CN': v.optional(words) })
export type ScenarioText = v.InferOutput<typeof scenarioTextSchema>

export const scenarioNameSchema = v.pipe(v.string(), v.regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower-case letters, digits and dashes'))
const label = v.pipe(v.string(), v.regex(/^[a-z][a-z0-9-]{0,31}$/, 'a name of lower-case letters, digits and dashes'))

/**
 * Which replica: its id, `primary`, `backup-K` (the K-th after the primary; `backup-1` is the next primary), both as of the moment of the act
 * or check, or `@NAME`, remembered by an earlier act.
 */
const replicaRef = v.union(
  [whole(0, replicasMax - 1), v.pipe(v.string(), v.regex(/^(primary|backup-[1-9]\d?|@[a-z][a-z0-9-]{0,31})$/))],
  'an id, "primary", "backup-K" or "@NAME"',
)
export type ReplicaRef = v.InferOutput<typeof replicaRef>

/** Milliseconds that an act or a check may take; at most ten minutes. */
const patience = whole(1, 600_000)

/** `satisfies` keeps these lists complete: a new state or fault fails to compile until it is named here. */
const states = {
  starting: 0,
  live: 0,
  stale: 0,
  unreachable: 0,
  isolated: 0,
  paused: 0,
  stopped: 0,
  recovering: 0,
  faulty: 0,
  diverged: 0,
} satisfies Record<ReplicaState, 0>
const verdictStates = { healthy: 0, degraded: 0, stuck: 0, stopped: 0, unknown: 0 } satisfies Record<VerdictState, 0>
const faultTypes = {
  isolate: 0,
  cut: 0,
  delay: 0,
  loss: 0,
  duplicate: 0,
  reorder: 0,
  corrupt: 0,
  partition: 0,
  pause: 0,
  byzantine: 0,
} satisfies Record<FaultType, 0>
const keysOf = <K extends string>(record: Readonly<Record<K, 0>>): K[] => Object.keys(record) as K[]

const actSchema = v.variant('act', [
  v.strictObject({ act: v.literal('remember'), as: label, replica: replicaRef }),
  /** Remembers view, last executed sequence number and counters, for checks that compare. */
  v.strictObject({ act: v.literal('mark'), as: label }),
  /** Submits the operation `times` times, one after another; at once when no answer is expected. */
  v.strictObject({
    act: v.literal('submit'),
    as: label,
    operation: operationSchema,
    times: v.optional(whole(1, 10_000), 1),
    timeoutMs: v.optional(patience, 10_000),
    /** false: the step goes on when none came in time; the check says what was to come. */
    answered: v.optional(v.boolean(), true),
  }),
  v.strictObject({ act: v.literal('load'), clients: whole(1, 1_000), durationMs: patience }),
  /** A fault as `injectFault` takes it, with replicas named as above. */
  v.strictObject({ act: v.literal('inject'), as: v.optional(label), fault: v.looseObject({ type: v.picklist(keysOf(faultTypes)) }) }),
  v.strictObject({ act: v.literal('heal'), as: label }),
  v.strictObject({ act: v.literal('heal-all') }),
  v.strictObject({
    act: v.literal('replica'),
    replica: v.union([v.literal('all'), replicaRef]),
    action: v.picklist(replicaActions),
  }),
])
export type ScenarioAct = v.InferOutput<typeof actSchema>

/** A mark, or `start` (of the scenario) and `step` (the present one's). */
const since = v.optional(label, 'step')
/** How long it has to stay so, ms; 0: that it is so once is enough. */
const forMs = v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(60_000)), 0)

const checkSchema = v.variant('check', [
  v.strictObject({ check: v.literal('state'), replica: v.union([v.literal('all'), replicaRef]), is: v.array(v.picklist(keysOf(states))) }),
  v.strictObject({ check: v.literal('verdict'), is: v.array(v.picklist(keysOf(verdictStates))), forMs }),
  v.strictObject({ check: v.literal('view'), since, is: v.picklist(['higher', 'same']), forMs }),
  /** The present view began for one of these reasons (keys of `viewReasonSentences` without `view.reason.`). */
  v.strictObject({ check: v.literal('view-reason'), is: v.array(v.string()) }),
  v.strictObject({ check: v.literal('executed'), since, is: v.picklist(['higher', 'same']), forMs }),
  v.strictObject({ check: v.literal('answered'), as: label, is: v.picklist(['all', 'none']) }),
  /** The replicas (all when not given) have executed as far as each other and have one state. */
  v.strictObject({ check: v.literal('agreed'), replicas: v.optional(v.array(replicaRef)) }),
  /** The log has no gap, every answered request of the run exactly once, and every entry is executed at the replicas (all when not given). */
  v.strictObject({ check: v.literal('log'), replicas: v.optional(v.array(replicaRef)) }),
  /** The last answer of the group is this value. */
  v.strictObject({ check: v.literal('result'), as: label, value: v.union([v.string(), v.number(), v.null()]) }),
  v.strictObject({ check: v.literal('monitors'), is: v.literal('not-violated') }),
  /** What the replicas refused under these reasons since the mark; together at least so many. */
  v.strictObject({
    check: v.literal('refused'),
    since,
    reasons: v.pipe(v.array(v.string()), v.minLength(1)),
    atLeast: v.optional(whole(1, 1e9), 1),
  }),
  /** An alarm came since the step began (keys of `alarmSentences` without `alarm.`). */
  v.strictObject({ check: v.literal('alarm'), is: v.array(v.string()) }),
  v.strictObject({ check: v.literal('faults'), count: whole(0, 200) }),
  /** A checkpoint with two different digests is shown. */
  v.strictObject({ check: v.literal('divergence') }),
])
export type ScenarioCheck = v.InferOutput<typeof checkSchema>

const stepSchema = v.strictObject({
  title: scenarioTextSchema,
  /** What the presenter says; why this is done and what it means. */
  say: v.optional(scenarioTextSchema),
  expect: scenarioTextSchema,
  acts: v.optional(v.pipe(v.array(actSchema), v.maxLength(50)), []),
  checks: v.pipe(v.array(checkSchema), v.minLength(1), v.maxLength(50)),
  /** How long the checks together may take to come true, ms. */
  withinMs: v.optional(patience, 20_000),
})
export type ScenarioStep = v.InferOutput<typeof stepSchema>

export const scenarioSchema = v.strictObject({
  format: v.literal(1),
  name: scenarioNameSchema,
  title: scenarioTextSchema,
  summary: scenarioTextSchema,
  /** Fewest replicas that it makes sense with. */
  replicasMin: v.optional(whole(1, replicasMax), 4),
  /** Safety monitors that the scenario makes go off on purpose; every other one must not. */
  violates: v.optional(v.array(v.picklist(monitorNames)), []),
  /** What a cluster made for it is made with; one that is open already stays as it is. */
  cluster: v.optional(
    v.strictObject({
      durability: v.optional(durabilitySchema, 'full'),
      authentication: v.optional(authenticationSchema, 'signature'),
      parameters: v.optional(v.partial(parametersSchema), {}),
    }),
    {},
  ),
  steps: v.pipe(v.array(stepSchema), v.minLength(1), v.maxLength(100)),
})
export type Scenario = v.InferOutput<typeof scenarioSchema>

/** A file of the library or of the user's own folder; `problem` says why it cannot be run. */
export interface ScenarioSummary {
  readonly name: string
  readonly file: string
  readonly source: 'library' | 'own'
  readonly title: ScenarioText
  readonly summary: ScenarioText
  readonly replicasMin: number
  readonly steps: number
  readonly problem: string | null
}

/** One thing that a check saw, as a message key with parameters (`scenario-sentences.ts`); `sentence` is it in English. */
export interface Observation {
  readonly key: string
  readonly parameters: Readonly<Record<string, string | number>>
  readonly sentence: string
  readonly holds: boolean
}

/** pending; expecting: the expectation is shown and the presenter has not gone on; then acting, checking, and how it came out. */
export type StepPhase = 'pending' | 'expecting' | 'acting' | 'checking' | 'held' | 'failed' | 'not-reached'

export interface ScenarioStepRun {
  readonly title: ScenarioText
  readonly say: ScenarioText | null
  readonly expect: ScenarioText
  readonly phase: StepPhase
  readonly observations: readonly Observation[]
  /** ms since the epoch. */
  readonly startedAt: number | null
  readonly endedAt: number | null
}

export interface ScenarioRun {
  readonly id: string
  readonly name: string
  readonly title: ScenarioText
  readonly summary: ScenarioText
  /** waiting: for the presenter to go on. */
  readonly state: 'running' | 'waiting' | 'finished' | 'stopped'
  /** Waits before each step and after each. */
  readonly stepwise: boolean
  readonly current: number
  readonly steps: readonly ScenarioStepRun[]
  /** Safety monitors at the end; null while it runs. */
  readonly verdicts: Readonly<Record<MonitorName, string>> | null
  /** null while it runs. */
  readonly holds: boolean | null
  readonly startedAt: number
  readonly endedAt: number | null
}
