/** What the documents of a recorded run have to be made of: a run's file comes from anywhere, and its content goes to screens. */
import * as v from 'valibot'
import { evidenceKinds, statementSchema } from '../../contract/evidence.ts'
import { faultRequestSchema } from '../../contract/faults.ts'
import { authenticationSchema, durabilitySchema, manifestSchema, parametersSchema, replicasMax } from '../../contract/manifest.ts'
import { monitorNames, requestStages } from '../../contract/model.ts'
import type { Alarm, CheckpointInfo, ClusterStatus, Evidence, LedgerRow, LogRequest, MonitorName } from '../../contract/model.ts'
import type { ReplicaState, ReplicaStatus, RequestInfo, Sample, ViewInfo } from '../../contract/model.ts'
import type { FaultBand } from '../../contract/timeline.ts'
import { defaultProtocolConfig } from '../../pbft/protocol/config.ts'
import { operationSchema, type OperationResult } from '../../contract/operations.ts'
import { errorCodes } from '../../contract/result.ts'
import { runInfoSchema } from '../../contract/runs.ts'
import { scenarioNameSchema, scenarioTextSchema, type ScenarioRun } from '../../contract/scenarios.ts'

const whole = (max = Number.MAX_SAFE_INTEGER) => v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(max))
const number = v.pipe(v.number(), v.finite())
const time = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(8.64e15))
const text = (max: number) => v.pipe(v.string(), v.maxLength(max))
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{0,128}$/))
const replica = whole(replicasMax - 1)
const list = <S extends v.GenericSchema>(schema: S, max: number) => v.pipe(v.array(schema), v.maxLength(max))
/** Names of fields that a record may have: none that an object has from the start. */
const fieldName = v.pipe(v.string(), v.regex(/^(?!__proto__$)[A-Za-z0-9_.-]{1,64}$/))
const parameters = v.record(fieldName, v.union([number, text(4_096)]))
const byReplica = <S extends v.GenericSchema>(schema: S) => v.record(v.pipe(v.string(), v.regex(/^\d{1,2}$/)), schema)
const key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9.-]{1,80}$/))
const span = v.nullable(v.strictObject({ first: whole(), last: whole() }))

const resultSchema = v.union([
  v.strictObject({ ok: v.literal(true), value: v.nullable(v.union([v.string(), number])) }),
  v.strictObject({ ok: v.literal(false), error: text(64), value: v.optional(v.nullable(v.union([v.string(), number]))) }),
]) as v.GenericSchema<unknown, OperationResult>
const decodedSchema = v.union([operationSchema, v.strictObject({ type: v.literal('unknown'), hex: v.string() })])

const logRequestSchema: v.GenericSchema<unknown, LogRequest> = v.strictObject({
  client: text(256),
  timestamp: number,
  operation: decodedSchema,
  result: v.nullable(resultSchema),
})
const ledgerRowSchema: v.GenericSchema<unknown, LedgerRow> = v.strictObject({
  replica,
  view: whole(),
  digest,
  prePreparedAt: v.nullable(number),
  preparedAt: v.nullable(number),
  committedAt: v.nullable(number),
  executedAt: v.nullable(number),
  transferred: v.boolean(),
})
/** One entry of the log, with who got how far. */
export const entrySchema = v.strictObject({
  seq: v.pipe(whole(), v.minValue(1)),
  view: whole(),
  digest,
  timeMs: number,
  requests: list(logRequestSchema, 65_536),
  rows: list(ledgerRowSchema, replicasMax),
})

