/** What travels instead of exceptions: results with a closed set of error codes. */

export const errorCodes = [
  'bad-request', // the payload does not fit its schema; `details` lists where
  'not-found',
  'no-cluster', // nothing is open: create or connect first
  'cluster-exists',
  'cluster-in-use', // another panel runs it
  'bad-manifest',
  'bad-operation',
  'bad-run', // a file that is no run, or a damaged one; `details` has the problem
  'faults-not-allowed', // the replica was started without fault injection
  'not-local', // the replica was not started by this panel, so it cannot be started or killed by it
  'replica-unavailable', // its control link is down
  'start-failed',
  'timeout', // `details` says what is known
  'cancelled',
  'busy',
  'unauthorized',
  'too-large',
  'rate-limited',
  'unsupported',
  'storage', // a file or folder of the host cannot be written or read; the message names it
  'internal', // a defect of ours; logged with its cause
] as const

export type ErrorCode = (typeof errorCodes)[number]

export interface PanelError {
  readonly code: ErrorCode
  /** One sentence in English that says what is wrong and what to do. Screens translate by code and show it as detail. */
  readonly message: string
  /** JSON-safe facts, by code. */
  readonly details?: unknown
}

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: PanelError }

export const ok = <T>(value: T): Result<T> => ({ ok: true, value })
export const fail = (code: ErrorCode, message: string, details?: unknown): Result<never> => ({
  ok: false,
  error: details === undefined ? { code, message } : { code, message, details },
})
