/** What is known of a request that no quorum answered, and the result of one that was: the same words wherever it was sent from. */
import { fail, type ErrorCode, type Result } from '../../contract/result.ts'
import type { OperationResult } from '../../contract/operations.ts'
import { decodeResult } from '../../pbft/service/index.ts'
import type { ClientLinks } from './links.ts'
import type { Completed, Outcome } from './session.ts'

export interface Unanswered {
  readonly code: ErrorCode
  readonly message: string
  /** For `details`: attempts, matching and needed replies, replicas connected. */
  readonly known: Readonly<Record<string, number>>
}

/** `n`: how many replicas there are. */
export const unansweredOf = (outcome: Extract<Outcome, { readonly cause: string }>, links: ClientLinks, n: number): Unanswered => {
  const { cause, attempts, matching, needed } = outcome
  const { connected } = links
  const known = `sent ${attempts} times, ${connected} of ${n} replicas connected, ${matching} of the ${needed} equal replies that are needed`
  return {
    code: cause,
    message: `No answer in time: ${known}. It may still be executed.`,
    known: { attempts, matching, needed, connected },
  }
}

/** Error `internal` when f+1 replicas agree on bytes that are no result: a defect of ours. */
export const resultOf = ({ result }: Completed): Result<OperationResult> => {
  const decoded = decodeResult(result)
  return decoded === null ? fail('internal', 'the replicas agreed on a result that is none of the service') : { ok: true, value: decoded }
}
