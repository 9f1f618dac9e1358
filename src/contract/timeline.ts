/** The recorded run over time: what the time bar draws, and what screens show of one moment of the past. */
import type { EvidenceKind } from './evidence.ts'
import type { ActiveFault } from './faults.ts'
import type { Alarm, ClusterStatus, Sample } from './model.ts'

/** What happened at a time, ms since the epoch by the host's clock as all times here. Alarms without those that only inform, or that another mark tells of. */
export type Mark =
  | { readonly kind: 'view'; readonly at: number; readonly view: number; readonly primary: number }
  | { readonly kind: 'checkpoint'; readonly at: number; readonly seq: number }
  | { readonly kind: 'alarm'; readonly at: number; readonly alarm: Alarm }
  | { readonly kind: 'evidence'; readonly at: number; readonly id: string; readonly signer: number; readonly evidence: EvidenceKind }
export type MarkKind = Mark['kind']

/**
 * What happened at a time is in the recorded status this much later, ms: the host looks four times a second. So this is where one
 * goes to see it.
 */
export const markShownAfterMs = 300

/** How old the last recorded status may be, ms, to say what was so; it is written every five seconds at least. */
export const recordedForMs = 12_000

export interface FaultBand {
  readonly fault: ActiveFault
  /** When it was healed or expired; null: it is still in force. */
  readonly until: number | null
}

export interface Timeline {
  /** Of all that is recorded; null: nothing is. */
  readonly first: number | null
  readonly last: number | null
  /** Requests executed in each part of the window, the oldest first. */
  readonly requests: readonly number[]
  /** Times of the window within the recording of which nothing is recorded: the cluster was not open, or the record was dropped. */
  readonly gaps: readonly { readonly from: number; readonly to: number }[]
  /** Those in force in the window, by their beginning, at most 200; `faultsOf` is how many there are. */
  readonly faults: readonly FaultBand[]
  readonly faultsOf: number
  /** Ascending. When there are too many, the rarer kinds go first; `marksOf` is how many there are. */
  readonly marks: readonly Mark[]
  readonly marksOf: number
}

/** The cluster at one moment, as it was recorded. */
export interface Moment {
  readonly at: number
  /** The last status recorded until then; null: nothing is recorded of that time. */
  readonly status: ClusterStatus | null
  /** Of the five minutes before, ascending. */
  readonly samples: readonly Sample[]
  /** The nearest moments of which something is recorded; null: there is none on that side. */
  readonly before: number | null
  readonly after: number | null
  /** Where to look at what happened last before this moment, or next after it (marks, beginnings and ends of faults). */
  readonly previousMark: number | null
  readonly nextMark: number | null
}
