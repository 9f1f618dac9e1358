/** The verdict on a cluster: one sentence that says whether requests complete and, when not, why. Pure. */
import { faultsTolerated, primaryOf, quorumSize } from '../pbft/protocol/quorum.ts'
import { asView } from '../pbft/protocol/ids.ts'
import type { Monitor, ReplicaState, Verdict, VerdictState } from '../contract/model.ts'
import { verdictSentences, type VerdictKey } from '../contract/verdicts.ts'
import { fillSentence, replicaList, type MessageParameters } from './sentence.ts'

export interface VerdictReplica {
  readonly id: number
  readonly state: ReplicaState
  /** null: never reported. */
  readonly view: number | null
  readonly active: boolean
  readonly pending: number
  /** Replicas whose frames it says to have had in the last second. */
  readonly hears: readonly number[]
  /** The view time-out in force there, ms; null: never reported. It grows with each view change that fails. */
  readonly viewTimeoutMs: number | null
  /** Pieces of the state that it is fetching; null: it fetches none. */
  readonly transfer: { readonly seq: number; readonly verified: number; readonly remaining: number } | null
  /** It has lost its disk: what it may have promised, it does not know, so it votes on nothing before `until`. null: it has not. */
  readonly probation: { readonly until: number | null; readonly heard: number; readonly needed: number } | null
}

export interface VerdictInput {
  readonly n: number
  readonly nowMs: number
  /** By id, all n. */
  readonly replicas: readonly VerdictReplica[]
  /** Active faults on links (not isolations, which show in the replicas' states). */
  readonly linkFaults: number
  /** Whether `to` can hear `from` as far as faults go. */
  readonly hears: (from: number, to: number) => boolean
  /** As `viewOf` sees it. */
  readonly view: number | null
  /** When something was executed last, ms; null: never. */
  readonly lastProgressAt: number | null
  /** Since when requests have been waiting without any execution, ms; null: nothing waits. */
  readonly waitingSince: number | null
  /** Since when the replicas that can take part have been between views; null: they are in one. */
  readonly changingSince: number | null
  /** The lowest seq that is under way and not executed anywhere. */
  readonly frontier: { readonly seq: number; readonly phase: 'pre-prepared' | 'prepared'; readonly have: number } | null
  /** A seq at which correct replicas cannot disagree, and did; null: agreement holds. */
  readonly disagreementSeq: number | null
  /** Longer than this without progress is stuck, ms. */
  readonly patienceMs: number
  /** The view time-out without any back-off, ms. */
  readonly viewTimeoutMs: number
}

type Cause = 'starting' | 'stale' | 'unreachable' | 'isolated' | 'paused' | 'stopped' | 'recovering' | 'faulty'
/** Requests that wait longer than this are worth a word before the view time-out has passed, ms. */
const noticeMs = 1_000
const causes: readonly ReplicaState[] = ['starting', 'stale', 'unreachable', 'isolated', 'paused', 'stopped', 'recovering', 'faulty']
const silent: readonly ReplicaState[] = ['starting', 'unreachable', 'stopped']

/**
 * The highest view that a weak certificate (f+1) of reachable replicas has reached, so that at least one correct replica has;
 * null while fewer than f+1 have reported.
 */
export const viewOf = (n: number, replicas: readonly VerdictReplica[]): number | null => {
  const views = replicas
    .filter((replica) => !silent.includes(replica.state) && replica.view !== null)
    .map((replica) => replica.view ?? 0)
    .sort((a, b) => b - a)
  return views[faultsTolerated(n)] ?? null
}

/**
 * Replicas that only their control link has lost: a weak certificate (f+1) of live ones hears them, so a correct one does. They take
 * part, whatever the host can see of them.
 */
const heardByOthers = (n: number, replicas: readonly VerdictReplica[]): readonly VerdictReplica[] => {
  const live = replicas.filter((replica) => replica.state === 'live')
  return replicas.filter(
    ({ id, state }) =>
      (state === 'unreachable' || state === 'stale') && live.filter(({ hears }) => hears.includes(id)).length > faultsTolerated(n),
  )
}

