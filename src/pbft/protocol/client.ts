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
  /** Where it was executed and what came out: what has to match. */
  readonly key: string
}

interface Outstanding {
  request: Request
  attempt: number
  delayMs: number
  sentToAll: boolean
  /** Who asks for a signature. */
  readonly askedBy: Set<ReplicaId>
  readonly heard: Map<ReplicaId, Heard>
  /** Full results by the key that they belong to. */
  readonly results: Map<string, Uint8Array>
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
    heard: new Map(),
    results: new Map(),
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

/** Tentative and read-only replies need a quorum, since a view change or a slow replica may still undo or miss them. */
const neededFor = (c: ClientState, request: Request, matching: readonly Heard[]): number => {
  const isFinal = !request.readOnly && matching.filter(({ reply }) => !reply.tentative).length >= weakSize(c.config.n)
  return isFinal ? weakSize(c.config.n) : quorumSize(c.config.n)
}

const keyOf = (c: ClientState, reply: Reply): string => {
  const digest: Digest = reply.result.kind === 'full' ? c.capabilities.digest(reply.result.bytes) : reply.result.digest
  return `${reply.seq}:${digest}`
}

/** The highest view that f+1 repliers have reached, so that no liar can lead the client astray. */
const viewOf = (c: ClientState, heard: ReadonlyMap<ReplicaId, Heard>): View => {
  const views = [...heard.values()].map(({ reply }) => reply.view).sort((a, b) => b - a)
  return asView(Math.max(c.view, views[weakSize(c.config.n) - 1] ?? 0))
}

const onReply = (c: ClientState, from: ReplicaId, reply: Reply, nowMs: number): ClientEffect[] => {
  const outstanding = c.outstanding
  const request = outstanding?.request
  if (outstanding === null || request === undefined || from >= c.config.n || reply.replica !== from) return []
  if (reply.client !== request.client || reply.timestamp !== request.timestamp || (reply.seq === 0) !== request.readOnly) return []
  const key = keyOf(c, reply)
  outstanding.heard.set(from, { reply, key })
  if (reply.result.kind === 'full') outstanding.results.set(key, reply.result.bytes)
  c.view = viewOf(c, outstanding.heard)
  const matching = [...outstanding.heard.values()].filter((other) => other.key === key)
  const needed = neededFor(c, request, matching)
  const counted: ClientEffect = { type: 'reply-counted', from, matching: matching.length, needed }
  const result = outstanding.results.get(key)
  if (matching.length >= needed && result !== undefined) return [counted, ...complete(c, reply, matching, result)]
  return request.readOnly && isQuorumOut(c, outstanding) ? [counted, ...begin(c, request.operation, false, nowMs)] : [counted]
}

/** Not even with all replies yet to come can any read result still reach a quorum. */
const isQuorumOut = (c: ClientState, outstanding: Outstanding): boolean => {
  const counts = new Map<string, number>()
  for (const { key } of outstanding.heard.values()) counts.set(key, (counts.get(key) ?? 0) + 1)
  return Math.max(...counts.values()) + c.config.n - outstanding.heard.size < quorumSize(c.config.n)
}

const complete = (c: ClientState, reply: Reply, matching: readonly Heard[], result: Uint8Array): ClientEffect[] => {
  c.outstanding = null
  const repliers = matching.map((other) => other.reply.replica).sort((a, b) => a - b)
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
