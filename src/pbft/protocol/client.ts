/**
 * The client (TOCS 2002, sections 4.2 and 5.1): one outstanding request. It takes f+1 matching replies, a quorum when they are
 * tentative or read-only, falls back to sending to all with exponential back-off, and reads that find no quorum are ordered.
 */
import { assertThat } from './assert.ts'
import type { ClientCapabilities, ClientConfig, ClientCore, ClientEffect, ClientInput } from './client-steps.ts'
import { asClientTimestamp, asReplicaId, asSeqNo, asView, type ClientTimestamp, type Digest, type ReplicaId, type View } from './ids.ts'
import type { Reply, Request } from './messages.ts'
import { primaryOf, quorumSize, weakSize } from './quorum.ts'

const MICROSECONDS_PER_MS = 1_000

/**
 * How long a replica's wish for signatures counts, ms. Requests are signed for as long as f+1 replicas wish it, one of them correct,
 * and for as long as the primary does, which would not propose them otherwise. So a liar gets signatures only while it is primary.
 */
const WISH_MS = 60_000

interface Heard {
  readonly reply: Reply
  /** The result, when this replica has sent it; else it has sent its digest. */
  readonly full: Uint8Array | null
  /** Of the result; null until it is needed: results that are both at hand are compared themselves. */
  digest: Digest | null
}

interface Outstanding {
  request: Request
  attempt: number
  delayMs: number
  sentToAll: boolean
  /** Who asks for a signature. */
  readonly askedBy: Set<ReplicaId>
  /** The last reply of each replica, by its id. */
  readonly heard: (Heard | null)[]
}

interface ClientState {
  readonly config: ClientConfig
  readonly capabilities: ClientCapabilities
  readonly everyone: readonly ReplicaId[]
  view: View
  /** When each replica last asked for a signature, ms. */
  readonly wishes: Map<ReplicaId, number>
  lastTimestamp: ClientTimestamp
  /** Who answered the last request: one of them is asked for the full result of the next. */
  repliers: readonly ReplicaId[]
  submitted: number
  outstanding: Outstanding | null
}

const makeRequest = (
  c: ClientState,
  timestamp: ClientTimestamp,
  operation: Uint8Array,
  readOnly: boolean,
  replier: ReplicaId | null,
  signed: boolean,
): Request => {
  const request = { type: 'request', client: c.config.client, timestamp, operation, readOnly, replier } as const
  return { ...request, authentication: c.capabilities.authenticate(request, signed) }
}

const mustSign = (c: ClientState, nowMs: number): boolean => {
  if (c.wishes.size === 0) return false
  for (const [replica, atMs] of c.wishes) if (nowMs < atMs || nowMs - atMs >= WISH_MS) c.wishes.delete(replica)
  return c.wishes.size >= weakSize(c.config.n) || c.wishes.has(primaryOf(c.view, c.config.n))
}

/** Microseconds of the caller's clock, but always above the last one. */
const nextTimestamp = (c: ClientState, nowMs: number): ClientTimestamp => {
  c.lastTimestamp = asClientTimestamp(Math.max(c.lastTimestamp + 1, Math.floor(nowMs * MICROSECONDS_PER_MS)))
  return c.lastTimestamp
}

/** First attempt: ordered requests to the primary, reads to all. One that answered before is asked for the full result. */
const begin = (c: ClientState, operation: Uint8Array, readOnly: boolean, nowMs: number): ClientEffect[] => {
  const timestamp = nextTimestamp(c, nowMs)
  const replier = c.repliers[c.submitted++ % c.repliers.length] ?? null
  const request = makeRequest(c, timestamp, operation, readOnly, replier, mustSign(c, nowMs))
  c.outstanding = {
    request,
    attempt: 1,
    delayMs: c.config.retryMs,
    sentToAll: readOnly,
    askedBy: new Set(),
    heard: new Array<Heard | null>(c.config.n).fill(null),
  }
  return [
    { type: 'send', to: readOnly ? c.everyone : [primaryOf(c.view, c.config.n)], request, attempt: 1 },
    { type: 'set-timer', delayMs: c.config.retryMs },
  ]
}

/**
 * Sends to all, asking everyone for the full result: the designated replier may be the one that is silent. And signed: what everyone
 * can verify everyone waits for.
 */
