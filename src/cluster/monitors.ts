/**
 * The safety monitors: what several replicas and the host's own clients saw, compared. Pure and bounded. A violation stays
 * until the cluster is closed: it cannot be undone by what comes after.
 */
import type { Monitor, MonitorName } from '../contract/model.ts'
import { replicaList } from './sentence.ts'

const seqsKept = 20_000
const clientsKept = 20_000
const acknowledgedKept = 100_000
const recentKept = 2_000

/** One executed request as the log has it. */
export interface LoggedRequest {
  readonly client: string
  readonly timestamp: number
  /** The result's bytes as text, for comparison only. */
  readonly result: string
}

type Finding = { readonly state: Monitor['state']; readonly detail: string }

/** A map that forgets its oldest entry beyond `limit`. */
class BoundedMap<Key, Value> extends Map<Key, Value> {
  readonly #limit: number

  constructor(limit: number) {
    super()
    this.#limit = limit
  }

  override set(key: Key, value: Value): this {
    super.set(key, value)
    if (this.size > this.#limit) {
      const [oldest] = this.keys()
      if (oldest !== undefined) this.delete(oldest)
    }
    return this
  }
}

export class Monitors {
  /** seq -> digest -> replicas that committed it. */
  readonly #committed = new BoundedMap<number, Map<string, number[]>>(seqsKept)
  /** seq -> state digest -> replicas. */
  readonly #states = new BoundedMap<number, Map<string, number[]>>(seqsKept)
  readonly #lastOf = new BoundedMap<string, { timestamp: number; result: string }>(clientsKept)
  /** seq -> requests that the host's clients got an answer for and that the log has not shown yet. */
  readonly #acknowledged = new BoundedMap<number, LoggedRequest[]>(acknowledgedKept)
  /** The requests of the newest seqs, for answers that are heard of after the log has been read. */
  readonly #recent = new BoundedMap<number, readonly LoggedRequest[]>(recentKept)
  readonly #violations = new Map<MonitorName, { detail: string; seq: number | null }>()
  readonly #since = new Map<MonitorName, { state: Monitor['state']; since: number }>()
  #compared = 0
  #statesCompared = 0
  #first = 0
  #last = 0
  #gap: string | null = null
  #confirmed = 0

  /** `replica` committed `digest` at `seq`. */
  committed(replica: number, seq: number, digest: string): void {
    const digests = this.#committed.get(seq) ?? new Map<string, number[]>()
    if (digests.size === 0) this.#committed.set(seq, digests)
    if (!note(digests, digest, replica)) return
    if (digests.size > 1) this.#violate('agreement', `different batches were committed at seq ${seq}: ${spell(digests)}`, seq)
    else if ((digests.get(digest)?.length ?? 0) === 2) this.#compared += 1
  }

  /** The root of `replica`'s state after executing `seq`. */
  stateDigest(replica: number, seq: number, digest: string): void {
    const digests = this.#states.get(seq) ?? new Map<string, number[]>()
    if (digests.size === 0) this.#states.set(seq, digests)
    if (!note(digests, digest, replica)) return
    if (digests.size > 1) this.#violate('digests-equal', `different states after seq ${seq}: ${spell(digests)}`, seq)
    else if ((digests.get(digest)?.length ?? 0) === 2) this.#statesCompared += 1
  }