/** How many more replicas may fail before requests stop completing: never more than f, the most that may lie. */
export const toleratesMoreOf = (n: number, replicas: readonly VerdictReplica[]): number => {
  const available = replicas.filter((replica) => replica.state === 'live').length + heardByOthers(n, replicas).length
  return Math.max(0, Math.min(faultsTolerated(n), available - quorumSize(n)))
}

export interface FoundVerdict extends Verdict {
  readonly key: VerdictKey
}

/**
 * What a verdict says of progress. It is broken only where a quorum can take part and a request has waited for longer than
 * `patienceMs` (`waitedMs`, since there is a quorum); where the quorum is missing, or nothing waits, a stuck cluster says nothing
 * about the protocol.
 */
export const progressOf = (verdict: FoundVerdict, waitedMs: number, patienceMs: number): Monitor['state'] => {
  const { key, state } = verdict
  const quorumIsThere: readonly VerdictKey[] = [
    'verdict.stuck.viewChange',
    'verdict.stuck.backoff',
    'verdict.stuck.slot',
    'verdict.stuck.noProgress',
  ]
  if (state === 'stuck') return quorumIsThere.includes(key) && waitedMs > patienceMs ? 'violated' : 'unknown'
  return state === 'unknown' || state === 'stopped' ? 'unknown' : 'holds'
}

/** The verdict; `since` is kept from `previous` while its key stays the same. */
export const verdictOf = (input: VerdictInput, previous: Verdict | null): FoundVerdict => {
  const { about = [], ...found } = findVerdict(input, previous)
  const since = previous !== null && previous.key === found.key ? previous.since : input.nowMs
  const { seq, view } = found.parameters
  return {
    ...found,
    sentence: fillSentence(verdictSentences[found.key], found.parameters),
    since,
    basis: {
      replicas: about.map(({ id }) => id),
      seq: typeof seq === 'number' ? seq : null,
      view: typeof view === 'number' ? view : null,
    },
  }
}

interface Found {
  readonly state: VerdictState
  readonly key: VerdictKey
  readonly parameters: MessageParameters
  /** The replicas that it is about. */
  readonly about?: readonly VerdictReplica[]
}

const findVerdict = (input: VerdictInput, previous: Verdict | null): Found => {
  const { n, replicas } = input
  if (input.disagreementSeq !== null) {
    return { state: 'stuck', key: 'verdict.stuck.diverged', parameters: { seq: input.disagreementSeq, f: faultsTolerated(n) } }
  }
  if (replicas.every((replica) => replica.state === 'stopped')) return { state: 'stopped', key: 'verdict.stopped', parameters: { n } }
  const missing = replicas.filter((replica) => replica.state !== 'live')
  const available = n - missing.length + heardByOthers(n, replicas).length
  if (replicas.every((replica) => silent.includes(replica.state))) {
    return missing.some((replica) => replica.state === 'starting')
      ? { state: 'unknown', key: 'verdict.unknown.starting', parameters: { available: 0, n } }
      : { state: 'unknown', key: 'verdict.unknown.noneReachable', parameters: { n }, about: missing }
  }
  return noQuorum(input, missing, available, previous) ?? noProgress(input, previous) ?? withProgress(input, missing)
}

