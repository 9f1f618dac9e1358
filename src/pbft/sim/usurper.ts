/**
 * A Byzantine replica that is honest but where it leads a new view, or makes one up to lead: there it unmakes what was ordered, and
 * votes for that. It tells everyone the same, so that a quorum follows wherever one does not check what it says.
 */
import type { Outbox, Sending } from '../faults/index.ts'
import type { Capabilities } from '../protocol/capabilities.ts'
import { asView, type ReplicaId, type View } from '../protocol/ids.ts'
import type { AuthenticationWanted, NewView, ReplicaMessage, Reply, ViewChange } from '../protocol/messages.ts'
import { choiceOfOne, nullsAt } from './false-views.ts'
import type { Random } from './random.ts'

export interface UsurperOptions {
  readonly id: ReplicaId
  readonly n: number
  readonly capabilities: Capabilities
  readonly random: Random
}

class Usurper implements Outbox {
  readonly #options: UsurperOptions
  /** The last that it led. */
  #led: NewView | null = null

  constructor(options: UsurperOptions) {
    this.#options = options
  }

  send(message: ReplicaMessage, to: readonly ReplicaId[]): readonly Sending[] {
    return this.#say(message).map((said) => ({ message: said, to, delayMs: 0 }))
  }

  reply(reply: Reply): readonly Reply[] {
    return [reply]
  }

  wantSignature(message: AuthenticationWanted): readonly AuthenticationWanted[] {
    return [message]
  }

  #say(message: ReplicaMessage): readonly ReplicaMessage[] {
    const { id, random } = this.#options
    if (message.type === 'new-view' && message.replica === id) return this.#lead(message)
    if (message.type === 'view-change' && message.replica === id) {
      return random.chance(0.5) ? [message] : [message, ...this.#usurp(message)]
    }
    const isVote = message.type === 'prepare' || message.type === 'commit'
    const unmade = isVote && message.view === this.#led?.view ? this.#led.chosen.find(({ seq }) => seq === message.seq) : undefined
    return isVote && unmade !== undefined && unmade.digest !== message.digest ? [] : [message]
  }

  /** The same again when it is asked again. */
  #lead(honest: NewView): readonly ReplicaMessage[] {
    if (this.#led?.view !== honest.view) {
      const { capabilities, random } = this.#options
      const nulls = { chosen: nullsAt(capabilities, honest.chosen) }
      // The other choice follows by the rule, but from its own view-change alone.
      const lie = random.chance(0.7) ? nulls : (choiceOfOne(capabilities, this.#options.id, honest) ?? nulls)
      this.#led = this.#signed({ ...honest, ...lie })
    }
    return this.#withVotes(this.#led)
  }

  /** The next view that it would lead, from nothing but its own view-change. */
  #usurp(own: ViewChange): readonly ReplicaMessage[] {
    const { capabilities, id, n } = this.#options
    const view: View = asView(own.view + ((id - (own.view % n) + n) % n))
    const alone = choiceOfOne(capabilities, id, {
      viewChanges: [own],
      chosen: own.prepared,
      view,
    })
    if (alone === null) return []
    this.#led = this.#signed({ type: 'new-view', view, replica: id, ...alone })
    return this.#withVotes(this.#led)
  }

  #signed(unsigned: Omit<NewView, 'signature'>): NewView {
    return { ...unsigned, signature: this.#options.capabilities.sign(unsigned) }
  }

  #withVotes(newView: NewView): readonly ReplicaMessage[] {
    const { view, chosen, replica } = newView
    const types = ['prepare', 'commit'] as const
    return [newView, ...chosen.flatMap(({ seq, digest }) => types.map((type) => ({ type, view, seq, digest, replica })))]
  }
}

export const createUsurper = (options: UsurperOptions): Outbox => new Usurper(options)
