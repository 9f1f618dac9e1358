/**
 * The safety monitors: what several replicas and the host's own clients saw, compared. Pure and bounded. A violation stays
 * until the cluster is closed: it cannot be undone by what comes after.
 */
import type { Monitor, MonitorName } from '../contract/model.ts'
import { monitorSentences, verdictSentences, type MonitorKey, type VerdictKey } from '../contract/verdicts.ts'
import { fillSentence, replicaList, type MessageParameters } from './sentence.ts'

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

/** What a monitor rests on. */
interface Reason {
  readonly key: MonitorKey | VerdictKey
  readonly parameters: MessageParameters
}
export interface Finding extends Reason {
  readonly state: Monitor['state']
}

const sentences = { ...monitorSentences, ...verdictSentences }

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
  readonly #violations = new Map<MonitorName, { readonly reason: Reason; readonly seq: number }>()
  readonly #since = new Map<MonitorName, { state: Monitor['state']; since: number }>()
  #compared = 0
  #statesCompared = 0
  #first = 0
  #last = 0
  #gap: MessageParameters | null = null
  #confirmed = 0

  /** `replica` committed `digest` at `seq`. */
  committed(replica: number, seq: number, digest: string): void {
    const digests = this.#committed.get(seq) ?? new Map<string, number[]>()
    if (digests.size === 0) this.#committed.set(seq, digests)
    if (!note(digests, digest, replica)) return
    if (digests.size > 1) this.#violate('agreement', 'monitor.agreement.violated', { seq, message: spell(digests) })
    else if ((digests.get(digest)?.length ?? 0) === 2) this.#compared += 1
  }

  /** The root of `replica`'s state after executing `seq`. */
  stateDigest(replica: number, seq: number, digest: string): void {
    const digests = this.#states.get(seq) ?? new Map<string, number[]>()
    if (digests.size === 0) this.#states.set(seq, digests)
    if (!note(digests, digest, replica)) return
    if (digests.size > 1) this.#violate('digests-equal', 'monitor.digestsEqual.violated', { seq, message: spell(digests) })
    else if ((digests.get(digest)?.length ?? 0) === 2) this.#statesCompared += 1
  }

  /**
   * The next entry of the log, in order. `skipped`: entries before it are no longer held by any replica, so they could not
   * be read. Returns which of its requests were executed earlier under another seq (duplicates, answered from the cache).
   */
  logged(seq: number, requests: readonly LoggedRequest[], skipped: boolean): boolean[] {
    if (this.#last !== 0 && seq !== this.#last + 1) {
      if (skipped) this.#gap = { first: this.#last + 1, last: seq - 1 }
      else this.#violate('no-gaps', 'monitor.noGaps.hole', { last: this.#last, seq })
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

  /** Another log begins: what was seen belongs to the one before. What was violated stays so. */
  forget(): void {
    for (const map of [this.#committed, this.#states, this.#lastOf, this.#acknowledged, this.#recent]) map.clear()
    this.#compared = this.#statesCompared = this.#confirmed = 0
    this.#gap = null
    this.restored(0)
  }

  /** What was recorded up to `last` in an earlier run, the replicas have only up to `seq`, though they promised to keep it. */
  lost(seq: number, last: number): void {
    this.#violate('no-gaps', 'monitor.noGaps.lost', { seq, last })
  }

  /** The seq of a disagreement on batches; null while agreement holds. */
  get disagreementSeq(): number | null {
    return this.#violations.get('agreement')?.seq ?? null
  }

  /** All five, at `nowMs`. `progress` is the verdict's matter and handed in. */
  list(nowMs: number, progress: Finding): Monitor[] {
    const findings: Record<MonitorName, Finding> = {
      agreement: this.#compared === 0 ? unknown('monitor.agreement.unseen') : holds('monitor.agreement.holds', { count: this.#compared }),
      'no-gaps':
        this.#last === 0
          ? unknown('monitor.noGaps.empty')
          : this.#gap === null
            ? holds('monitor.noGaps.holds', { first: this.#first, last: this.#last })
            : unknown('monitor.noGaps.skipped', this.#gap),
      'exactly-once':
        this.#last === 0 ? unknown('monitor.exactlyOnce.none') : holds('monitor.exactlyOnce.holds', { count: this.#confirmed }),
      'digests-equal':
        this.#statesCompared === 0
          ? unknown('monitor.digestsEqual.unseen')
          : holds('monitor.digestsEqual.holds', { count: this.#statesCompared }),
      progress,
    }
    return (Object.keys(findings) as MonitorName[]).map((name) => this.#monitor(name, findings[name], nowMs))
  }

  #monitor(name: MonitorName, finding: Finding, nowMs: number): Monitor {
    const violation = this.#violations.get(name)
    const { state, key, parameters } = violation === undefined ? finding : { state: 'violated' as const, ...violation.reason }
    const before = this.#since.get(name)
    const since = before?.state === state ? before.since : nowMs
    this.#since.set(name, { state, since })
    return { name, state, key, parameters, detail: fillSentence(sentences[key], parameters), since }
  }

  #loggedRequest(seq: number, request: LoggedRequest): boolean {
    const last = this.#lastOf.get(request.client)
    if (last === undefined || request.timestamp > last.timestamp) {
      this.#lastOf.delete(request.client)
      this.#lastOf.set(request.client, { timestamp: request.timestamp, result: request.result })
      return false
    }
    if (request.timestamp === last.timestamp && request.result !== last.result) {
      this.#violate('exactly-once', 'monitor.exactlyOnce.twice', { timestamp: request.timestamp, client: request.client, seq })
    }
    return true
  }

  #checkAcknowledged(seq: number, expected: LoggedRequest, requests: readonly LoggedRequest[]): void {
    const found = requests.filter(({ client, timestamp }) => client === expected.client && timestamp === expected.timestamp)
    if (found.length === 1 && found[0]?.result === expected.result) {
      this.#confirmed += 1
      return
    }
    const key = found.length === 0 ? 'monitor.exactlyOnce.missing' : 'monitor.exactlyOnce.otherResult'
    this.#violate('exactly-once', key, { timestamp: expected.timestamp, client: expected.client, seq })
  }

  #violate(name: MonitorName, key: MonitorKey, parameters: MessageParameters & { readonly seq: number }): void {
    if (!this.#violations.has(name)) this.#violations.set(name, { reason: { key, parameters }, seq: parameters.seq })
  }
}

const holds = (key: MonitorKey, parameters: MessageParameters): Finding => ({ state: 'holds', key, parameters })
const unknown = (key: MonitorKey, parameters: MessageParameters = {}): Finding => ({ state: 'unknown', key, parameters })

/** Adds a replica to those with this digest; false when it was there already. */
const note = (digests: Map<string, number[]>, digest: string, replica: number): boolean => {
  const replicas = digests.get(digest)
  if (replicas === undefined) digests.set(digest, [replica])
  else if (replicas.includes(replica)) return false
  else replicas.push(replica)
  return true
}

const spell = (digests: ReadonlyMap<string, number[]>): string =>
  [...digests].map(([digest, replicas]) => `${digest.slice(0, 8)}: ${replicaList(replicas)}`).join('; ')
