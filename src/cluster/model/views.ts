/** The views of a run, put together from what replicas reported of their view changes. Bounded to the last 1,000. */
import { asView } from '../../pbft/protocol/ids.ts'
import { primaryOf, weakSize } from '../../pbft/protocol/quorum.ts'
import type { SeqSpan, ViewInfo, ViewVote } from '../../contract/model.ts'
import { viewReasonSentences, type ViewReasonKey } from '../../contract/verdicts.ts'
import { fillSentence, type MessageParameters } from '../sentence.ts'
import type { ObservedProtocolEvent } from './observed.ts'

const viewsMax = 1_000

interface Draft {
  readonly view: number
  began: number | null
  started: number | null
  start: { seq: number; digest: string } | null
  chosen: number | null
  nulls: number | null
  chosenSpan: SeqSpan | null
  nullSeqs: readonly number[]
  detail: string
  clients: Map<string, number>
  readonly votes: Map<number, ViewVote>
  readonly entered: Set<number>
  /** When the first replica would have begun to wait that left the view before since a request timed out. */
  timedOutSince: number | null
  firstExecutedAt: number | null
  /** Since when requests had been waiting for its first execution; null: none was seen to wait. */
  outageSince: number | null
}

const unseenVote = {
  stableSeq: null,
  checkpoints: null,
  prepared: null,
  prePrepared: null,
  preparedSpan: null,
  prePreparedSpan: null,
} as const

const keyOfReason: Record<string, ViewReasonKey> = {
  'request-timeout': 'view.reason.requestTimeout',
  'new-view-timeout': 'view.reason.newViewTimeout',
  joined: 'view.reason.joined',
  'invalid-new-view': 'view.reason.invalidNewView',
  'slow-primary': 'view.reason.slowPrimary',
  restarted: 'view.reason.restarted',
  'primary-lost': 'view.reason.primaryLost',
  operator: 'view.reason.operator',
}

export class Views {
  readonly #n: number
  readonly #viewTimeoutMs: number
  readonly #drafts = new Map<number, Draft>()
  #waitingSince: number | null = null
  #lastExecutedAt = 0

  /** `viewTimeoutMs`: how long a replica waits at least before it leaves a view. */
  constructor(n: number, viewTimeoutMs: number) {
    this.#n = n
    this.#viewTimeoutMs = viewTimeoutMs
  }

