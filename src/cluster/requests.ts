/** Requests of this panel: a pool of client sessions, a bounded queue before it, and the life of each request. */
import { randomUUID } from 'node:crypto'
import type { SubmitResult } from '../contract/api.ts'
import type { DecodedOperation, Operation } from '../contract/operations.ts'
import { readOperations } from '../contract/operations.ts'
import type { LedgerRow, RequestInfo, RequestStage } from '../contract/model.ts'
import { fail, ok, type ErrorCode, type Result } from '../contract/result.ts'
import { weakSize } from '../pbft/protocol/quorum.ts'
import { encodeOperation } from '../pbft/service/index.ts'
import { resultOf, unansweredOf } from './client/outcome-words.ts'
import { ClientSession, type Completed, type Outcome } from './client/session.ts'
import type { ClientLinks } from './client/links.ts'

const sessionsMax = 16
const queueMax = 1_000
const requestsKept = 500
/** Phases that are not observed by then are not waited for. */
const settleMs = 2_000

export interface SubmitParams {
  readonly operation: Operation
  readonly id?: string | undefined
  readonly readOnly: boolean
  readonly timeoutMs: number
}

export interface RequestsOptions {
  readonly links: ClientLinks
  readonly n: number
  /** Rows of the ledger for a seq. */
  rowsOf(seq: number): readonly LedgerRow[]
  onChange(request: RequestInfo, settled: boolean): void
  onAcknowledged(client: string, completed: Completed): void
}

interface Life {
  info: RequestInfo
  session: ClientSession | null
  cancelled: boolean
  /** Set while the phases of the completed request may still come in. */
  awaiting: { readonly seq: number; readonly since: number } | null
}

export class Requests {
  readonly #options: RequestsOptions
  readonly #sessions: ClientSession[] = []
  /** Sessions that belong to a request, from before it starts to after its end. */
  readonly #taken = new Set<ClientSession>()
  readonly #waiting: ((session: ClientSession | null) => void)[] = []
  readonly #lives = new Map<string, Life>()

  constructor(options: RequestsOptions) {
    this.#options = options
  }

  /** What earlier runs left; a request that was pending then is given up. */
  restore(requests: readonly RequestInfo[]): void {
    for (const info of requests) {
      const outcome: RequestInfo['outcome'] =
        info.outcome.state === 'pending'
          ? { state: 'failed', code: 'cancelled', message: 'the panel ended before an answer came; the request may have been executed' }
          : info.outcome
      this.#keep({ info: { ...info, outcome }, session: null, cancelled: false, awaiting: null })
    }
  }

