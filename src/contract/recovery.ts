/** Proactive recovery: the replicas are restarted in turn, one at a time, each with fresh session keys and its state checked. */

/**
 * Why the next one is not begun though its time has come.
 *  fault   a fault that an operator injected is in force
 *  others  another replica is not live, so that one more away may be one too many
 *  stopped the one whose turn it is was stopped by an operator
 */
export type RecoveryPostponed = 'fault' | 'others' | 'stopped'

export interface RecoveryDone {
  readonly replica: number
  /** ms since the epoch. */
  readonly began: number
  /** Until it took part again, ms. */
  readonly tookMs: number
  /** Its state on disk had to be repaired from the others. */
  readonly repaired: boolean
}

export interface RecoveryStatus {
  readonly running: boolean
  /** From the beginning of one replica's recovery to that of the next, ms. */
  readonly periodMs: number
  /** After so many rounds through all replicas it ends by itself; null: when it is stopped. */
  readonly rounds: number | null
  /** Replicas recovered since it was started. */
  readonly recovered: number
  /** Under recovery now. */
  readonly replica: number | null
  /** Whose turn it is next, and when, ms since the epoch; null while it does not run. */
  readonly next: { readonly replica: number; readonly at: number } | null
  readonly postponed: RecoveryPostponed | null
  /** Why it ended otherwise than by being stopped; null: it did not. */
  readonly failure: string | null
  /** The last ones, oldest first. */
  readonly done: readonly RecoveryDone[]
}

export const noRecovery: RecoveryStatus = {
  running: false,
  periodMs: 0,
  rounds: null,
  recovered: 0,
  replica: null,
  next: null,
  postponed: null,
  failure: null,
  done: [],
}
