/**
 * What a run left behind, as plain data: the same whether it was simulated or made by real processes. Checkers are pure functions
 * from it to violations. Only correct replicas are in it.
 */

export interface Violation {
  readonly checker: string
  readonly detail: string
}

/** What a client signed, as sent or as executed. */
export interface ExecutedRequest {
  readonly client: string
  readonly timestamp: number
  readonly operation: Uint8Array
}

/** A replica executed a batch; in the order in which it did. */
export interface Execution {
  readonly kind: 'executed'
  readonly replica: number
  readonly seq: number
  readonly digest: string
  readonly timeMs: number
  readonly requests: readonly ExecutedRequest[]
  readonly results: readonly Uint8Array[]
}

/** A replica's position in the order jumped. */
export interface Jump {
  /** restarted: `seq` is what it came back with; transferred: it fetched the state as of `seq`. */
  readonly kind: 'restarted' | 'transferred'
  readonly replica: number
  readonly seq: number
  /** Of a restart: the highest seq whose execution had been made durable. */
  readonly durableSeq: number
}

export type LogEvent = Execution | Jump

/** A vote (or proposal) that left a replica; or that it began anew after the loss of its disk. */
export interface Vote {
  readonly replica: number
  readonly type: 'pre-prepare' | 'prepare' | 'commit' | 'checkpoint' | 'view-change' | 'new-disk'
  /** 0 for checkpoints and new disks, which have none. */
  readonly view: number
  /** 0 for view-changes and new disks, which have none. */
  readonly seq: number
  /** Empty for view-changes. */
  readonly digest: string
}

/** One operation as its client saw it. Times by one clock, ms. */
export interface ClientCall<Operation, Result> {
  readonly client: string
  /** Of the request that was answered; a read that had to be ordered after all has another than it began with. */
  readonly timestamp: number
  readonly operation: Operation
  readonly invokedAt: number
  /** Null: never answered, it may have happened or not. */
  readonly answer: { readonly at: number; readonly result: Result; readonly bytes: Uint8Array; readonly seq: number } | null
}

/** A replica's state when the run ended. */
export interface FinalState {
  readonly replica: number
  readonly view: number
  readonly active: boolean
  readonly lastExecuted: number
  readonly stateDigest: string
}

export const requestKey = (client: string, timestamp: number): string => `${client} ${timestamp}`

export const isEqualBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
