/** What a run of a scenario remembers from one step to the next. */
import type { SubmitResult } from '../../contract/api.ts'
import type { ClusterStatus } from '../../contract/model.ts'

/** A moment that later checks compare with. */
export interface Mark {
  readonly view: number | null
  readonly lastExecuted: number
  /** Refused messages by reason, over all replicas. */
  readonly refused: ReadonlyMap<string, number>
  /** ms since the epoch. */
  readonly at: number
}

/** The requests of one act, in order. */
export interface Group {
  total: number
  readonly ids: string[]
  readonly answers: SubmitResult[]
  failure: string | null
}

/** What was read of the log up to `through`, where nothing changes any more; only what follows is read again. */
export interface LogReading {
  through: number
  /** Entries, and gaps between them. */
  entries: number
  gaps: number
  /** By client and timestamp, how often it was executed. */
  readonly executions: Map<string, number>
}

export interface Memory {
  /** Every request of a run begins with this, so that the log's evidence finds them. */
  readonly runId: string
  readonly replicas: Map<string, number>
  readonly marks: Map<string, Mark>
  readonly groups: Map<string, Group>
  /** Fault ids by the name that the scenario gave them. */
  readonly faults: Map<string, string>
  /** How far the log was read for whom: `replicaList` of those that are to have executed it. */
  readonly logs: Map<string, LogReading>
}

export const createMemory = (runId: string): Memory => ({
  runId,
  replicas: new Map(),
  marks: new Map(),
  groups: new Map(),
  faults: new Map(),
  logs: new Map(),
})

export const markOf = (status: ClusterStatus): Mark => {
  const refused = new Map<string, number>()
  for (const { rejections } of status.replicas)
    for (const [reason, count] of Object.entries(rejections)) refused.set(reason, (refused.get(reason) ?? 0) + count)
  return { view: status.view, lastExecuted: status.lastExecuted, refused, at: status.at }
}
