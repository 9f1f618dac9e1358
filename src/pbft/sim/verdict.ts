/** All checkers over one recording. */
import { createService } from '../service/index.ts'
import { asClientId } from '../protocol/ids.ts'
import { faultsTolerated } from '../protocol/quorum.ts'
import {
  checkAgreement,
  checkAnswered,
  checkCheckpoints,
  checkConverged,
  checkDurability,
  checkLinearizability,
  checkOrder,
  checkReplay,
  checkTime,
  checkValidity,
  checkVotes,
  serviceObject,
  type FinalState,
  type Violation,
} from './checkers/index.ts'
import type { Recording } from './recording.ts'

/** What was there when the run ended. */
export interface Ending {
  readonly states: readonly FinalState[]
  /** n, and how many of them are down for good. */
  readonly replicas: number
  readonly absent: number
  /** Requests that clients still wait for. */
  readonly waiting: readonly string[]
  readonly boundMs: number
}

/** What was found while running comes first. */
export function judge(recording: Recording, ending: Ending): Violation[] {
  const { log, votes, calls, sent, times } = recording
  const service = createService()
  const violations = [
    ...recording.violations,
    ...checkAgreement(log),
    ...checkOrder(log),
    ...checkVotes(votes),
    ...checkCheckpoints(votes),
    ...checkTime(log, times),
    ...checkReplay(log, (operation, client, timeMs) =>
      service.execute(operation, { client: asClientId(client), timeMs, resultBytesMax: Infinity }),
    ),
    ...checkValidity(log, sent),
    ...checkDurability(log, calls),
    ...checkLinearizability(
      calls.map(({ client, timestamp, operation, invokedAt, answer }) => ({
        operation,
        invokedAt,
        completedAt: answer?.at ?? Infinity,
        result: answer?.result ?? null,
        name: `${client} ${timestamp}`,
      })),
      serviceObject,
    ),
  ]
  // Where something was found while running, the run was ended there and nothing had time to converge.
  if (recording.violations.length > 0) return violations
  const { states, replicas, absent, waiting, boundMs } = ending
  const missing = replicas - absent - states.length
  if (missing > 0) violations.push({ checker: 'liveness', detail: `${missing} replicas are down after healing` })
  return [...violations, ...checkAnswered(waiting, boundMs), ...checkConverged(states, faultsTolerated(replicas), boundMs)]
}
