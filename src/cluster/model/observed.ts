/** The rare events of a replica as the host reads them: validated by shape, unknown ones are left alone. */
import * as v from 'valibot'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const short = v.pipe(v.string(), v.maxLength(4_096))
const span = v.nullable(v.object({ first: whole, last: whole }))
const replicas = v.pipe(v.array(whole), v.maxLength(100))

const eventSchema = v.variant('type', [
  v.object({
    type: v.literal('view-change-started'),
    view: whole,
    reason: v.object({ kind: short, client: v.optional(short), detail: v.optional(short) }),
  }),
  v.object({
    type: v.literal('view-change-received'),
    view: whole,
    from: whole,
    stableSeq: whole,
    checkpoints: whole,
    prepared: whole,
    prePrepared: whole,
    preparedSpan: span,
    prePreparedSpan: span,
  }),
  v.object({
    type: v.literal('view-entered'),
    view: whole,
    primary: whole,
    start: v.object({ seq: whole, digest }),
    chosen: whole,
    nulls: whole,
    chosenSpan: span,
    nullSeqs: v.pipe(v.array(whole), v.maxLength(100)),
  }),
  v.object({ type: v.literal('checkpoint'), seq: whole, digest, bytes: whole }),
  v.object({ type: v.literal('checkpoint-received'), seq: whole, digest, from: whole }),
  v.object({ type: v.literal('stable'), seq: whole, digest, replicas }),
  v.object({
    type: v.literal('divergence'),
    seq: whole,
    own: v.nullable(digest),
    digests: v.pipe(v.array(v.object({ replica: whole, digest })), v.maxLength(100)),
  }),
  v.object({ type: v.literal('transfer'), state: v.picklist(['started', 'progress', 'completed', 'abandoned']), seq: whole }),
  v.object({
    type: v.literal('differed'),
    seq: whole,
    partition: whole,
    part: v.picklist(['store', 'accounts', 'total', 'replies', 'time']),
    keys: v.pipe(v.array(v.pipe(v.string(), v.maxLength(128))), v.maxLength(16)),
    keysOf: whole,
    count: whole,
    total: whole,
  }),
  v.object({ type: v.literal('disk-changed'), replica: whole }),
])
export type ObservedProtocolEvent = v.InferOutput<typeof eventSchema>

/** null: not one that the host shows, or not in its shape. */
export const readObserved = (event: unknown): ObservedProtocolEvent | null => {
  const parsed = v.safeParse(eventSchema, event)
  return parsed.success ? parsed.output : null
}
