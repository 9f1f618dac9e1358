/**
 * Replies on their way to clients: what a turn says to one link about one place in the order leaves as one message. A batch's replies then
 * cost one head, one frame and one record; and since replicas that agree say it in the same bytes, a client compares bundles as bytes.
 */
import type { Link } from '../link/index.ts'
import type { Reply } from '../pbft/protocol/messages.ts'
import { areBundled, encodeMessage, encodeReplies } from '../pbft/wire/index.ts'
import type { Patience } from './patience.ts'
import type { Recording } from './recording.ts'

/** A bundle is closed when its results hold this much, so that it does not keep a link for long. Bytes. */
const resultBytesMax = 131_072

interface Bundle {
  readonly replies: Reply[]
  /** Those that are recorded here: what goes to several links is recorded once. */
  readonly recorded: Reply[]
  resultBytes: number
}

export interface ReplyBundles {
  /** Queues a reply; `isRecorded` for one link of those that it goes to. */
  add(link: Link, reply: Reply, isRecorded: boolean): void
  /** Hands what is queued to its links and flushes them. */
  flush(): void
  /** Forgets what is queued for a link that ended. */
  drop(link: Link): void
}

const resultBytesOf = ({ result }: Reply): number => (result.kind === 'full' ? result.bytes.length : 0)

export const createReplyBundles = (recording: Recording, patience: Patience): ReplyBundles => {
  const bundles = new Map<Link, Bundle>()

  const recordApart = (replies: readonly Reply[]): void => {
    for (const reply of replies) recording.sentToClient(reply, encodeMessage(reply), 'sent')
  }

  const leave = (link: Link, { replies, recorded }: Bundle): void => {
    const [first] = replies
    if (first === undefined) return
    if (replies.length === 1) {
      const bytes = encodeMessage(first)
      if (recorded.length > 0) recording.sentToClient(first, bytes, 'sent')
      link.queue(bytes, patience.replyMayWait(first))
      if (link.waitingSince !== null) patience.watch(link)
      return
    }
    const bytes = encodeReplies(replies)
    if (recorded.length === replies.length) recording.sentReplies(bytes, replies.length)
    else recordApart(recorded)
    link.queue(bytes)
  }

  const begin = (link: Link): Bundle => {
    const bundle = { replies: [], recorded: [], resultBytes: 0 }
    bundles.set(link, bundle)
    return bundle
  }

  return {
    add(link, reply, isRecorded) {
      let bundle = bundles.get(link) ?? begin(link)
      const [first] = bundle.replies
      if (first !== undefined && (bundle.resultBytes >= resultBytesMax || !areBundled(first, reply))) {
        leave(link, bundle)
        bundle = begin(link)
      }
      bundle.replies.push(reply)
      if (isRecorded) bundle.recorded.push(reply)
      bundle.resultBytes += resultBytesOf(reply)
    },
    flush() {
      if (bundles.size === 0) return
      for (const [link, bundle] of bundles) {
        leave(link, bundle)
        link.flush()
      }
      bundles.clear()
    },
    drop(link) {
      bundles.delete(link)
    },
  }
}
