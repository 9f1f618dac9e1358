/**
 * A Byzantine replica that is honest but in its view-changes: each tells of a batch that nobody prepared where it says, as of the last
 * view, in the place of the truth or above it. It tells everyone the same.
 */
import type { Outbox, Sending } from '../faults/index.ts'
import type { Capabilities } from '../protocol/capabilities.ts'
import { asSeqNo, asView, type Digest, type ReplicaId } from '../protocol/ids.ts'
import type { AuthenticationWanted, CertificateEntry, ReplicaMessage, Reply, ViewChange } from '../protocol/messages.ts'
import { withEntry } from './false-views.ts'
import type { Random } from './random.ts'

/** Batches that it has voted for of late, so that their bytes are at hand with others too. */
const knownMax = 3

class Perjurer implements Outbox {
  readonly #id: ReplicaId
  readonly #capabilities: Capabilities
  readonly #random: Random
  #known: Digest[] = []
  #sworn: ViewChange | null = null

  constructor(id: ReplicaId, capabilities: Capabilities, random: Random) {
    this.#id = id
    this.#capabilities = capabilities
    this.#random = random
  }

  send(message: ReplicaMessage, to: readonly ReplicaId[]): readonly Sending[] {
    if (message.type === 'prepare' && !this.#known.includes(message.digest)) {
      this.#known = [message.digest, ...this.#known].slice(0, knownMax)
    }
    const isOwn = message.type === 'view-change' && message.replica === this.#id
    return [{ message: isOwn ? this.#perjured(message) : message, to, delayMs: 0 }]
  }

  reply(reply: Reply): readonly Reply[] {
    return [reply]
  }

  wantSignature(message: AuthenticationWanted): readonly AuthenticationWanted[] {
    return [message]
  }

  /** The same again when it is asked again: two of them would convict it. */
  #perjured(honest: ViewChange): ViewChange {
    if (this.#sworn?.view !== honest.view) {
      const unsigned = { ...honest, ...this.#lie(honest) }
      this.#sworn = { ...unsigned, signature: this.#capabilities.sign(unsigned) }
    }
    return this.#sworn
  }

  #lie({ view, stable, prepared, prePrepared }: ViewChange): Pick<ViewChange, 'prepared' | 'prePrepared'> {
    const random = this.#random
    const first = stable.seq + 1
    const last = Math.max(stable.seq, prepared.at(-1)?.seq ?? 0)
    const seq = asSeqNo(last >= first && random.chance(0.5) ? random.whole(first, last) : last + 1)
    const entry: CertificateEntry = { seq, digest: this.#digest(), view: asView(view - 1) }
    return {
      prepared: withEntry(
        prepared.filter((other) => other.seq !== seq),
        entry,
      ),
      // Alone, or as if it had pre-prepared it too.
      prePrepared: random.chance(0.5) ? prePrepared : withEntry(prePrepared, entry),
    }
  }

  #digest(): Digest {
    const unknown = this.#capabilities.digest(Uint8Array.of(this.#random.whole(0, 255)))
    return this.#known.length === 0 || this.#random.chance(0.2) ? unknown : this.#random.pick(this.#known)
  }
}

export const createPerjurer = (id: ReplicaId, capabilities: Capabilities, random: Random): Outbox => new Perjurer(id, capabilities, random)