const noQuorum = (input: VerdictInput, missing: readonly VerdictReplica[], available: number, previous: Verdict | null): Found | null => {
  const needed = quorumSize(input.n)
  const since = stuckSince(input, previous)
  if (available >= needed) {
    const connected = largestConnected(input)
    if (connected >= needed) return null
    return { state: 'stuck', key: 'verdict.stuck.partition', parameters: { since, needed, available: connected } }
  }
  // What lies may vote all the same: as long as requests complete, they do.
  const faulty = missing.filter((replica) => replica.state === 'faulty').length
  const goesOn = input.lastProgressAt !== null && input.nowMs - input.lastProgressAt <= input.patienceMs
  if (available + faulty >= needed && goesOn) return null
  const starting = missing.filter((replica) => replica.state === 'starting').length
  if (available + starting >= needed) return { state: 'unknown', key: 'verdict.unknown.starting', parameters: { available, n: input.n } }
  const forgetful = input.replicas.filter((replica) => replica.probation !== null)
  const remembering = input.n - forgetful.length
  if (remembering < needed) {
    const parameters = { since, needed, available: remembering, replicas: replicaList(forgetful.map((replica) => replica.id)) }
    return { state: 'stuck', key: 'verdict.stuck.forgotten', parameters }
  }
  const cause = commonCause(without(missing, heardByOthers(input.n, input.replicas)))
  const key: VerdictKey =
    cause === 'isolated' || cause === 'unreachable' || cause === 'stopped' || cause === 'paused'
      ? `verdict.stuck.${cause}`
      : 'verdict.stuck.noQuorum'
  const about = without(missing, heardByOthers(input.n, input.replicas))
  return { state: 'stuck', key, parameters: { since, needed, available, replicas: listOf(about) }, about }
}

const noProgress = (input: VerdictInput, previous: Verdict | null): Found | null => {
  const { nowMs, patienceMs } = input
  const since = stuckSince(input, previous)
  if (input.changingSince !== null) return viewChange(input, input.changingSince, since)
  if (input.waitingSince === null || nowMs - input.waitingSince <= Math.min(noticeMs, patienceMs)) return null
  const pending = Math.max(...input.replicas.map((replica) => replica.pending))
  const view = input.view ?? 0
  const primary = primaryOf(asView(view), input.n)
  const about = input.replicas.filter(({ id }) => id === primary)
  if (nowMs - input.waitingSince <= patienceMs) {
    const next = primaryOf(asView(view + 1), input.n)
    return { state: 'degraded', key: 'verdict.degraded.waiting', parameters: { pending, view, primary, next }, about }
  }
  if (input.frontier !== null) {
    const { seq, phase, have } = input.frontier
    return { state: 'stuck', key: 'verdict.stuck.slot', parameters: { since, seq, phase, available: have, needed: quorumSize(input.n) } }
  }
  return { state: 'stuck', key: 'verdict.stuck.noProgress', parameters: { since, pending, view, primary }, about }
}

/** Between views: the next one under way, tried again and again with a longer patience each time, or never coming. */
const viewChange = ({ n, nowMs, patienceMs, replicas, ...input }: VerdictInput, changingSince: number, since: number): Found => {
  const live = replicas.filter((replica) => replica.state === 'live')
  const view = Math.max(...live.map((replica) => replica.view ?? 0))
  const primary = primaryOf(asView(view), n)
  const parameters = { view, primary }
  const about = replicas.filter(({ id }) => id === primary)
  const state = nowMs - changingSince > patienceMs ? 'stuck' : 'degraded'
  const longest = Math.max(0, ...live.map((replica) => replica.viewTimeoutMs ?? 0))
  // Twice is what the first change waits for its new-view.
  if (longest > 2 * input.viewTimeoutMs) {
    const backoff = { ...parameters, seconds: Math.round(longest / 100) / 10 }
    return state === 'stuck'
      ? { state, key: 'verdict.stuck.backoff', parameters: { ...backoff, since }, about }
      : { state, key: 'verdict.degraded.backoff', parameters: backoff, about }
  }
  return state === 'stuck'
    ? { state, key: 'verdict.stuck.viewChange', parameters: { ...parameters, since }, about }
    : { state, key: 'verdict.degraded.viewChange', parameters, about }
}

