/**
 * The one event stream. Small and bounded: bulk data is not pushed, an event says what has changed and screens query what
 * they show. At most 20 deliveries a second, each a batch. Positions are consecutive; a subscriber that comes back with its
 * last position gets what it missed, or `reset` when that is no longer held and everything has to be queried again.
 */
import type { Alarm, ClusterStatus, HostState, LoadStatus, RequestInfo, Sample } from './model.ts'
import type { RecoveryStatus } from './recovery.ts'
import type { ScenarioRun } from './scenarios.ts'

export type PanelEvent =
  | { readonly type: 'reset' }
  | { readonly type: 'host'; readonly host: HostState }
  /** Whole and replacing; at most 4 a second, and at once when a replica's state or the verdict changes. */
  | { readonly type: 'status'; readonly status: ClusterStatus }
  /** Entries up to `last` exist; those from `changedFrom` on are new or have new phases. */
  | { readonly type: 'log'; readonly first: number; readonly last: number; readonly changedFrom: number }
  | { readonly type: 'views' }
  | { readonly type: 'checkpoints' }
  | { readonly type: 'request'; readonly request: RequestInfo }
  | { readonly type: 'sample'; readonly sample: Sample }
  | { readonly type: 'alarm'; readonly alarm: Alarm }
  | { readonly type: 'load'; readonly load: LoadStatus }
  | { readonly type: 'recovery'; readonly recovery: RecoveryStatus }
  /** More messages were recorded, up to this time (ms since the epoch); at most 4 a second. */
  | { readonly type: 'messages'; readonly last: number }
  | { readonly type: 'scenario'; readonly run: ScenarioRun }
  /** The list of runs has changed, or an annotation. */
  | { readonly type: 'runs' }

export interface EventBatch {
  /** Which host process made the positions; they mean nothing to another. */
  readonly epoch: string
  /** Position of the last event in the batch. */
  readonly position: number
  readonly events: readonly PanelEvent[]
}