const viewSchema: v.GenericSchema<unknown, ViewInfo> = v.strictObject({
  view: whole(),
  primary: replica,
  began: v.nullable(number),
  started: v.nullable(number),
  reason: text(4_096),
  reasonKey: key,
  reasonParameters: parameters,
  votes: list(
    v.strictObject({
      replica,
      at: number,
      reason: v.nullable(text(256)),
      stableSeq: v.nullable(whole()),
      checkpoints: v.nullable(whole()),
      prepared: v.nullable(whole()),
      prePrepared: v.nullable(whole()),
      preparedSpan: span,
      prePreparedSpan: span,
    }),
    replicasMax,
  ),
  start: v.nullable(v.strictObject({ seq: whole(), digest })),
  chosen: v.nullable(whole()),
  nulls: v.nullable(whole()),
  chosenSpan: span,
  nullSeqs: list(whole(), 100),
  outageMs: v.nullable(number),
  entered: list(replica, replicasMax),
})
const checkpointSchema: v.GenericSchema<unknown, CheckpointInfo> = v.strictObject({
  seq: whole(),
  stable: v.boolean(),
  digests: byReplica(digest),
  digestsAt: byReplica(number),
  at: number,
  stableAt: byReplica(number),
  bytes: v.nullable(number),
  diverged: v.boolean(),
})
const requestSchema: v.GenericSchema<unknown, RequestInfo> = v.strictObject({
  id: text(64),
  client: text(256),
  timestamp: number,
  operation: decodedSchema,
  stages: list(
    v.strictObject({
      stage: v.picklist(requestStages),
      at: number,
      detail: v.nullable(text(4_096)),
    }),
    64,
  ),
  resends: whole(),
  repliers: list(replica, replicasMax),
  repliesNeeded: whole(replicasMax),
  outcome: v.variant('state', [
    v.strictObject({ state: v.literal('pending') }),
    v.strictObject({ state: v.literal('completed'), result: resultSchema, view: whole(), seq: whole(), latencyMs: number }),
    v.strictObject({ state: v.literal('failed'), code: v.picklist(errorCodes), message: text(4_096) }),
  ]),
})
const alarmSchema: v.GenericSchema<unknown, Alarm> = v.strictObject({
  id: text(64),
  at: time,
  severity: v.picklist(['info', 'warning', 'critical']),
  key,
  parameters,
  sentence: text(8_192),
})
const evidenceSchema: v.GenericSchema<unknown, Evidence> = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9-]{1,128}$/)),
  kind: v.picklist(evidenceKinds),
  signer: replica,
  view: v.nullable(whole()),
  seq: v.nullable(whole()),
  first: statementSchema,
  second: statementSchema,
  at: time,
  seenBy: list(replica, replicasMax),
})
const sampleSchema: v.GenericSchema<unknown, Sample> = v.strictObject({
  at: time,
  requests: whole(),
  p50Ms: v.nullable(number),
  p95Ms: v.nullable(number),
  p99Ms: v.nullable(number),
  view: v.nullable(whole()),
  faults: whole(),
})
const faultSchema = v.strictObject({
  id: text(64),
  what: v.picklist(['injected', 'healed', 'expired']),
  /** Of `faultSentences`, and what fills it. */
  key,
  parameters,
  at: time,
})
export type RecordedFault = v.InferOutput<typeof faultSchema>

/** A file of an earlier version does not name the parameters that came since: they have their defaults. */
const recordedParameters = v.pipe(
  v.record(fieldName, v.union([v.number(), v.boolean()])),
  v.transform((given) => ({ ...defaultProtocolConfig, ...given })),
  parametersSchema,
)
const recordedManifest = v.pipe(v.looseObject({ parameters: recordedParameters }), manifestSchema)

const activeFaultSchema = v.strictObject({
  id: text(64),
  fault: faultRequestSchema,
  since: time,
  expires: v.nullable(time),
  pending: list(replica, replicasMax),
})
const bandSchema: v.GenericSchema<unknown, FaultBand> = v.strictObject({ fault: activeFaultSchema, until: v.nullable(time) })

