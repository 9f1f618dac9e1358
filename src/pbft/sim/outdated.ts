/**
 * A Byzantine replica that lives in the past where reads are concerned: it answers them from a state that lacks what it has executed
 * since, and tells only one other that it commits, so that the rest may come to what was agreed later than the clients.
 */
import type { Outbox, Sending } from '../faults/index.ts'
import type { ReplicaId } from '../protocol/ids.ts'
import type { AuthenticationWanted, ReplicaMessage, Reply } from '../protocol/messages.ts'
import type { Service } from '../protocol/service.ts'
import type { CopyableService } from '../service/index.ts'
import type { Random } from './random.ts'

/** How often what it answers from is brought up to where it was before the request under way. */
const catchesUp = 0.5

/** A service that is `real` but for the answers to reads. */
export function outdatedService(real: CopyableService, random: Random): Service {
  let past = real.copy()
  return {
    ...real,
    execute: (operation, context) => {
      if (random.chance(catchesUp)) past = real.copy()
      return real.execute(operation, context)
    },
    query: (operation, context) => past.query(operation, context),
  }
}

class Outdated implements Outbox {
  readonly #confidant: ReplicaId

  constructor(confidant: ReplicaId) {
    this.#confidant = confidant
  }

  send(message: ReplicaMessage, to: readonly ReplicaId[]): readonly Sending[] {
    const told = message.type === 'commit' ? to.filter((peer) => peer === this.#confidant) : to
    return told.length === 0 ? [] : [{ message, to: told, delayMs: 0 }]
  }

  reply(reply: Reply): readonly Reply[] {
    return [reply]
  }

  wantSignature(message: AuthenticationWanted): readonly AuthenticationWanted[] {
    return [message]
  }
}

/** What leaves it: commits to `confidant` alone, all else as its core means it. */
export const createOutdated = (confidant: ReplicaId): Outbox => new Outdated(confidant)
