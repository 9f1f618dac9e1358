/** All checkers over one recording. */
import { createService } from '../service/index.ts'
import { asClientId, asClientTimestamp, asSeqNo } from '../protocol/ids.ts'
import { faultsTolerated, quorumSize } from '../protocol/quorum.ts'
import { ReplicatedState } from '../protocol/replicated-state.ts'
import type { ReplyBounds } from '../protocol/reply-cache.ts'
import {
  checkAgreement,
  checkAnswered,
  checkCertificates,
  checkCheckpoints,
  checkChoices,
  checkConverged,
  checkDecided,
  checkDurability,
  checkLinearizability,
  checkOrder,
  checkReplay,
  checkStates,
  checkTime,
  checkValidity,
  checkVotes,
  serviceObject,
  type FinalState,
  type FreshState,
  type Violation,
} from './checkers/index.ts'
import { createDigest } from './keys.ts'
import { PRE_PREPARED_PER_SEQ_MAX } from '../protocol/slots.ts'
import { encodeBatch } from '../wire/index.ts'
import type { Recording } from './recording.ts'

/** What was there when the run ended. */
export interface Ending {
  readonly states: readonly FinalState[]
  /** n, and how many of them are down for good. */
  readonly replicas: number
  readonly absent: number
  /** Of those that are down or not, how many are Byzantine. */
  readonly traitors: number
  /** Requests that clients still wait for. */
  readonly waiting: readonly string[]
  readonly boundMs: number
  /** What replicas remember of replies: their states depend on it. */
  readonly bounds: ReplyBounds
}

/** An empty replicated state, beside all replicas and their tentative executions. */
const freshState = (bounds: ReplyBounds): FreshState => {
  const state = new ReplicatedState(createDigest(), createService(), bounds)
  return {
    execute({ seq, timeMs, requests }) {
      const executed = requests.map(({ client, timestamp, operation }) => ({
        type: 'request' as const,
        client: asClientId(client),
        timestamp: asClientTimestamp(timestamp),
        operation,
        readOnly: false,
        replier: null,
        authentication: { kind: 'signature' as const, signature: new Uint8Array(0) },
      }))
      state.execute(asSeqNo(seq), { timeMs, requests: executed, bytes: new Uint8Array(0) })
    },
    digest: () => state.root(),
  }
}

/** What was found while running comes first. */
export function judge(recording: Recording, ending: Ending): Violation[] {
  const { log, votes, calls, sent, times, told, order, promises, taken } = recording
  const { states, replicas, absent, traitors, waiting, boundMs } = ending
  const service = createService()
  const violations = [
    ...recording.violations,
    ...checkAgreement(log),
    ...checkOrder(log),
    ...checkVotes(votes),
    ...checkCheckpoints(votes),
    ...checkCertificates(votes, told, PRE_PREPARED_PER_SEQ_MAX),
    ...checkChoices(order, createDigest()(encodeBatch(0, []).bytes)),
    ...checkDecided(promises, taken, quorumSize(replicas), traitors),
    ...checkTime(log, times),
    ...checkReplay(log, (operation, client, timeMs) =>
      service.execute(operation, { client: asClientId(client), timeMs, resultBytesMax: Infinity }),
    ),
    ...checkStates(log, votes, states, freshState(ending.bounds)),
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
  const missing = replicas - absent - states.length
  if (missing > 0) violations.push({ checker: 'liveness', detail: `${missing} replicas are down after healing` })
  return [...violations, ...checkAnswered(waiting, boundMs), ...checkConverged(states, faultsTolerated(replicas), boundMs)]
}
