/**
 * Faults of one direction of a link, as a pure function: what happens to one message. The real transport and the simulated
 * network both follow the plan; time and chance are handed in.
 */

/** All-zero is no fault. Probabilities are per message, 0..1, and independent of each other. */
export interface LinkRule {
  /** Nothing passes. */
  readonly cut: boolean
  readonly delayMs: number
  /** Up to this much more delay, evenly spread; order is kept. */
  readonly jitterMs: number
  readonly loss: number
  readonly duplicate: number
  /** Held back so that later messages overtake it. */
  readonly reorder: number
  /** Spoilt on its way, so that the receiver has to notice. */
  readonly corrupt: number
}

export const noLinkFault: LinkRule = { cut: false, delayMs: 0, jitterMs: 0, loss: 0, duplicate: 0, reorder: 0, corrupt: 0 }

/** A reordered message comes up to this much later than it would have, ms. */
export const reorderHoldMs = 20

/** One arrival of a message. */
export interface Delivery {
  readonly dueMs: number
  readonly corrupt: boolean
}

export interface DeliveryPlan {
  /** In the order of their due times; none when the message is lost. */
  readonly deliveries: readonly Delivery[]
  /** To hand in with the next message of the same link and direction. */
  readonly lastDueMs: number
}

export const isFaultless = (rule: LinkRule): boolean =>
  !rule.cut && rule.delayMs <= 0 && rule.jitterMs <= 0 && rule.loss <= 0 && rule.duplicate <= 0 && rule.reorder <= 0 && rule.corrupt <= 0

/**
 * Plans one message sent at `nowMs`. `lastDueMs` is the plan's before it (0 at first): messages that are not reordered arrive
 * in order. `random` yields numbers in [0, 1); how many are drawn depends on the rule only, so that a seed replays a run.
 */
export const planDeliveries = (rule: LinkRule, nowMs: number, lastDueMs: number, random: () => number): DeliveryPlan => {
  if (isFaultless(rule)) {
    const dueMs = Math.max(nowMs, lastDueMs)
    return { deliveries: [{ dueMs, corrupt: false }], lastDueMs: dueMs }
  }
  const jitter = random() * rule.jitterMs
  const lost = random() < rule.loss
  const twice = random() < rule.duplicate
  const held = random() < rule.reorder
  const hold = random() * reorderHoldMs
  const corrupt = random() < rule.corrupt
  if (rule.cut || lost) return { deliveries: [], lastDueMs }
  const inOrderMs = Math.max(nowMs + rule.delayMs + jitter, lastDueMs)
  // One that is held back does not hold back those behind it.
  const dueMs = held ? inOrderMs + hold : inOrderMs
  const first: Delivery = { dueMs, corrupt }
  const deliveries = twice ? [first, { dueMs, corrupt: false }] : [first]
  return { deliveries, lastDueMs: held ? lastDueMs : inOrderMs }
}