  /**
   * The next entry of the log, in order. `skipped`: entries before it are no longer held by any replica, so they could not
   * be read. Returns which of its requests were executed earlier under another seq (duplicates, answered from the cache).
   */
  logged(seq: number, requests: readonly LoggedRequest[], skipped: boolean): boolean[] {
    if (this.#last !== 0 && seq !== this.#last + 1) {
      if (skipped) this.#gap = `seqs ${this.#last + 1} to ${seq - 1} were not read in time`
      else this.#violate('no-gaps', `after seq ${this.#last} the log goes on with ${seq}`, seq)
    }
    if (this.#first === 0) this.#first = seq
    this.#last = seq
    this.#recent.set(seq, requests)
    const duplicates = requests.map((request) => this.#loggedRequest(seq, request))
    for (const expected of this.#acknowledged.get(seq) ?? []) this.#checkAcknowledged(seq, expected, requests)
    this.#acknowledged.delete(seq)
    return duplicates
  }

  /** A client of this host was answered: the log must have the request at `seq` with this result, and only there. */
  acknowledged(seq: number, request: LoggedRequest): void {
    if (seq === 0) return
    const logged = this.#recent.get(seq)
    if (logged !== undefined) this.#checkAcknowledged(seq, request, logged)
    if (seq <= this.#last) return
    const waiting = this.#acknowledged.get(seq)
    if (waiting === undefined) this.#acknowledged.set(seq, [request])
    else waiting.push(request)
  }

  /** The journal remembers `last` as the end of the log of an earlier run. */
  restored(last: number): void {
    this.#last = last
    this.#first = last === 0 ? 0 : 1
  }

  /** What was remembered of an earlier run is gone from the replicas, though they promised to keep it. */
  lost(detail: string, seq: number): void {
    this.#violate('no-gaps', detail, seq)
  }

  /** Violations so far, by name. */
  violations(): ReadonlyMap<MonitorName, { readonly detail: string }> {
    return this.#violations
  }

  /** The seq of a disagreement on batches; null while agreement holds. */
  get disagreementSeq(): number | null {
    return this.#violations.get('agreement')?.seq ?? null
  }

  /** All five, at `nowMs`. `progress` is the verdict's matter and handed in. */
  list(nowMs: number, progress: Finding): Monitor[] {
    const unseen = (detail: string): Finding => ({ state: 'unknown', detail })
    const findings: Record<MonitorName, Finding> = {
      agreement:
        this.#compared === 0
          ? unseen('no batch was seen at two replicas yet')
          : holds(`${this.#compared} batches equal at all who committed`),
      'no-gaps':
        this.#last === 0
          ? unseen('the log is empty')
          : this.#gap === null
            ? holds(`seqs ${this.#first} to ${this.#last}`)
            : unseen(this.#gap),
      'exactly-once':
        this.#last === 0 ? unseen('no request was executed yet') : holds(`${this.#confirmed} answered requests found once in the log`),
      'digests-equal':
        this.#statesCompared === 0
          ? unseen('no state was seen at two replicas yet')
          : holds(`${this.#statesCompared} states equal at all who reported`),
      progress,
    }
    return (Object.keys(findings) as MonitorName[]).map((name) => this.#monitor(name, findings[name], nowMs))
  }

  #monitor(name: MonitorName, finding: Finding, nowMs: number): Monitor {
    const violation = this.#violations.get(name)
    const { state, detail } = violation === undefined ? finding : { state: 'violated' as const, detail: violation.detail }
    const before = this.#since.get(name)
    const since = before?.state === state ? before.since : nowMs
    this.#since.set(name, { state, since })
    return { name, state, detail, since }
  }

  #loggedRequest(seq: number, request: LoggedRequest): boolean {
    const last = this.#lastOf.get(request.client)
    if (last === undefined || request.timestamp > last.timestamp) {
      this.#lastOf.delete(request.client)
      this.#lastOf.set(request.client, { timestamp: request.timestamp, result: request.result })
      return false
    }
    if (request.timestamp === last.timestamp && request.result !== last.result) {
      this.#violate('exactly-once', `request ${request.timestamp} of ${request.client} was executed again at seq ${seq}`, seq)
    }
    return true
  }

  #checkAcknowledged(seq: number, expected: LoggedRequest, requests: readonly LoggedRequest[]): void {
    const found = requests.filter(({ client, timestamp }) => client === expected.client && timestamp === expected.timestamp)
    if (found.length === 1 && found[0]?.result === expected.result) {
      this.#confirmed += 1
      return
    }
    const what = found.length === 0 ? 'is not in the log' : 'is in the log with another result'
    this.#violate('exactly-once', `request ${expected.timestamp} of ${expected.client}, answered at seq ${seq}, ${what}`, seq)
  }

  #violate(name: MonitorName, detail: string, seq: number): void {
    if (!this.#violations.has(name)) this.#violations.set(name, { detail, seq })
  }
}

const holds = (detail: string): Finding => ({ state: 'holds', detail })

/** Adds a replica to those with this digest; false when it was there already. */
const note = (digests: Map<string, number[]>, digest: string, replica: number): boolean => {
  const replicas = digests.get(digest)
  if (replicas === undefined) digests.set(digest, [replica])
  else if (replicas.includes(replica)) return false
  else replicas.push(replica)
  return true
}

const spell = (digests: ReadonlyMap<string, number[]>): string =>
  [...digests].map(([digest, replicas]) => `${digest.slice(0, 8)} at ${replicaList(replicas)}`).join(', ')
