/** Messages on their way to one peer under an injected fault: held until they are due. */
import { isFaultless, noLinkFault, planDeliveries, type LinkRule } from '../pbft/faults/index.ts'
import type { SendFate } from '../pbft/wire/index.ts'

/** Most bytes held back for one peer; beyond it the oldest are lost, as on a real line. */
const heldBytesMax = 67_108_864

export interface FaultLine {
  /** From now on. A rule that is set again changes nothing. */
  setRule(rule: LinkRule): void
  /** Passes the message on now, later, twice or never; returns what became of it as far as that is known. `mayWait`: on a faultless line. */
  send(bytes: Uint8Array, mayWait?: boolean): SendFate
  close(): void
}

const isSameRule = (a: LinkRule, b: LinkRule): boolean =>
  (Object.keys(noLinkFault) as (keyof LinkRule)[]).every((field) => a[field] === b[field])

interface Held {
  readonly dueMs: number
  readonly bytes: Uint8Array
  readonly corrupt: boolean
}

/** `deliver` returns whether there was a link. `how`: in the turn in which it was sent, or later; `corrupt`: spoilt on the way. */
export const createFaultLine = (deliver: (bytes: Uint8Array, how: 'now' | 'may-wait' | 'later' | 'corrupt') => boolean): FaultLine => {
  let rule = noLinkFault
  let lastDueMs = 0
  let heldBytes = 0
  /** Ascending by due time; equal ones in the order in which they were sent. */
  const held: Held[] = []
  let timer: NodeJS.Timeout | null = null

  const release = (): void => {
    timer = null
    const now = performance.now()
    for (let first = held[0]; first !== undefined && first.dueMs <= now; first = held[0]) {
      held.shift()
      heldBytes -= first.bytes.length
      deliver(first.bytes, first.corrupt ? 'corrupt' : 'later')
    }
    wait()
  }

  const wait = (): void => {
    const first = held[0]
    if (timer !== null || first === undefined) return
    timer = setTimeout(release, Math.max(1, first.dueMs - performance.now()))
  }

  const hold = (item: Held): void => {
    let at = held.length
    while (at > 0 && (held[at - 1] as Held).dueMs > item.dueMs) at -= 1
    held.splice(at, 0, item)
    heldBytes += item.bytes.length
    while (heldBytes > heldBytesMax && held.length > 1) heldBytes -= held.shift()?.bytes.length ?? 0
    if (at === 0 && timer !== null) {
      clearTimeout(timer)
      timer = null
    }
    wait()
  }

  return {
    setRule(next) {
      if (isSameRule(rule, next)) return
      rule = next
      lastDueMs = 0
      // A heal has to be felt at once, so what is under way arrives now, before all that follows; a cut loses it.
      const all = held.splice(0)
      heldBytes = 0
      if (!next.cut) for (const { bytes, corrupt } of all) deliver(bytes, corrupt ? 'corrupt' : 'later')
    },
    send(bytes, mayWait = false) {
      if (isFaultless(rule) && held.length === 0) {
        return deliver(bytes, mayWait ? 'may-wait' : 'now') ? 'sent' : 'no-link'
      }
      const now = performance.now()
      const plan = planDeliveries(rule, now, lastDueMs, Math.random)
      lastDueMs = plan.lastDueMs
      let fate: SendFate = rule.cut ? 'cut' : 'loss'
      for (const { dueMs, corrupt } of plan.deliveries) {
        if (dueMs > now || held.length > 0) {
          hold({ dueMs, bytes, corrupt })
          fate = 'held'
        } else if (!deliver(bytes, corrupt ? 'corrupt' : 'now')) fate = 'no-link'
        else fate = corrupt ? 'corrupt' : 'sent'
      }
      return fate
    },
    close() {
      if (timer !== null) clearTimeout(timer)
      held.length = 0
    },
  }
}
