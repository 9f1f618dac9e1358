/** What a run of real processes left behind, for the judge: the checkers' own types. */
import type { Operation, OperationResult } from '../../src/pbft/service/index.ts'
import type { ClientCall, ExecutedRequest, FinalState, LogEvent, Violation, Vote } from '../../src/pbft/sim/index.ts'

export type Call = ClientCall<Operation, OperationResult>

export interface RunHistory {
  readonly n: number
  /** Replicas that were made to lie in this run: their logs are no evidence. */
  readonly traitors: readonly number[]
  readonly calls: readonly Call[]
  /** Every timestamp that a client ever used. */
  readonly sent: readonly ExecutedRequest[]
  /** Executions of each replica in its order, jumps where it fetched state instead. */
  readonly log: readonly LogEvent[]
  /** Checkpoints that replicas made, and stable ones that they held. */
  readonly checkpoints: readonly Vote[]
  /** The sum of all balances, once the accounts were open; and when they were. */
  readonly totalBalance: number
  readonly openedAt: number
  readonly finals: readonly FinalState[]
  readonly waiting: readonly string[]
  readonly boundMs: number
  /** What was found while it ran: no progress in time, a replica that did not come back, a disk that contradicts what it said before. */
  readonly found: readonly Violation[]
}
