/** What the parts of the server share. */
import type { Host } from '../../cluster/host-interface.ts'
import type { Counters } from './counters.ts'
import type { RateLimit } from './limits.ts'

export interface Context {
  readonly host: Host
  readonly token: string
  readonly version: string
  readonly counters: Counters
  /** Where the server listens; known once it does. */
  bound: { readonly host: string; readonly port: number }
  /** For calls that carry the token, and for those that do not. */
  readonly callRate: RateLimit
  readonly strangerRate: RateLimit
  /** A monotonic clock, ms. */
  now(): number
}
