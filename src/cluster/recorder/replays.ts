/** The replays that are open in the recorder process. */
import { randomUUID } from 'node:crypto'
import type { ValidParams } from '../../contract/api.ts'
import type { RecordedProcessInfo, ReplayMoment, ReplaySessionInfo } from '../../contract/replay.ts'
import type { ErrorCode } from '../../contract/result.ts'
import type { RecordedRun } from './protocol.ts'
import { ReplaySession } from './replay-session.ts'
import { processesOf } from './replay-source.ts'
import { Segments } from './segments.ts'

const sessionsMax = 4

/** A query that cannot be answered, and why. */
export class QueryError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

const problems = {
  'no-process': ['not-found', 'nothing is recorded of that process'],
  'no-start': ['bad-request', 'the start of that process is not recorded any more'],
  'start-not-whole': ['bad-request', 'what that process found on its disk was too large to be recorded'],
  'bad-start': ['bad-request', 'the start of that process cannot be read'],
} as const satisfies Record<string, readonly [ErrorCode, string]>

const segmentsOf = (folder: string): Segments => {
  const segments = new Segments(folder)
  segments.refresh()
  return segments
}

export const recordedProcesses = ({ replicas }: RecordedRun): RecordedProcessInfo[] =>
  replicas.flatMap(({ folder }, replica) =>
    processesOf(segmentsOf(folder)).map(({ firstAt, lastAt, start, lost }, i) => ({
      replica,
      process: i + 1,
      from: firstAt,
      to: lastAt,
      replayable: start !== null,
      lost,
    })),
  )

export class Replays {
  /** The oldest first. */
  readonly #sessions = new Map<string, ReplaySession>()

  /** Throws QueryError. */
  open({ replicas }: RecordedRun, { replica, process }: ValidParams<'openReplay'>): ReplaySessionInfo {
    const recorded = replicas[replica]
    if (recorded === undefined) throw new QueryError('not-found', `the cluster has no r${replica}`)
    const opened = ReplaySession.open(randomUUID(), segmentsOf(recorded.folder), replica, process)
    if (!opened.ok) {
      const [code, message] = problems[opened.problem]
      throw new QueryError(code, message)
    }
    const { session } = opened
    this.#sessions.set(session.info.session, session)
    for (const [id, oldest] of this.#sessions) {
      if (this.#sessions.size <= sessionsMax) break
      oldest.close()
      this.#sessions.delete(id)
    }
    return session.info
  }

  /** Throws QueryError. */
  to({ session, to }: ValidParams<'replay'>): Promise<ReplayMoment> {
    const found = this.#sessions.get(session)
    if (found === undefined) throw new QueryError('not-found', 'that replay is not open any more: open it again')
    return found.to(to)
  }

  close(session: string): null {
    this.#sessions.get(session)?.close()
    this.#sessions.delete(session)
    return null
  }
}
