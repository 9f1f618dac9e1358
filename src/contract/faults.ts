/** Faults that an operator injects. Issue by issue the list grows; a shell refuses what the engine does not do yet. */
import * as v from 'valibot'

const replica = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(99))
/** null: until healed. At most a day. */
const durationMs = v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(86_400_000))), null)
const probability = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(60_000))
/** One way from `from` to `to`; both ways when set. */
const bothWays = v.optional(v.boolean(), false)

/** What a Byzantine replica can be made to do; `pbft/faults` does it. */
export const behaviourNames = [
  'equivocate',
  'silent',
  'wrong-digest',
  'slow-primary',
  'stale-view-change',
  'lying-checkpoint',
  'replay',
  'forge',
  'starve',
  'spoil-macs',
  'invent',
] as const
const behaviour = v.picklist(behaviourNames)
export type BehaviourName = (typeof behaviourNames)[number]

export const faultRequestSchema = v.variant('type', [
  /** Cuts all links of a replica to its peers and clients, both ways; its control link stays. */
  v.strictObject({ type: v.literal('isolate'), replica, durationMs }),
  v.strictObject({ type: v.literal('cut'), from: replica, to: replica, bothWays, durationMs }),
  v.strictObject({
    type: v.literal('delay'),
    from: replica,
    to: replica,
    bothWays,
    delayMs: milliseconds,
    jitterMs: v.optional(milliseconds, 0),
    durationMs,
  }),
  v.strictObject({ type: v.literal('loss'), from: replica, to: replica, bothWays, probability, durationMs }),
  v.strictObject({ type: v.literal('duplicate'), from: replica, to: replica, bothWays, probability, durationMs }),
  v.strictObject({ type: v.literal('reorder'), from: replica, to: replica, bothWays, probability, durationMs }),
  v.strictObject({ type: v.literal('corrupt'), from: replica, to: replica, bothWays, probability, durationMs }),
  /** Replicas in different groups cannot hear each other; those that are in no group form one more group together. */
  v.strictObject({ type: v.literal('partition'), groups: v.pipe(v.array(v.array(replica)), v.minLength(1), v.maxLength(100)), durationMs }),
  /** SIGSTOP; SIGCONT on heal. Local replicas only. */
  v.strictObject({ type: v.literal('pause'), replica, durationMs }),
  /** It misbehaves with its real keys. `victim` is for `starve` only; null: the next replica. */
  v.strictObject({ type: v.literal('byzantine'), replica, behaviour, victim: v.optional(v.nullable(replica), null), durationMs }),
])
export type FaultRequest = v.InferOutput<typeof faultRequestSchema>
export type FaultType = FaultRequest['type']

export interface ActiveFault {
  readonly id: string
  readonly fault: FaultRequest
  /** ms since the epoch. */
  readonly since: number
  readonly expires: number | null
  /** Replicas that have not confirmed it yet (unreachable ones get it when they come back). */
  readonly pending: readonly number[]
}

/** What one replica applies to what it sends to and takes from one peer. All-zero is no fault. */
export const linkRuleSchema = v.strictObject({
  cut: v.boolean(),
  delayMs: milliseconds,
  jitterMs: milliseconds,
  loss: probability,
  duplicate: probability,
  reorder: probability,
  corrupt: probability,
})
export type LinkRule = v.InferOutput<typeof linkRuleSchema>

/** The whole fault state of one replica's transport; replaces what was set before. */
export const transportFaultsSchema = v.strictObject({
  /** By peer id, for frames that leave; absent peers have no fault. */
  outgoing: v.array(v.strictObject({ peer: replica, rule: linkRuleSchema })),
  /** By peer id, for frames that arrive: only `cut` acts there, the rest acts at the sender. */
  incomingCut: v.array(replica),
  /** Cuts every client link, both ways. */
  clientsCut: v.boolean(),
  /** How it misbehaves; null: not at all. */
  byzantine: v.optional(v.nullable(v.strictObject({ behaviour, victim: v.nullable(replica) })), null),
})
export type TransportFaults = v.InferOutput<typeof transportFaultsSchema>