  /** The newest `limit`, newest last. */
  list(limit: number): RequestInfo[] {
    return [...this.#lives.values()].slice(-limit).map((life) => life.info)
  }

  /**
   * Runs one request to its end. Errors: `bad-request` (the id is in use), `bad-operation`, `busy` (1,000 wait already),
   * `timeout` and `cancelled` (the request may still be executed; `details` say what is known).
   */
  async submit(params: SubmitParams): Promise<Result<SubmitResult>> {
    const id = params.id ?? randomUUID()
    if (this.#lives.has(id)) return fail('bad-request', `there is a request ${id} already`, [{ path: 'id', message: 'in use' }])
    const operation = encoded(params.operation)
    if (operation === null) return fail('bad-operation', 'a key, value or amount of the operation is out of bounds')
    if (params.readOnly && !readOperations.includes(params.operation.type)) {
      return fail('bad-operation', `${params.operation.type} changes state, so it cannot be asked for as a read`)
    }
    if (this.#waiting.length >= queueMax) return fail('busy', `${queueMax} requests wait already`)
    const life = this.#begin(id, params.operation)
    const deadline = Date.now() + params.timeoutMs
    const session = await this.#session(params.timeoutMs)
    if (session === null) return this.#failed(life, 'timeout', 'every client session was busy for as long as the request could wait', {})
    if (life.cancelled) {
      this.#release(session)
      return this.#failed(life, 'cancelled', 'cancelled before it was sent', {})
    }
    life.session = session
    life.info = { ...life.info, client: session.client }
    const outcome = await session.run(operation, params.readOnly, Math.max(1, deadline - Date.now()), {
      onSent: (to, timestamp) => this.#onSent(life, to, timestamp),
      onReply: (from, matching, needed, tentative) => this.#onReply(life, from, `r${from}, ${matching} of ${needed}`, needed, tentative),
    })
    life.session = null
    this.#release(session)
    return this.#finish(life, session.client, outcome)
  }

  /** Error `not-found` when no such request is under way. */
  cancel(id: string): Result<null> {
    const life = this.#lives.get(id)
    if (life === undefined || life.info.outcome.state !== 'pending') return fail('not-found', `no request ${id} is under way`)
    life.cancelled = true
    life.session?.cancel()
    return ok(null)
  }

  /** Fills in phases that the ledger has learnt since; called a few times a second. */
  tick(nowMs: number): void {
    for (const life of this.#lives.values()) {
      if (life.awaiting === null) continue
      const { seq, since } = life.awaiting
      const stages = stagesOf(this.#options.rowsOf(seq))
      const whole = stages.length === 4
      if (!whole && nowMs - since < settleMs) continue
      life.awaiting = null
      life.info = { ...life.info, stages: [...life.info.stages, ...stages].sort((a, b) => a.at - b.at) }
      this.#options.onChange(life.info, true)
    }
  }

  close(): void {
    for (const settle of this.#waiting.splice(0)) settle(null)
    for (const session of this.#sessions) session.close()
  }

  #begin(id: string, operation: DecodedOperation): Life {
    const info: RequestInfo = {
      id,
      client: '',
      timestamp: 0,
      operation,
      stages: [],
      resends: 0,
      repliers: [],
      repliesNeeded: weakSize(this.#options.n),
      outcome: { state: 'pending' },
    }
    const life: Life = { info, session: null, cancelled: false, awaiting: null }
    this.#keep(life)
    return life
  }

  #keep(life: Life): void {
    this.#lives.set(life.info.id, life)
    if (this.#lives.size <= requestsKept) return
    for (const [id, { info }] of this.#lives) {
      if (info.outcome.state === 'pending') continue
      this.#lives.delete(id)
      return
    }
  }

  #onSent(life: Life, to: readonly number[], timestamp: number): void {
    const first = life.info.stages.length === 0
    const stages = first ? this.#stages(life, 'sent', to.length === 1 ? `r${to[0]}` : `${to.length} replicas`) : life.info.stages
    life.info = { ...life.info, timestamp, resends: first ? 0 : life.info.resends + 1, stages }
    this.#options.onChange(life.info, false)
  }

  #onReply(life: Life, from: number, detail: string, needed: number, tentative: boolean): void {
    const stage = tentative ? 'tentative' : 'replied'
    const first = !life.info.stages.some((passed) => passed.stage === stage)
    const repliers = [...new Set([...life.info.repliers, from])].sort((a, b) => a - b)
    const stages = first ? this.#stages(life, stage, detail) : life.info.stages
    life.info = { ...life.info, repliers, repliesNeeded: needed, stages }
    this.#options.onChange(life.info, false)
  }

  #finish(life: Life, client: string, outcome: Outcome): Result<SubmitResult> {
    if (outcome.cause !== null) {
      const { code, message, known } = unansweredOf(outcome, this.#options.links, this.#options.n)
      return this.#failed(life, code, message, known)
    }
    const { completed } = outcome
    const decoded = resultOf(completed)
    if (!decoded.ok) return this.#failed(life, decoded.error.code, decoded.error.message, {})
    const result = decoded.value
    this.#options.onAcknowledged(client, completed)
    const { view, seq, latencyMs } = completed
    life.info = {
      ...life.info,
      repliers: completed.repliers,
      stages: this.#stages(life, 'completed', `seq ${seq}`),
      outcome: { state: 'completed', result, view, seq, latencyMs },
    }
    life.awaiting = seq === 0 ? null : { seq, since: Date.now() }
    this.#options.onChange(life.info, seq === 0)
    return ok({ id: life.info.id, result, view, seq, repliers: completed.repliers, latencyMs })
  }

  #failed(life: Life, code: ErrorCode, message: string, known: object): Result<never> {
    life.info = { ...life.info, stages: this.#stages(life, 'failed', code), outcome: { state: 'failed', code, message } }
    this.#options.onChange(life.info, true)
    return fail(code, message, { id: life.info.id, client: life.info.client, timestamp: life.info.timestamp, ...known })
  }

  #stages(life: Life, stage: RequestStage, detail: string | null): RequestInfo['stages'] {
    return [...life.info.stages, { stage, at: Date.now(), detail }]
  }

  /** An idle session, made when there are few; waits for one otherwise. Null after `timeoutMs`. */
  #session(timeoutMs: number): Promise<ClientSession | null> {
    const idle = this.#sessions.find((session) => !this.#taken.has(session))
    if (idle !== undefined) return Promise.resolve(this.#take(idle))
    if (this.#sessions.length < sessionsMax) {
      const made = new ClientSession(this.#options.links, this.#options.n, `panel-${this.#sessions.length}`)
      this.#sessions.push(made)
      return Promise.resolve(this.#take(made))
    }
    return new Promise((resolve) => {
      const settle = (session: ClientSession | null): void => {
        clearTimeout(timer)
        resolve(session)
      }
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(settle), 1)
        resolve(null)
      }, timeoutMs)
      this.#waiting.push(settle)
    })
  }

  #take(session: ClientSession): ClientSession {
    this.#taken.add(session)
    return session
  }

  #release(session: ClientSession): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#taken.delete(session)
    else next(session)
  }
}

const encoded = (operation: Operation): Uint8Array | null => {
  try {
    return encodeOperation(operation)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

/** When the first replica reached each phase. */
const stagesOf = (rows: readonly LedgerRow[]): { stage: RequestStage; at: number; detail: string | null }[] => {
  const first = (stage: RequestStage, timeOf: (row: LedgerRow) => number | null) => {
    const reached = rows.flatMap((row) => {
      const at = timeOf(row)
      return at === null ? [] : [{ stage, at, detail: `r${row.replica}` }]
    })
    return reached.sort((a, b) => a.at - b.at).slice(0, 1)
  }
  return [
    ...first('pre-prepared', (row) => row.prePreparedAt),
    ...first('prepared', (row) => row.preparedAt),
    ...first('committed', (row) => row.committedAt),
    ...first('executed', (row) => row.executedAt),
  ]
}