const maybe = v.nullable(number)
const replicaStates: Readonly<Record<ReplicaState, ReplicaState>> = {
  ...{ starting: 'starting', live: 'live', stale: 'stale', unreachable: 'unreachable', isolated: 'isolated', paused: 'paused' },
  ...{ stopped: 'stopped', recovering: 'recovering', faulty: 'faulty', diverged: 'diverged' },
}
const replicaStatusSchema: v.GenericSchema<unknown, ReplicaStatus> = v.strictObject({
  id: replica,
  state: v.enum(replicaStates),
  ...{ local: v.boolean(), pid: maybe, host: text(253), port: whole(65_535), publicKey: digest, heardAt: maybe },
  ...{ allowsFaults: v.boolean(), view: maybe, active: v.boolean(), isPrimary: v.boolean() },
  ...{ lastExecuted: maybe, lowWatermark: maybe, highWatermark: maybe, stateDigest: v.nullable(digest), stateDigestSeq: maybe },
  ...{ pending: number, inFlight: number, viewTimeoutMs: maybe, viewTimerLeftMs: maybe },
  probation: v.nullable(v.strictObject({ until: maybe, heard: number, needed: number })),
  transfer: v.nullable(
    v.strictObject({
      seq: number,
      verified: number,
      rejected: number,
      remaining: number,
      sources: v.array(number),
      runningMs: number,
    }),
  ),
  ...{ peersHeard: list(replica, replicasMax), clients: number, requestsPerSecond: number, batchSizeMean: number, cpu: number },
  ...{ memoryBytes: number, diskBytes: number, clockOffsetMs: number, eventsDropped: number, rejections: v.record(fieldName, number) },
  exit: v.nullable(v.strictObject({ code: maybe, signal: v.nullable(text(32)), at: number, message: v.nullable(text(8_192)) })),
})
const statusSchema: v.GenericSchema<unknown, ClusterStatus> = v.strictObject({
  ...{ name: text(120), clusterId: digest, folder: text(4_096), durability: durabilitySchema, authentication: authenticationSchema },
  parameters: recordedParameters,
  verdict: v.strictObject({
    state: v.picklist(['healthy', 'degraded', 'stuck', 'stopped', 'unknown']),
    ...{ sentence: text(8_192), key, parameters, since: number },
    basis: v.strictObject({ replicas: list(replica, replicasMax), seq: maybe, view: maybe }),
  }),
  ...{ n: whole(replicasMax), f: whole(replicasMax), quorum: whole(replicasMax), view: maybe, primary: maybe, toleratesMore: number },
  ...{ lastExecuted: whole(), lastCommittedAt: maybe, requestsPerSecond: number },
  replicas: list(replicaStatusSchema, replicasMax),
  faults: list(activeFaultSchema, 400),
  monitors: list(
    v.strictObject({
      name: v.picklist(monitorNames),
      state: v.picklist(['holds', 'violated', 'unknown']),
      ...{ key, parameters, detail: text(8_192), since: number },
    }),
    monitorNames.length,
  ),
  at: time,
})

/** The kinds of documents in a journal, as they lie there. */
export const documentSchemas = {
  view: viewSchema,
  checkpoint: checkpointSchema,
  request: requestSchema,
  alarm: alarmSchema,
  evidence: evidenceSchema,
  fault: faultSchema,
  sample: sampleSchema,
  /** For the time bar: the cluster's status from time to time, and the faults in force. */
  status: statusSchema,
  band: bandSchema,
} as const
export type DocumentKind = keyof typeof documentSchemas
export type DocumentOf<K extends DocumentKind> = v.InferOutput<(typeof documentSchemas)[K]>
export const documentKinds = Object.keys(documentSchemas) as DocumentKind[]

const observationSchema = v.strictObject({ key, parameters, sentence: text(8_192), holds: v.boolean() })
const scenarioRunSchema: v.GenericSchema<unknown, ScenarioRun> = v.strictObject({
  id: text(64),
  name: scenarioNameSchema,
  title: scenarioTextSchema,
  summary: scenarioTextSchema,
  state: v.picklist(['running', 'waiting', 'finished', 'stopped']),
  stepwise: v.boolean(),
  current: number,
  steps: list(
    v.strictObject({
      title: scenarioTextSchema,
      say: v.nullable(scenarioTextSchema),
      expect: scenarioTextSchema,
      phase: v.picklist(['pending', 'expecting', 'acting', 'checking', 'held', 'failed', 'not-reached']),
      observations: list(observationSchema, 200),
      startedAt: v.nullable(time),
      endedAt: v.nullable(time),
    }),
    100,
  ),
  verdicts: v.nullable(
    v.strictObject({
      agreement: text(32),
      'no-gaps': text(32),
      'exactly-once': text(32),
      'digests-equal': text(32),
      progress: text(32),
    } satisfies Record<MonitorName, unknown>),
  ),
  holds: v.nullable(v.boolean()),
  startedAt: time,
  endedAt: v.nullable(time),
})

/** What is known of a run beside its journal and recordings: the head of its file. */
export const runHeadSchema = v.strictObject({
  info: runInfoSchema,
  manifest: recordedManifest,
  /** How far each replica's clock was ahead of the host's, ms, by id. */
  offsets: list(number, replicasMax),
  scenario: v.nullable(scenarioRunSchema),
})
export type RunHead = v.InferOutput<typeof runHeadSchema>

/** A run of this panel, as its record lies in the data folder. */
export const runRecordSchema = v.strictObject({
  format: v.literal(1),
  head: runHeadSchema,
  /** Where its journal and the replicas' recordings are; null: beside the record. */
  place: v.nullable(v.strictObject({ journal: text(4_096), replicas: list(text(4_096), replicasMax) })),
  /** Its log goes on after this seq, up to `upto` (null: to the end). */
  after: whole(),
  upto: v.nullable(whole()),
})
export type RunRecord = v.InferOutput<typeof runRecordSchema>
