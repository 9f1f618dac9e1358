/** What an operator makes a replica do wrong: a behaviour between its core and its links. None at first. */
import type { TransportFaults } from '../contract/faults.ts'
import { createOutbox, type Outbox } from '../pbft/faults/index.ts'
import type { Capabilities } from '../pbft/protocol/capabilities.ts'
import { asReplicaId, type ReplicaId } from '../pbft/protocol/ids.ts'
import type { AuthenticationWanted, ReplicaMessage, Reply } from '../pbft/protocol/messages.ts'

export interface ByzantineOptions {
  readonly id: number
  readonly n: number
  readonly viewTimeoutMs: number
  /** Of the replica itself: what it says wrongly is validly signed. */
  readonly capabilities: Capabilities
  send(to: readonly ReplicaId[], message: ReplicaMessage): void
  reply(reply: Reply): void
  wantSignature(message: AuthenticationWanted): void
  /** What was sent later than in its turn leaves now. */
  flush(): void
}

export interface Byzantine {
  send(to: readonly ReplicaId[], message: ReplicaMessage): void
  reply(reply: Reply): void
  wantSignature(message: AuthenticationWanted): void
  /** Replaces the behaviour; the same one goes on with what it remembers. What is held back leaves at once. */
  set(behaviour: TransportFaults['byzantine']): void
  close(): void
}

export const createByzantine = (options: ByzantineOptions): Byzantine => {
  const held = new Map<NodeJS.Timeout, () => void>()
  let current: TransportFaults['byzantine'] = null
  let outbox: Outbox | null = null

  const hold = (delayMs: number, leave: () => void): void => {
    const timer = setTimeout(() => {
      held.delete(timer)
      leave()
      options.flush()
    }, delayMs)
    held.set(timer, leave)
  }

  const release = (): void => {
    for (const [timer, leave] of held) {
      clearTimeout(timer)
      leave()
    }
    held.clear()
    options.flush()
  }

  const outboxOf = ({ behaviour, victim }: NonNullable<TransportFaults['byzantine']>): Outbox =>
    createOutbox(behaviour, {
      id: asReplicaId(options.id),
      n: options.n,
      viewTimeoutMs: options.viewTimeoutMs,
      victim: victim === null ? null : asReplicaId(victim),
      capabilities: options.capabilities,
      random: Math.random,
    })

  return {
    send(to, message) {
      if (outbox === null) {
        options.send(to, message)
        return
      }
      for (const sending of outbox.send(message, to)) {
        if (sending.delayMs === 0) options.send(sending.to, sending.message)
        else hold(sending.delayMs, () => options.send(sending.to, sending.message))
      }
    },
    reply(reply) {
      if (outbox === null) options.reply(reply)
      else for (const said of outbox.reply(reply)) options.reply(said)
    },
    wantSignature(message) {
      for (const said of outbox?.wantSignature(message) ?? [message]) options.wantSignature(said)
    },
    set(next) {
      if (next?.behaviour === current?.behaviour && next?.victim === current?.victim) return
      current = next
      outbox = next === null ? null : outboxOf(next)
      release()
    },
    close() {
      for (const timer of held.keys()) clearTimeout(timer)
      held.clear()
    },
  }
}
