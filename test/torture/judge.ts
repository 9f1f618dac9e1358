/** Verdicts over a run of real processes, by the simulator's checkers. */
import { asClientId } from '../../src/pbft/protocol/ids.ts'
import { faultsTolerated } from '../../src/pbft/protocol/quorum.ts'
import { createService, decodeResult, encodeOperation } from '../../src/pbft/service/index.ts'
import {
  checkAgreement,
  checkAnswered,
  checkCheckpoints,
  checkConverged,
  checkDurability,
  checkLinearizability,
  checkOrder,
  checkReplay,
  checkValidity,
  type Interval,
  type Violation,
} from '../../src/pbft/sim/index.ts'
import type { Operation, OperationResult } from '../../src/pbft/service/index.ts'
import type { Call, RunHistory } from './history.ts'
import { groupedObject } from './workload.ts'

export interface Verdict {
  readonly checker: string
  /** What it looked at, in words. */
  readonly over: string
  readonly violations: readonly Violation[]
}

const keyOf = ({ client, timestamp }: { readonly client: string; readonly timestamp: number }): string => `${client} ${timestamp}`

/** Balances of what was answered, and of what the log leads to: nothing is made or lost. */
const checkMoney = (history: RunHistory, replayed: (operation: Operation) => OperationResult | null): Violation[] => {
  const wrong = (detail: string): Violation => ({ checker: 'ledger', detail })
  const violations = history.calls.flatMap(({ operation, invokedAt, answer, client, timestamp }) => {
    if (operation.type !== 'total' || answer === null || invokedAt < history.openedAt) return []
    const { result } = answer
    if (result.ok && result.value === history.totalBalance) return []
    return [wrong(`${client} ${timestamp} saw a total of ${JSON.stringify(result)}, not ${history.totalBalance}`)]
  })
  const total = replayed({ type: 'total' })
  if (total?.ok === true && total.value === history.totalBalance) return violations
  return [...violations, wrong(`the log leads to a total of ${JSON.stringify(total)}, not ${history.totalBalance}`)]
}

/**
 * The history for linearizability. A request without an answer that stands in no log has not happened: leaving it out only makes the
 * check stricter. Reads without an answer say nothing.
 */
const intervalsOf = (calls: readonly Call[], executed: ReadonlySet<string>): Interval<Operation, OperationResult>[] =>
  calls
    .filter((call) => call.operation.type !== 'total' && (call.answer !== null || executed.has(keyOf(call))))
    .map((call) => ({
      operation: call.operation,
      invokedAt: call.invokedAt,
      completedAt: call.answer?.at ?? Infinity,
      result: call.answer?.result ?? null,
      name: `${keyOf(call)} ${JSON.stringify(call.operation)}`,
    }))

/** Every checker once, in the order of the design's list. */
export const judgeRun = (history: RunHistory): Verdict[] => {
  const honest = history.log.filter((event) => !history.traitors.includes(event.replica))
  const executions = honest.filter((event) => event.kind === 'executed')
  const executed = new Set<string>()
  for (const { requests } of executions) for (const request of requests) executed.add(keyOf(request))
  const service = createService()
  const run = (operation: Uint8Array, client: string, timeMs: number): Uint8Array =>
    service.execute(operation, { client: asClientId(client), timeMs, resultBytesMax: Infinity })
  const replay = checkReplay(honest, run)
  const votes = history.checkpoints.filter((vote) => !history.traitors.includes(vote.replica))
  const intervals = intervalsOf(history.calls, executed)
  const undecided: string[] = []
  const linearizability = checkLinearizability(intervals, groupedObject, (part) => undecided.push(part))
  const parts = new Set(intervals.map(({ operation }) => groupedObject.partOf(operation))).size
  const answered = history.calls.filter((call) => call.answer !== null)
  const verdict = (checker: string, over: string, violations: readonly Violation[]): Verdict => ({ checker, over, violations })
  return [
    verdict('found while running', 'progress, return of replicas, disks against what they said before', history.found),
    verdict('agreement', `${executions.length} executions`, checkAgreement(honest)),
    verdict('order', `${history.n - history.traitors.length} replicas`, checkOrder(honest)),
    verdict('checkpoints', `${votes.length} digests`, checkCheckpoints(votes)),
    verdict('exactly-once', `${executed.size} requests replayed`, replay),
    verdict('validity', `${history.sent.length} requests sent`, checkValidity(honest, history.sent)),
    verdict('durability', `${answered.length} answers`, checkDurability(honest, history.calls)),
    verdict('linearizability', `${intervals.length} operations on ${parts} objects, ${undecided.length} undecided`, [
      ...linearizability,
      ...undecided.map((part) => ({ checker: 'linearizability', detail: `${part}: the search was given up` })),
    ]),
    verdict('ledger', `${history.calls.filter(({ operation }) => operation.type === 'total').length} totals`, [
      ...checkMoney(history, (operation) => decodeResult(run(encodeOperation(operation), 'judge', 0))),
    ]),
    verdict('liveness', `${history.finals.length} replicas at the end`, [
      ...checkAnswered(history.waiting, history.boundMs),
      ...checkConverged(history.finals, faultsTolerated(history.n), history.boundMs),
    ]),
  ]
}