  /** Takes an event of `replica` that happened at `at` (host's clock, ms). True when views changed. */
  observe(replica: number, event: ObservedProtocolEvent, at: number): boolean {
    switch (event.type) {
      case 'view-change-started': {
        const draft = this.#draft(event.view)
        draft.started = Math.min(draft.started ?? at, at)
        if (event.reason.client !== undefined) count(draft.clients, event.reason.client)
        if (event.reason.detail !== undefined) draft.detail = event.reason.detail
        draft.votes.set(replica, { ...(draft.votes.get(replica) ?? unseenVote), replica, at, reason: event.reason.kind })
        if (event.reason.kind === 'request-timeout') draft.timedOutSince = earliest(draft.timedOutSince, at - this.#viewTimeoutMs)
        this.#watchTimeouts(draft)
        return true
      }
      case 'view-change-received': {
        const draft = this.#draft(event.view)
        const before = draft.votes.get(event.from)
        const { from: replica, stableSeq, checkpoints, prepared, prePrepared, preparedSpan, prePreparedSpan } = event
        draft.votes.set(replica, {
          replica,
          at: before?.at ?? at,
          reason: before?.reason ?? null,
          stableSeq,
          checkpoints,
          prepared,
          prePrepared,
          preparedSpan,
          prePreparedSpan,
        })
        this.#watchTimeouts(draft)
        return true
      }
      case 'view-entered': {
        const draft = this.#draft(event.view)
        draft.began = Math.min(draft.began ?? at, at)
        draft.start = event.start
        draft.chosen = event.chosen
        draft.nulls = event.nulls
        draft.chosenSpan = event.chosenSpan
        draft.nullSeqs = event.nullSeqs
        draft.entered.add(replica)
        return true
      }
      default:
        return false
    }
  }

  /** A replica reports to be active in `view`: how the first view of a run is known, which nobody enters by an event. */
  reported(replica: number, view: number, at: number): boolean {
    const known = this.#drafts.get(view)
    if (known?.entered.has(replica) === true) return false
    const draft = this.#draft(view)
    draft.began ??= at
    draft.entered.add(replica)
    return true
  }

  /** Requests have been waiting since `at` (host's clock, ms) without any execution. */
  waiting(at: number): void {
    if (at > this.#lastExecutedAt) this.#waitingSince = earliest(this.#waitingSince, at)
  }

  /** Something was executed in `view` at `at`. */
  executed(view: number, at: number): void {
    const draft = this.#drafts.get(view)
    if (draft !== undefined) {
      if (draft.firstExecutedAt === null) draft.outageSince = this.#waitingSince
      draft.firstExecutedAt = earliest(draft.firstExecutedAt, at)
    }
    this.#lastExecutedAt = Math.max(this.#lastExecutedAt, at)
    if (this.#waitingSince !== null && at >= this.#waitingSince) this.#waitingSince = null
  }

  /** Another log begins: what was seen belongs to the one before. */
  forget(): void {
    this.#drafts.clear()
    this.#waitingSince = null
    this.#lastExecutedAt = 0
  }

  /** Ascending by view. */
  list(): ViewInfo[] {
    const drafts = [...this.#drafts.values()].sort((a, b) => a.view - b.view)
    return drafts.map((draft) => this.#info(draft))
  }

  /** f+1 replicas left a view, and one of them since a request timed out: it has waited that long, unless others were executed since. */
  #watchTimeouts({ votes, timedOutSince }: Draft): void {
    if (timedOutSince !== null && votes.size >= weakSize(this.#n)) this.waiting(Math.max(timedOutSince, this.#lastExecutedAt + 1))
  }

  #info(draft: Draft): ViewInfo {
    const { key, parameters } = this.#reason(draft)
    const { firstExecutedAt, outageSince } = draft
    const changed = draft.view > 0 && draft.votes.size > 0
    const outageMs = !changed || firstExecutedAt === null || outageSince === null ? null : Math.max(0, firstExecutedAt - outageSince)
    return {
      view: draft.view,
      primary: primaryOf(asView(draft.view), this.#n),
      began: draft.began,
      started: draft.started,
      reason: fillSentence(viewReasonSentences[key], parameters),
      reasonKey: key,
      reasonParameters: parameters,
      votes: [...draft.votes.values()].sort((a, b) => a.replica - b.replica),
      start: draft.start,
      chosen: draft.chosen,
      nulls: draft.nulls,
      chosenSpan: draft.chosenSpan,
      nullSeqs: draft.nullSeqs,
      outageMs,
      entered: [...draft.entered].sort((a, b) => a - b),
    }
  }

  /** The reason that started it: what the first voters gave, "joined" only when nobody was seen to give another. */
  #reason(draft: Draft): { key: ViewReasonKey; parameters: MessageParameters } {
    if (draft.view === 0) return { key: 'view.reason.initial', parameters: {} }
    const reasons = new Map<string, number>()
    for (const vote of draft.votes.values()) if (vote.reason !== null) count(reasons, vote.reason)
    const [first] = [...reasons].sort((a, b) => Number(a[0] === 'joined') - Number(b[0] === 'joined') || b[1] - a[1])
    const key = first === undefined ? undefined : keyOfReason[first[0]]
    if (first === undefined || key === undefined) return { key: 'view.reason.unknown', parameters: {} }
    const base = { count: first[1], n: this.#n }
    switch (key) {
      case 'view.reason.requestTimeout':
        return { key, parameters: { ...base, client: [...draft.clients].sort((a, b) => b[1] - a[1])[0]?.[0] ?? '' } }
      case 'view.reason.newViewTimeout':
        return { key, parameters: { ...base, view: draft.view - 1 } }
      case 'view.reason.slowPrimary':
        return { key, parameters: { ...base, primary: primaryOf(asView(draft.view - 1), this.#n) } }
      case 'view.reason.invalidNewView':
        return { key, parameters: { ...base, message: draft.detail } }
      default:
        return { key, parameters: base }
    }
  }

  #draft(view: number): Draft {
    const known = this.#drafts.get(view)
    if (known !== undefined) return known
    const draft: Draft = {
      view,
      began: null,
      started: null,
      start: null,
      chosen: null,
      nulls: null,
      chosenSpan: null,
      nullSeqs: [],
      detail: '',
      clients: new Map(),
      votes: new Map(),
      entered: new Set(),
      timedOutSince: null,
      firstExecutedAt: null,
      outageSince: null,
    }
    this.#drafts.set(view, draft)
    if (this.#drafts.size > viewsMax) this.#drafts.delete(Math.min(...this.#drafts.keys()))
    return draft
  }
}

const earliest = (known: number | null, at: number): number => Math.min(known ?? at, at)

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
