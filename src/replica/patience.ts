/**
 * What need not leave at once. A quorum of votes is enough and all are sent; with one request at a time it is frames that cost, each a
 * write here and another process woken there. So each vote leaves at once for just so many peers that everyone is told by a quorum in
 * time, and each reply from just so many replicas that its client has enough of them; the others go with the next frame to the same peer,
 * which a running protocol sends within moments. Who is spared goes round from vote to vote, so that the spared prepare goes with the
 * commit, and that with the next prepare.
 *
 * That makes each replica depend on the ones that hurry. When one of them is silent, what was spared stays behind: then it leaves after
 * `patienceMs`, and for a while everything hurries, as it does while a peer has no link.
 */
import type { Link } from '../link/index.ts'
import type { ReplicaMessage, Reply } from '../pbft/protocol/messages.ts'
import { quorumSize, weakSize } from '../pbft/protocol/quorum.ts'

/** Longest time that anything waits for company, ms. */
const patienceMs = 10
/** How long everything hurries after something waited in vain, ms. */
const hasteMs = 250
/** A result up to this length all replicas send in full (replies.ts of the core): any of them will do. */
const shortResultMax = 64

export interface Patience {
  /** Whether this vote may wait on its way to replica `to`; never for other messages. */
  mayWait(message: ReplicaMessage, to: number): boolean
  replyMayWait(reply: Reply): boolean
  /** Something that may wait was queued there. */
  watch(link: Link): void
  close(): void
}

export interface PatienceOptions {
  readonly n: number
  readonly id: number
  /** Milliseconds of the clock of `Link.waitingSince`. */
  now(): number
}

export const createPatience = ({ n, id, now }: PatienceOptions): Patience => {
  const quorum = quorumSize(n)
  const spared = n - quorum
  const weak = weakSize(n)
  const watched = new Set<Link>()
  let hasteUntil = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | null = null

  const look = (): void => {
    timer = null
    const at = now()
    for (const link of watched) {
      const since = link.waitingSince
      if (since === null) watched.delete(link)
      else if (at - since >= patienceMs) {
        hasteUntil = at + hasteMs
        watched.delete(link)
        link.flushAll()
      }
    }
    if (watched.size > 0) timer = setTimeout(look, patienceMs)
  }

  const isHasty = (): boolean => now() < hasteUntil

  return {
    mayWait(message, to) {
      if ((message.type !== 'prepare' && message.type !== 'commit') || spared === 0) return false
      const distance = (to - id + n) % n
      const turn = 2 * message.seq + (message.type === 'prepare' ? 0 : 1)
      return (distance + turn) % (n - 1) < spared && !isHasty()
    },
    replyMayWait({ seq, result, tentative }) {
      // Reads need a quorum, and are rarely followed by other replies.
      if (seq === 0 || (result.kind === 'full' && result.bytes.length > shortResultMax)) return false
      return (id + seq) % n >= (tentative ? quorum : weak) && !isHasty()
    },
    watch(link) {
      watched.add(link)
      timer ??= setTimeout(look, patienceMs)
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      watched.clear()
    },
  }
}
