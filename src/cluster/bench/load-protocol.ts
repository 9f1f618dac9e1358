/** What the bench tells its load process, and what that answers. */
import * as v from 'valibot'

const whole = v.pipe(v.number(), v.integer(), v.minValue(0))

/** The load process's one argument, as JSON. */
export const loadSettingsSchema = v.strictObject({
  target: v.variant('kind', [
    v.strictObject({ kind: v.literal('pbft'), manifestFile: v.string() }),
    /** Base URLs of an etcd cluster's members. */
    v.strictObject({ kind: v.literal('etcd'), urls: v.array(v.string()) }),
  ]),
  /** Each has one request outstanding and sends the next when its answer has come. */
  clients: v.pipe(whole, v.minValue(1), v.maxValue(100_000)),
  operation: v.picklist(['put', 'get']),
  valueBytes: whole,
  /** How many different keys the clients write to, in turn. */
  keys: v.pipe(whole, v.minValue(1)),
  /** First and longest wait before a request goes out again, to all replicas, ms. */
  retryMs: v.pipe(whole, v.minValue(1)),
  retryMaxMs: v.pipe(whole, v.minValue(1)),
  warmUpMs: whole,
  measureMs: v.pipe(whole, v.minValue(1)),
})
export type LoadSettings = v.InferOutput<typeof loadSettingsSchema>

/** Figures of the measured window. */
export interface LoadFigures {
  readonly completed: number
  /** Answered with an error, or with something that is no answer. */
  readonly wrong: number
  /** Requests that went out again because no answer came in time. */
  readonly resent: number
  readonly seconds: number
  readonly p50Ms: number | null
  readonly p99Ms: number | null
  readonly maxMs: number
  /** Longest time without any completion in the window, its ends included, ms. */
  readonly longestGapMs: number
  /** Time since the last completion when the window ended, ms. */
  readonly silentAtEndMs: number
  /** Mean requests of a batch; null when it cannot be told. */
  readonly requestsPerBatch: number | null
  /** The view of the last answer. */
  readonly view: number
}

export type FromLoad =
  /** Connected to every node: clients begin. */
  | { readonly type: 'connected' }
  /** Warm-up is over: the window begins now. */
  | { readonly type: 'measuring'; readonly view: number; readonly completed: number }
  | { readonly type: 'done'; readonly figures: LoadFigures }
