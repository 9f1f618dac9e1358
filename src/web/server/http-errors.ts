/** Error codes of the contract as HTTP status codes. */
import type { ErrorCode } from '../../contract/result.ts'

export const httpStatusOf: Readonly<Record<ErrorCode, number>> = {
  'bad-request': 400,
  'not-found': 404,
  'no-cluster': 409,
  'cluster-exists': 409,
  'cluster-in-use': 409,
  'bad-manifest': 400,
  'bad-run': 400,
  'bad-operation': 400,
  'faults-not-allowed': 403,
  'not-local': 409,
  'replica-unavailable': 503,
  'start-failed': 500,
  timeout: 504,
  cancelled: 409,
  busy: 503,
  unauthorized: 401,
  'too-large': 413,
  'rate-limited': 429,
  unsupported: 501,
  storage: 507,
  internal: 500,
}