const resend = (c: ClientState, outstanding: Outstanding): ClientEffect[] => {
  const { timestamp, operation, replier, authentication } = outstanding.request
  if (replier !== null || authentication.kind !== 'signature') {
    outstanding.request = makeRequest(c, timestamp, operation, false, null, true)
  }
  outstanding.delayMs = Math.min(outstanding.delayMs * 2, c.config.retryMaxMs)
  return [sendAgain(c, outstanding), { type: 'set-timer', delayMs: outstanding.delayMs }]
}

const sendAgain = (c: ClientState, outstanding: Outstanding): ClientEffect => {
  outstanding.attempt++
  outstanding.sentToAll = true
  return { type: 'send', to: c.everyone, request: outstanding.request, attempt: outstanding.attempt }
}

/**
 * Signs what is outstanding, once the primary or f+1 replicas ask for it: fewer backups than that either lie or are helped by the others.
 * To all: what is ordered has to be proven to all.
 */
const onWanted = (c: ClientState, from: ReplicaId, timestamp: ClientTimestamp, nowMs: number): ClientEffect[] => {
  const outstanding = c.outstanding
  if (outstanding === null || outstanding.request.timestamp !== timestamp || from >= c.config.n) return []
  c.wishes.set(from, nowMs)
  outstanding.askedBy.add(from)
  const { operation, readOnly, replier, authentication } = outstanding.request
  const isWarranted = from === primaryOf(c.view, c.config.n) || outstanding.askedBy.size >= weakSize(c.config.n)
  if (!isWarranted || (authentication.kind === 'signature' && outstanding.sentToAll)) return []
  outstanding.request = makeRequest(c, timestamp, operation, readOnly, replier, true)
  return [sendAgain(c, outstanding)]
}

const isSameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

const digestOf = (c: ClientState, heard: Heard): Digest => {
  const { result } = heard.reply
  return (heard.digest ??= result.kind === 'full' ? c.capabilities.digest(result.bytes) : result.digest)
}

/** Where it was executed and what came out: what has to match. */
const isMatch = (c: ClientState, a: Heard, b: Heard): boolean => {
  if (a === b) return true
  if (a.reply.seq !== b.reply.seq) return false
  return a.full !== null && b.full !== null ? isSameBytes(a.full, b.full) : digestOf(c, a) === digestOf(c, b)
}

/** The reply with what its sender said before, if that was the same with the result in full. */
const hear = (c: ClientState, reply: Reply, before: Heard | null): Heard => {
  const heard: Heard = { reply, full: reply.result.kind === 'full' ? reply.result.bytes : null, digest: null }
  const isKnown = heard.full === null && before !== null && before.full !== null && isMatch(c, heard, before)
  return isKnown ? { ...heard, full: before.full } : heard
}

/** The highest view that f+1 repliers have reached, so that no liar can lead the client astray. */
const viewOf = (c: ClientState, heard: readonly (Heard | null)[]): View => {
  const views = heard.flatMap((one) => (one === null ? [] : [one.reply.view])).sort((a, b) => b - a)
  return asView(Math.max(c.view, views[weakSize(c.config.n) - 1] ?? 0))
}

/**
 * Of matching replies those that count together: the final ones, and the tentative ones of one view, that with the most of them. That a
 * batch prepared at some replicas in one view and at others in another says nothing about what a later view chooses.
 */
const countable = (matching: readonly Heard[]): Heard[] => {
  const byView = new Map<View, number>()
  for (const { reply } of matching) if (reply.tentative) byView.set(reply.view, (byView.get(reply.view) ?? 0) + 1)
  const most = [...byView].reduce<readonly [View | null, number]>((best, one) => (one[1] > best[1] ? one : best), [null, 0])
  return matching.filter(({ reply }) => !reply.tentative || reply.view === most[0])
}

/** Tentative and read-only replies need a quorum, since a view change or a slow replica may still undo or miss them. */
const neededFor = (c: ClientState, request: Request, final: number): number =>
  !request.readOnly && final >= weakSize(c.config.n) ? weakSize(c.config.n) : quorumSize(c.config.n)

/** A reply to this very request, in the way in which it was asked. */
const isAnswer = (request: Request, reply: Reply): boolean =>
  reply.client === request.client && reply.timestamp === request.timestamp && (reply.seq === 0) === request.readOnly

