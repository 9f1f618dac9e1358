/**
 * What comes over a link on its way to the core: decoded, allowed for that link, every signature in it checked, in the order in
 * which it came. Nothing else reaches the core. Of the MACs of clients it is told which hold.
 */
import type { LinkRole } from '../link/index.ts'
import { decodeMessage, signedParts, type SignedPart } from '../pbft/wire/index.ts'
import { principalOf } from '../pbft/protocol/ids.ts'
import type { Batch, Message, PrePrepare } from '../pbft/protocol/messages.ts'
import type { Count } from './counters.ts'
import type { Recording } from './recording.ts'
import type { RequestMacs } from './request-macs.ts'
import type { Verifier } from './verification.ts'

/** Most bytes of one link that wait for a worker; beyond it what comes is refused (a correct peer sends it again). */
const waitingBytesMax = 67_108_864

export interface InboxOptions {
  readonly role: Exclude<LinkRole, 'control'>
  /** The replica's id or the principal's name. */
  readonly peer: string
  /** Replicas in the cluster, and its id: what is signed for another cluster is not authentic here. */
  readonly n: number
  readonly clusterId: string
  readonly verifier: Verifier
  /** Null where the cluster takes signed requests only. */
  readonly macs: RequestMacs | null
  /** Whether the signatures of the requests in it may be delivered unchecked. */
  defers(message: PrePrepare): boolean
  /** Whether the primary's signature of it may be checked later, and what is said when a signature of it does not hold (proposal-signatures.ts). */
  mayWait(message: PrePrepare): boolean
  foundBad(message: PrePrepare): void
  readonly count: Count
  readonly recording: Recording
  /** `unverified`: its requests whose MACs do not hold here, or whose signatures were not checked, by index. `wire`: the bytes in which it came. */
  deliver(message: Message, unverified: readonly number[], wire: Uint8Array): void
}

export interface Inbox {
  /** Messages of one frame. */
  take(frames: readonly Uint8Array[]): void
}

const onlySigned = (requests: Batch['requests']): boolean => requests.every((request) => request.authentication.kind === 'signature')

/** Why a decoded message has no business on this link; null when it has. */
const objection = ({ role, peer, macs }: InboxOptions, message: Message): string | null => {
  if (role === 'client') {
    if (message.type !== 'request') return 'unexpected-message'
    if (principalOf(message.client) !== peer) return 'foreign-client'
  }
  if (message.type === 'reply' || message.type === 'authentication-wanted') return 'unexpected-message'
  if (macs !== null) return null
  if (message.type === 'request' && !onlySigned([message])) return 'unsigned-request'
  if (message.type === 'pre-prepare' && !onlySigned(message.batch.requests)) return 'unsigned-request'
  return null
}

const none: readonly number[] = []

interface Waiting {
  /** Deferred: the signatures of its requests are not among the parts. */
  readonly messages: readonly { readonly message: Message; readonly wire: Uint8Array; readonly isDeferred: boolean }[]
  /** How many parts each message has. */
  readonly counts: readonly number[]
  readonly bytes: number
  holds: readonly boolean[] | null
}

export const createInbox = (options: InboxOptions): Inbox => {
  const { role, peer, n, clusterId, verifier, macs, count, recording, deliver } = options
  const line: Waiting[] = []
  let waitingBytes = 0

  const refuse = (reason: string, what: string, wire: Uint8Array): void => {
    count(reason, `${what} from ${role} ${peer}`)
    recording.refused(peer, reason, wire)
  }

  const unverifiedOf = (message: Message, isDeferred: boolean): readonly number[] => {
    const bad = macs?.unverified(message) ?? none
    if (!isDeferred || message.type !== 'pre-prepare') return bad
    return message.batch.requests.flatMap(({ authentication }, index) =>
      authentication.kind === 'signature' || bad.includes(index) ? [index] : [],
    )
  }

  const release = ({ messages, counts, holds }: Waiting): void => {
    let at = 0
    for (let i = 0; i < messages.length; i++) {
      const { message, wire, isDeferred } = messages[i] as Waiting['messages'][number]
      const end = at + (counts[i] as number)
      let isAuthentic = true
      for (; at < end; at++) isAuthentic &&= holds?.[at] === true
      if (isAuthentic) deliver(message, unverifiedOf(message, isDeferred), wire)
      else {
        refuse('bad-signature', message.type, wire)
        if (message.type === 'pre-prepare') options.foundBad(message)
      }
    }
  }

  const releaseReady = (): void => {
    for (let first = line[0]; first !== undefined && first.holds !== null; first = line[0]) {
      line.shift()
      waitingBytes -= first.bytes
      release(first)
    }
  }

  const decode = (bytes: Uint8Array): Message | null => {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) {
      refuse('malformed-message', decoded.reason, bytes)
      return null
    }
    const against = objection(options, decoded.value)
    if (against === null) return decoded.value
    refuse(against, decoded.value.type, bytes)
    return null
  }

  return {
    take(frames) {
      const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
      if (waitingBytes + bytes > waitingBytesMax) {
        count('overload', `${role} ${peer}`)
        return
      }
      const messages: Waiting['messages'][number][] = []
      const counts: number[] = []
      const parts: SignedPart[] = []
      for (const frame of frames) {
        const message = decode(frame)
        if (message === null) continue
        const isDeferred = message.type === 'pre-prepare' && options.defers(message)
        const isWaiting = message.type === 'pre-prepare' && options.mayWait(message)
        const own = signedParts(message, n, clusterId, !isDeferred, !isWaiting)
        messages.push({ message, wire: frame, isDeferred })
        counts.push(own.length)
        parts.push(...own)
      }
      const waiting: Waiting = { messages, counts, bytes, holds: parts.length === 0 ? [] : null }
      line.push(waiting)
      waitingBytes += bytes
      if (parts.length > 0) {
        verifier.check(parts, (holds) => {
          waiting.holds = holds
          releaseReady()
        })
      } else releaseReady()
    },
  }
}
