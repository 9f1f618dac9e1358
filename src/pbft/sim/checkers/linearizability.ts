/**
 * Linearizability of a client history, by the algorithm of Wing and Gong with Lowe's memory of what was tried: operations are put
 * into some order that respects real time and in which a sequential object gives the answers that clients saw.
 */
import type { Violation } from './history.ts'

/** One operation on one object. An unanswered one has `completedAt` infinity and may take effect at any time after its start. */
export interface Interval<Operation, Result> {
  readonly operation: Operation
  readonly invokedAt: number
  readonly completedAt: number
  /** Null when unanswered: any result fits. */
  readonly result: Result | null
  /** How a violation names it. */
  readonly name: string
}

/** A sequential object. States are text, so that they compare by value. */
export interface SequentialObject<Operation, Result> {
  readonly initial: string
  /** Which of the object's independent parts an operation is on: each is checked by itself. */
  partOf(operation: Operation): string
  apply(state: string, operation: Operation): { readonly state: string; readonly result: Result }
  isEqual(a: Result, b: Result): boolean
}

/** Search steps per part after which the question is left open. */
const searchStepsMax = 2_000_000

/** One violation for each part that has no order; a part that would take too long to decide goes to `onUndecided` instead. */
export function checkLinearizability<O, R>(
  history: readonly Interval<O, R>[],
  object: SequentialObject<O, R>,
  onUndecided: (part: string) => void = () => undefined,
): Violation[] {
  const parts = new Map<string, Interval<O, R>[]>()
  for (const interval of history) {
    const part = object.partOf(interval.operation)
    const list = parts.get(part)
    if (list === undefined) parts.set(part, [interval])
    else list.push(interval)
  }
  const violations: Violation[] = []
  for (const [part, intervals] of parts) {
    const stuckAt = findStuck(intervals, object)
    if (stuckAt === 'undecided') onUndecided(part)
    if (stuckAt === null || stuckAt === 'undecided') continue
    const detail = `${part}: no order explains the answers; stuck at ${stuckAt.name}`
    violations.push({ checker: 'linearizability', detail })
  }
  return violations
}

interface Choice {
  readonly index: number
  readonly previousState: string
}

/** Null when an order exists; otherwise the operation that could be placed the furthest but not be passed. */
function findStuck<O, R>(unsorted: readonly Interval<O, R>[], object: SequentialObject<O, R>): Interval<O, R> | null | 'undecided' {
  const intervals = unsorted.toSorted((a, b) => a.invokedAt - b.invokedAt)
  const isPlaced = intervals.map(() => false)
  const answered = intervals.filter((interval) => interval.result !== null).length
  const tried = new Set<string>()
  const stack: Choice[] = []
  let placedAnswered = 0
  let state = object.initial
  let next = 0
  let furthest = { placed: -1, interval: intervals[0]! }
  for (let steps = 0; placedAnswered < answered; steps++) {
    if (steps > searchStepsMax) return 'undecided'
    const chosen = findChoice(intervals, isPlaced, next, (index) => {
      const outcome = object.apply(state, intervals[index]!.operation)
      const result = intervals[index]!.result
      if (result !== null && !object.isEqual(outcome.result, result)) return null
      isPlaced[index] = true
      const key = memoKey(isPlaced, outcome.state)
      isPlaced[index] = false
      if (tried.has(key)) return null
      tried.add(key)
      return outcome.state
    })
    if (chosen !== null) {
      stack.push({ index: chosen.index, previousState: state })
      isPlaced[chosen.index] = true
      if (intervals[chosen.index]!.result !== null) placedAnswered++
      state = chosen.state
      next = 0
      continue
    }
    if (stack.length > furthest.placed) furthest = { placed: stack.length, interval: intervals[isPlaced.indexOf(false)]! }
    const undone = stack.pop()
    if (undone === undefined) return furthest.interval
    isPlaced[undone.index] = false
    if (intervals[undone.index]!.result !== null) placedAnswered--
    state = undone.previousState
    next = undone.index + 1
  }
  return null
}

/** The first operation from `from` on that may come next (it began before every unplaced one ended) and that fits. */
function findChoice<O, R>(
  intervals: readonly Interval<O, R>[],
  isPlaced: readonly boolean[],
  from: number,
  fit: (index: number) => string | null,
): { index: number; state: string } | null {
  let endsFirst = Infinity
  for (let index = isPlaced.indexOf(false); index >= 0 && index < intervals.length; index++) {
    if (isPlaced[index]) continue
    const interval = intervals[index]!
    if (interval.invokedAt > endsFirst) break
    endsFirst = Math.min(endsFirst, interval.completedAt)
    if (index < from) continue
    const state = fit(index)
    if (state !== null) return { index, state }
  }
  return null
}

/** Which operations are placed (all before the first gap as a number, then one digit each), and the state they led to. */
function memoKey(isPlaced: readonly boolean[], state: string): string {
  const gap = isPlaced.indexOf(false)
  if (gap < 0) return `all ${state}`
  const last = isPlaced.lastIndexOf(true)
  let digits = ''
  for (let index = gap; index <= last; index++) digits += isPlaced[index] ? '1' : '0'
  return `${gap} ${digits} ${state}`
}
