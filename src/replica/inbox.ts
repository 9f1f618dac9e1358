/**
 * What comes over a link on its way to the core: decoded, allowed for that link, every signature in it checked, in the order in
 * which it came. Nothing else reaches the core.
 */
import type { LinkRole } from '../link/index.ts'
import { decodeMessage, signedParts, type SignedPart } from '../pbft/wire/index.ts'
import type { Batch, Message } from '../pbft/protocol/messages.ts'
import type { Count } from './counters.ts'
import { principalOf, type Verifier } from './verification.ts'

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
  readonly count: Count
  deliver(message: Message): void
}

export interface Inbox {
  /** Messages of one frame. */
  take(frames: readonly Uint8Array[]): void
}

const onlySigned = (requests: Batch['requests']): boolean => requests.every((request) => request.authentication.kind === 'signature')

/** Why a decoded message has no business on this link; null when it has. */
const objection = (role: InboxOptions['role'], peer: string, message: Message): string | null => {
  if (role === 'client') {
    if (message.type !== 'request') return 'unexpected-message'
    if (principalOf(message.client) !== peer) return 'foreign-client'
  }
  if (message.type === 'reply') return 'unexpected-message'
  // Nothing here can check a client's MACs, so a request that has only them is not authentic.
  if (message.type === 'request' && !onlySigned([message])) return 'unsigned-request'
  if ((message.type === 'pre-prepare' || message.type === 'batch-data') && !onlySigned(message.batch.requests)) return 'unsigned-request'
  return null
}

interface Waiting {
  readonly messages: readonly Message[]
  /** How many parts each message has. */
  readonly counts: readonly number[]
  readonly bytes: number
  holds: readonly boolean[] | null
}

export const createInbox = (options: InboxOptions): Inbox => {
  const { role, peer, n, clusterId, verifier, count, deliver } = options
  const line: Waiting[] = []
  let waitingBytes = 0

  const release = (frame: Waiting): void => {
    let at = 0
    for (const [i, message] of frame.messages.entries()) {
      const end = at + (frame.counts[i] as number)
      if (frame.holds?.slice(at, end).every(Boolean)) deliver(message)
      else count('bad-signature', `${message.type} from ${role} ${peer}`)
      at = end
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
      count('malformed-message', `${decoded.reason} from ${role} ${peer}`)
      return null
    }
    const against = objection(role, peer, decoded.value)
    if (against === null) return decoded.value
    count(against, `${decoded.value.type} from ${role} ${peer}`)
    return null
  }

  return {
    take(frames) {
      const bytes = frames.reduce((sum, frame) => sum + frame.length, 0)
      if (waitingBytes + bytes > waitingBytesMax) {
        count('overload', `${role} ${peer}`)
        return
      }
      const messages: Message[] = []
      const counts: number[] = []
      const parts: SignedPart[] = []
      for (const frame of frames) {
        const message = decode(frame)
        if (message === null) continue
        const own = signedParts(message, n, clusterId)
        messages.push(message)
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
