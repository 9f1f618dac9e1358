/** A recorded replica run again: what the replay view and scripts step through. */

/** One process of a replica, as far as it is recorded. Times in ms since the epoch by the replica's clock. */
export interface RecordedProcessInfo {
  readonly replica: number
  /** From 1, the oldest first. */
  readonly process: number
  readonly from: number
  readonly to: number
  /** Its start is recorded: it can be run again. */
  readonly replayable: boolean
  /** Entries that were lost while it ran. */
  readonly lost: number
}

export interface ReplaySessionInfo {
  readonly session: string
  readonly replica: number
  readonly process: number
  /** Places in the recording are 0 to count - 1; inputs lie at some of them. */
  readonly count: number
  readonly from: number
  readonly to: number
}

export interface ReplayChange {
  /** Names joined by dots. */
  readonly path: string
  readonly before: unknown
  readonly after: unknown
}

/** Where a replay stands: after an input was taken and everything that it led to. */
export interface ReplayMoment {
  readonly session: string
  /** Place of the input that was taken last; null: before the first. */
  readonly place: number | null
  /** ms since the epoch by the replica's clock. */
  readonly at: number | null
  /** Inputs taken since the start. */
  readonly inputs: number
  readonly input: unknown
  readonly effects: readonly unknown[]
  readonly state: Readonly<Record<string, unknown>>
  /** What the last input changed, at most 500 places; empty after a jump by seq, view or time. */
  readonly changes: readonly ReplayChange[]
  readonly view: number
  readonly lastExecuted: number
  readonly stateDigest: string
  /** The recording ends here, or has a hole: there is no next input. */
  readonly ended: boolean
  /** Up to this place the recording was gone through: jumps before it take a moment, one beyond it as long as it takes to get there. */
  readonly prepared: number
  /** What was compared with the recording from the start up to here, or to the furthest place that was visited. */
  readonly proof: {
    readonly inputs: number
    readonly sendsEqual: number
    readonly sendsOnlyHere: number
    readonly sendsUnchecked: number
    readonly signaturesEqual: number
    readonly rejectionsEqual: number
    readonly checkpointsEqual: number
    readonly divergences: readonly { readonly index: number; readonly what: string }[]
  }
}