const onReply = (c: ClientState, from: ReplicaId, reply: Reply, nowMs: number): ClientEffect[] => {
  const outstanding = c.outstanding
  const request = outstanding?.request
  if (outstanding === null || request === undefined || from >= c.config.n || reply.replica !== from) return []
  if (!isAnswer(request, reply)) return []
  const { heard } = outstanding
  const own = hear(c, reply, heard[from] ?? null)
  heard[from] = own
  if (reply.view > c.view) c.view = viewOf(c, heard)
  const matching = heard.filter((other): other is Heard => other !== null && isMatch(c, own, other))
  const counting = countable(matching)
  const repliers = counting.map((other) => other.reply.replica)
  const final = counting.filter((other) => !other.reply.tentative).length
  const result = matching.find((other) => other.full !== null)?.full ?? null
  const needed = neededFor(c, request, final)
  const { tentative } = own.reply
  const counted: ClientEffect = { type: 'reply-counted', from, matching: repliers.length, needed, tentative }
  if (repliers.length >= needed && result !== null) return [counted, ...complete(c, reply, repliers, result)]
  return request.readOnly && isQuorumOut(c, heard) ? [counted, ...begin(c, request.operation, false, nowMs)] : [counted]
}

/**
 * One reply that all of `from` gave. When they are as many as it takes, that settles it, whatever others said: at least one of them is
 * correct. Else each of them counts as if it had spoken alone.
 */
const onReplies = (c: ClientState, from: readonly ReplicaId[], reply: Reply, nowMs: number): ClientEffect[] => {
  const request = c.outstanding?.request
  if (request === undefined || !isAnswer(request, reply)) return []
  const { result, tentative } = reply
  const needed = neededFor(c, request, tentative ? 0 : from.length)
  if (result.kind !== 'full' || from.length < needed) {
    return from.flatMap((replica) => onReply(c, replica, { ...reply, replica }, nowMs))
  }
  if (reply.view > c.view) c.view = reply.view
  const counted = from.map((replica, i): ClientEffect => ({ type: 'reply-counted', from: replica, matching: i + 1, needed, tentative }))
  return [...counted, ...complete(c, reply, from, result.bytes)]
}

/** Not even with all replies yet to come can any read result still reach a quorum. */
const isQuorumOut = (c: ClientState, heard: readonly (Heard | null)[]): boolean => {
  const known = heard.filter((one) => one !== null)
  const most = Math.max(...known.map((one) => known.filter((other) => isMatch(c, one, other)).length))
  return most + c.config.n - known.length < quorumSize(c.config.n)
}

/** `repliers` are ascending. */
const complete = (c: ClientState, reply: Reply, repliers: readonly ReplicaId[], result: Uint8Array): ClientEffect[] => {
  c.outstanding = null
  c.repliers = repliers
  return [
    { type: 'cancel-timer' },
    { type: 'completed', timestamp: reply.timestamp, result, view: c.view, seq: asSeqNo(reply.seq), repliers },
  ]
}

/** A read that found no quorum in time is ordered, under a timestamp of its own. */
const onTimer = (c: ClientState, nowMs: number): ClientEffect[] => {
  const outstanding = c.outstanding
  if (outstanding === null) return []
  return outstanding.request.readOnly ? begin(c, outstanding.request.operation, false, nowMs) : resend(c, outstanding)
}

/** Makes a client session; `config.client` is its alone. */
export const createClient = (config: ClientConfig, capabilities: ClientCapabilities): ClientCore => {
  const everyone = Array.from({ length: config.n }, (_, i) => asReplicaId(i))
  const c: ClientState = {
    config,
    capabilities,
    everyone,
    view: asView(0),
    wishes: new Map(),
    lastTimestamp: asClientTimestamp(0),
    repliers: everyone,
    submitted: 0,
    outstanding: null,
  }
  const step = (input: ClientInput, nowMs: number): ClientEffect[] => {
    switch (input.type) {
      case 'submit':
        assertThat(c.outstanding === null, 'a client has one outstanding request')
        return begin(c, input.operation, input.readOnly, nowMs)
      case 'reply':
        return onReply(c, input.from, input.reply, nowMs)
      case 'replies':
        return onReplies(c, input.from, input.reply, nowMs)
      case 'authentication-wanted':
        return onWanted(c, input.from, input.timestamp, nowMs)
      case 'timer':
        return onTimer(c, nowMs)
      case 'cancel':
        if (c.outstanding === null) return []
        c.outstanding = null
        return [{ type: 'cancel-timer' }]
    }
  }
  return {
    step,
    get view() {
      return c.view
    },
    get busy() {
      return c.outstanding !== null
    },
  }
}