const withProgress = (input: VerdictInput, missing: readonly VerdictReplica[]): Found => {
  const view = input.view ?? 0
  const tolerates = toleratesMoreOf(input.n, input.replicas)
  const degraded = (key: VerdictKey, about: readonly VerdictReplica[], more: MessageParameters = {}): Found => ({
    state: 'degraded',
    key,
    parameters: { replicas: listOf(about), tolerates, ...more },
    about,
  })
  const liars = missing.filter((replica) => replica.state === 'faulty')
  if (liars.length > faultsTolerated(input.n)) return degraded('verdict.degraded.unsafe', liars, { f: faultsTolerated(input.n) })
  const diverged = missing.filter((replica) => replica.state === 'diverged')
  if (diverged.length > 0) return degraded('verdict.degraded.diverged', diverged)
  const unseen = heardByOthers(input.n, input.replicas)
  if (unseen.length > 0 && unseen.length === missing.length) return degraded('verdict.degraded.controlLost', unseen)
  if (missing.length > 0) {
    const cause = commonCause(missing)
    const transfers = missing.flatMap(({ transfer }) => transfer ?? [])
    if (cause === 'recovering' && transfers.length > 0) {
      const count = transfers.reduce((sum, { verified }) => sum + verified, 0)
      const left = transfers.reduce((sum, { remaining }) => sum + remaining, 0)
      const seq = Math.max(...transfers.map((transfer) => transfer.seq))
      return degraded('verdict.degraded.transfer', missing, { seq, count, total: count + left })
    }
    if (cause === 'recovering' && missing.every(({ probation }) => probation !== null)) return onProbation(missing, degraded)
    return degraded(cause === null ? 'verdict.degraded.several' : `verdict.degraded.${cause}`, missing)
  }
  if (input.linkFaults > 0) return { state: 'degraded', key: 'verdict.degraded.faults', parameters: { view, count: input.linkFaults } }
  const primary = primaryOf(asView(view), input.n)
  if (input.n === 1) return { state: 'healthy', key: 'verdict.alone', parameters: { view, primary } }
  return { state: 'healthy', key: 'verdict.healthy', parameters: { n: input.n, view, primary } }
}

/** How far those who lost their disks are, told by the one that is furthest behind. */
const onProbation = (
  lost: readonly VerdictReplica[],
  degraded: (key: VerdictKey, about: readonly VerdictReplica[], more: MessageParameters) => Found,
): Found => {
  const probations = lost.flatMap(({ probation }) => probation ?? [])
  const asking = probations.filter(({ until }) => until === null).sort((a, b) => a.heard - b.heard)[0]
  return asking === undefined
    ? degraded('verdict.degraded.probation', lost, { seq: Math.max(...probations.map(({ until }) => until ?? 0)) })
    : degraded('verdict.degraded.probationAsking', lost, { count: asking.heard, needed: asking.needed })
}

const listOf = (replicas: readonly VerdictReplica[]): string => replicaList(replicas.map(({ id }) => id))

const without = (replicas: readonly VerdictReplica[], others: readonly VerdictReplica[]): readonly VerdictReplica[] =>
  replicas.filter((replica) => !others.includes(replica))

/** The last progress; before any, the moment from which the cluster could not make any. */
const stuckSince = (input: VerdictInput, previous: Verdict | null): number =>
  input.lastProgressAt ?? (previous?.state === 'stuck' ? previous.since : input.nowMs)

const commonCause = (missing: readonly VerdictReplica[]): Cause | null => {
  const [first] = missing
  if (first === undefined || !causes.includes(first.state)) return null
  return missing.every((replica) => replica.state === first.state) ? (first.state as Cause) : null
}

/**
 * Size of the largest group in which everyone hears a quorum of the group (itself included). Found by dropping, again and
 * again, whoever hears too few: what is left, if anything, can make progress. When nothing is left: the most that any one hears.
 */
const largestConnected = (input: VerdictInput): number => {
  const needed = quorumSize(input.n)
  const both = (a: number, b: number): boolean => a === b || (input.hears(a, b) && input.hears(b, a))
  const unseen = heardByOthers(input.n, input.replicas)
  let group = input.replicas.filter((replica) => replica.state === 'live' || unseen.includes(replica)).map((replica) => replica.id)
  const most = Math.max(0, ...group.map((a) => group.filter((b) => both(a, b)).length))
  for (;;) {
    const kept = group.filter((a) => group.filter((b) => both(a, b)).length >= needed)
    if (kept.length === group.length) return kept.length > 0 ? kept.length : Math.min(most, needed - 1)
    group = kept
  }
}
