/**
 * The control link between a host (or the command line) and a replica: JSON messages inside the authenticated link's frames.
 * Both sides validate what comes in. Field names are the core's; ids and digests are plain numbers and hex strings here.
 */
import * as v from 'valibot'
import { statementSchema } from './evidence.ts'
import { transportFaultsSchema } from './faults.ts'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
const count = v.pipe(v.number(), v.minValue(0))
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const short = v.pipe(v.string(), v.maxLength(4_096))
const base64 = v.pipe(v.string(), v.maxLength(64 * 1_048_576))

/** Segments of a recording are numbered from 1 to this. */
const segmentMax = 2 ** 18 - 1
/** Bytes of a recording in one answer. */
export const recordedPieceBytes = 262_144

/** What the last line of a replica's log says when it ended because another process has its data folder. */
export const dataInUse = 'another process is using it'

/** Host to replica. Every call has an id and gets exactly one `answer`. */
export const controlCallSchema = v.variant('call', [
  /** Begins the push of `status` (4 a second) and `observed` (at most 20 a second). */
  v.strictObject({ id: whole, call: v.literal('observe') }),
  v.strictObject({ id: whole, call: v.literal('faults'), faults: transportFaultsSchema }),
  /** Committed history, ascending from the first seq greater than `after`; bounded by entries and about 4 MiB. */
  v.strictObject({ id: whole, call: v.literal('history'), after: whole, limit: v.pipe(whole, v.maxValue(1_000)) }),
  v.strictObject({ id: whole, call: v.literal('change-view') }),
  /** One byte of its state changes in memory. Refused as `bad-request` while there is no state. */
  v.strictObject({ id: whole, call: v.literal('corrupt') }),
  /** Evidence that the replica holds, but the first `after` pairs. */
  v.strictObject({ id: whole, call: v.literal('evidence'), after: whole }),
  /** What it wrote down of its runs, from byte `offset` of segment `segment` on: some 256 KiB at most. */
  v.strictObject({ id: whole, call: v.literal('recording'), segment: v.pipe(whole, v.maxValue(segmentMax)), offset: whole }),
  v.strictObject({ id: whole, call: v.literal('stop') }),
])
export type ControlCall = v.InferOutput<typeof controlCallSchema>

export const replicaReportSchema = v.strictObject({
  pid: whole,
  startedAt: count,
  allowsFaults: v.boolean(),
  view: whole,
  active: v.boolean(),
  primary: whole,
  lastExecuted: whole,
  lowWatermark: whole,
  highWatermark: whole,
  stableDigest: digest,
  stateDigest: digest,
  /** 0: the digest means nothing, as before the first batch and while the state is known to be damaged. */
  stateDigestSeq: whole,
  pending: whole,
  inFlight: whole,
  viewTimeoutMs: count,
  /** Until the view-change timer fires; null: it does not run. */
  viewTimerLeftMs: v.nullable(count),
  transferring: v.boolean(),
  /** Its partitions on disk were not those of their checkpoint, at `seq`, when it started. */
  damage: v.nullable(v.strictObject({ seq: whole, repaired: v.boolean() })),
  /** It has lost its disk and casts no votes until a checkpoint at `until` is stable here; null: not known yet. */
  probation: v.nullable(v.strictObject({ until: v.nullable(whole), heard: whole, needed: whole })),
  transfer: v.nullable(
    v.strictObject({ seq: whole, verified: whole, rejected: whole, remaining: whole, sources: v.array(whole), runningMs: whole }),
  ),
  peersConnected: v.pipe(v.array(whole), v.maxLength(100)),
  /** ids whose frames arrived in the last second. */
  peersHeard: v.pipe(v.array(whole), v.maxLength(100)),
  clients: whole,
  requestsExecuted: whole,
  batchesExecuted: whole,
  /** Range of the history that `history` can answer; 0 and 0 when empty. */
  historyFirst: whole,
  historyLast: whole,
  cpu: count,
  memoryBytes: whole,
  diskBytes: whole,
  eventsDropped: whole,
  /** Pairs of contradicting statements that it holds. */
  evidence: whole,
  /** What it wrote down of its runs: bytes held, when last (its clock, ms; 0: nothing), entries lost since the start. */
  recording: v.strictObject({ bytes: whole, lastAt: count, lost: whole }),
  rejections: v.record(v.string(), whole),
  faults: transportFaultsSchema,
  /** The replica's clock when it sent this, ms. */
  at: count,
})
export type ReplicaReport = v.InferOutput<typeof replicaReportSchema>

/** One seq at this replica; times are its own clock, ms; null when that phase was not reached (or not in this view). */
export const slotObservationSchema = v.strictObject({
  seq: whole,
  view: whole,
  digest,
  requests: whole,
  prePreparedAt: v.nullable(count),
  preparedAt: v.nullable(count),
  committedAt: v.nullable(count),
  executedAt: v.nullable(count),
})
export type SlotObservation = v.InferOutput<typeof slotObservationSchema>

/** Rare events go out one by one, as the core made them. */
export const observedEventSchema = v.strictObject({
  at: count,
  /** A `ProtocolEvent` other than `phase`, `request-received` and `rejected`; the host reads it by `type` and ignores others. */
  event: v.looseObject({ type: short }),
})
export type ObservedEvent = v.InferOutput<typeof observedEventSchema>

export const historyEntrySchema = v.strictObject({
  seq: whole,
  view: whole,
  digest,
  /** The batch's exact bytes, base64. */
  batch: base64,
  /** Results in the order of its requests, base64. */
  results: v.array(base64),
})
export type HistoryEntry = v.InferOutput<typeof historyEntrySchema>

/** Two statements of `signer` that contradict each other, as the replica says. */
export const evidencePairSchema = v.strictObject({
  signer: whole,
  first: statementSchema,
  second: statementSchema,
  /** The replica's clock when it held both, ms. */
  at: count,
})
export type EvidencePair = v.InferOutput<typeof evidencePairSchema>

/**
 * Bytes of a replica's recording and where they lie: at the place that was asked for, or at the beginning of a later segment when that one is
 * at its end or gone. `bytes` is base64, empty when there is nothing more. `last`: the segment that it writes now; 0: it records nothing.
 */
export const recordedPieceSchema = v.strictObject({
  segment: v.pipe(whole, v.maxValue(segmentMax)),
  offset: whole,
  bytes: v.pipe(v.string(), v.base64(), v.maxLength(Math.ceil(recordedPieceBytes / 3) * 4)),
  last: v.pipe(whole, v.maxValue(segmentMax)),
})
export type RecordedPiece = v.InferOutput<typeof recordedPieceSchema>

/** Replica to host. */
export const controlMessageSchema = v.variant('type', [
  v.strictObject({
    type: v.literal('answer'),
    id: whole,
    ok: v.literal(true),
    history: v.optional(v.array(historyEntrySchema)),
    evidence: v.optional(v.pipe(v.array(evidencePairSchema), v.maxLength(1_000))),
    recorded: v.optional(recordedPieceSchema),
  }),
  v.strictObject({
    type: v.literal('refused'),
    id: whole,
    code: v.picklist(['faults-not-allowed', 'bad-request', 'unsupported', 'internal']),
    message: short,
  }),
  v.strictObject({ type: v.literal('status'), report: replicaReportSchema }),
  v.strictObject({
    type: v.literal('observed'),
    slots: v.pipe(v.array(slotObservationSchema), v.maxLength(10_000)),
    events: v.pipe(v.array(observedEventSchema), v.maxLength(1_000)),
    dropped: whole,
  }),
])
export type ControlMessage = v.InferOutput<typeof controlMessageSchema>
