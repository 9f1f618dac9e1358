/**
 * A Byzantine replica that lies wherever its own keys let it: in votes, proposals, checkpoints, view-changes, new-views, state
 * transfer, replies. What it says differs from one peer to the next. Its core stays honest, so that it has something to lie about.
 */
import type { Outbox, Sending } from '../faults/index.ts'
import type { Capabilities } from '../protocol/capabilities.ts'
import { asReplicaId, asSeqNo, asView, type Digest, type ReplicaId } from '../protocol/ids.ts'
import type {
  AuthenticationWanted,
  CertificateEntry,
  Checkpoint,
  Commit,
  NewView,
  Prepare,
  PrePrepare,
  ReplicaMessage,
  Reply,
  Status,
  ViewChange,
} from '../protocol/messages.ts'
import { choiceOfOne, nothingBut, nullDigest, withEntry } from './false-views.ts'
import type { Random } from './random.ts'

export interface LiarOptions {
  readonly id: ReplicaId
  readonly n: number
  readonly capabilities: Capabilities
  readonly random: Random
}

/** How often it lies in a view-change of its own, at least. */
const viewChangesOften = 0.8
/** Digests that it has met, to vote for what others mean something by. */
const digestsMax = 32
/** Proposals of which it remembers whom it told what. */
const toldMax = 1_024

class Liar implements Outbox {
  readonly #random: Random
  readonly #options: LiarOptions
  readonly #often: number
  #digests: Digest[] = []
  /** What a peer was made to believe that its primary proposed, by view, seq and peer. */
  readonly #told = new Map<string, Digest>()

  constructor(options: LiarOptions) {
    this.#options = options
    this.#random = options.random
    this.#often = options.random.pick([0.1, 0.3, 0.7])
  }

  /** To each peer something else, or one lie for all. */
  send(message: ReplicaMessage, to: readonly ReplicaId[]): readonly Sending[] {
    if ('digest' in message) this.#digests = [message.digest, ...this.#digests].slice(0, digestsMax)
    const isVote = message.type === 'prepare' || message.type === 'commit'
    const shared = !isVote && this.#random.chance(0.5) ? this.#say(message) : null
    return to.flatMap((peer) => {
      const said = shared ?? (isVote ? this.#votes(message, peer) : this.#say(message))
      for (const one of said) this.#remember(one, peer)
      return said.map((one) => ({ message: one, to: [peer], delayMs: 0 }))
    })
  }

  reply(reply: Reply): readonly Reply[] {
    if (!this.#random.chance(this.#often)) return [reply]
    return [
      {
        ...reply,
        tentative: this.#random.chance(0.3) !== reply.tentative,
        result: { kind: 'full', bytes: this.#spoilt(reply.result.kind === 'full' ? reply.result.bytes : null) },
      },
    ]
  }

  wantSignature(message: AuthenticationWanted): readonly AuthenticationWanted[] {
    return this.#random.chance(this.#often) ? [] : [message]
  }

  #say(message: ReplicaMessage): readonly ReplicaMessage[] {
    // View-changes are few, and decide much.
    const often = message.type === 'view-change' ? Math.max(this.#often, viewChangesOften) : this.#often
    if (!this.#random.chance(often)) return [message]
    const lie = this.#lie(message)
    // The truth as well, before or after.
    return this.#random.pick([lie, lie, [message, ...lie], [...lie, message]])
  }

  #remember(message: ReplicaMessage, peer: ReplicaId): void {
    if (this.#told.size >= toldMax) this.#told.clear()
    if (message.type === 'pre-prepare') this.#told.set(`${message.view}/${message.seq}/${peer}`, message.digest)
    if (message.type !== 'new-view' || message.replica !== this.#options.id) return
    for (const { seq, digest } of message.chosen) this.#told.set(`${message.view}/${seq}/${peer}`, digest)
  }

  /** For what the peer was told, and for good measure in the name of the others too; or for something else. */
  #votes(message: Prepare | Commit, peer: ReplicaId): readonly ReplicaMessage[] {
    const told = this.#told.get(`${message.view}/${message.seq}/${peer}`)
    if (told !== undefined && told !== message.digest) {
      const vote = { ...message, digest: told }
      const both = [
        { ...vote, type: 'prepare' as const },
        { ...vote, type: 'commit' as const },
      ]
      return [...both, ...(this.#random.chance(0.5) ? both.flatMap((one) => this.#inAllNames(one)) : [])]
    }
    return this.#random.chance(this.#often) ? this.#vote(message) : [message]
  }

  #inAllNames(vote: Prepare | Commit): ReplicaMessage[] {
    return Array.from({ length: this.#options.n }, (_, replica) => ({ ...vote, replica: asReplicaId(replica) }))
  }

  #lie(message: ReplicaMessage): readonly ReplicaMessage[] {
    switch (message.type) {
      case 'pre-prepare':
        return this.#proposal(message)
      case 'checkpoint':
        return [message.replica === this.#options.id ? this.#checkpoint(message) : message]
      case 'view-change':
        return [message.replica === this.#options.id ? this.#viewChange(message) : message]
      case 'new-view':
        return [message.replica === this.#options.id ? this.#newView(message) : message]
      case 'status':
        return [this.#status(message)]
      case 'data':
        return [{ ...message, bytes: this.#spoilt(message.bytes) }]
      case 'meta-data':
        return [{ ...message, children: message.children.map((child) => (this.#random.chance(0.2) ? this.#digest(child) : child)) }]
      default:
        return this.#random.chance(0.5) ? [] : [message]
    }
  }

  #vote(message: Prepare | Commit): readonly ReplicaMessage[] {
    const { random } = this.#options
    const other = { ...message, digest: this.#digest(message.digest) }
    switch (random.whole(0, 5)) {
      case 5:
        // What nobody has proposed there, as if all were agreed on it already.
        return this.#inAllNames({ ...other, type: 'commit', seq: asSeqNo(message.seq + random.whole(0, 2)) })
      case 0:
        return [{ ...message, type: message.type === 'prepare' ? 'commit' : 'prepare' }]
      case 1:
        return [{ ...message, view: asView(message.view + 1) }]
      case 2:
        return [{ ...message, seq: asSeqNo(message.seq + 1) }]
      default:
        return [other]
    }
  }

  /** Another batch, or another place for it; now and then with everyone's votes for it. */
  #proposal(message: PrePrepare): readonly ReplicaMessage[] {
    if (message.view % this.#options.n !== this.#options.id) return [message]
    const { capabilities, random } = this.#options
    const { timeMs, requests } = message.batch
    const drawn = random.pick([
      { timeMs: timeMs + 1, requests },
      { timeMs: timeMs + 3_600_000, requests },
      { timeMs: 0, requests },
      { timeMs, requests: [...requests, ...requests] },
      { timeMs: timeMs + 1, requests: [] },
    ])
    const batch = capabilities.encodeBatch(drawn.timeMs, drawn.requests)
    const seq = asSeqNo(message.seq + random.pick([0, 0, 0, 1, 100]))
    const digest = random.chance(0.1) ? message.digest : capabilities.digest(batch.bytes)
    this.#digests.unshift(digest)
    const unsigned = { ...message, seq, batch, digest }
    const proposal = { ...unsigned, signature: capabilities.sign(unsigned) }
    const vote = { view: message.view, seq, digest, replica: this.#options.id }
    const votes = (['prepare', 'commit'] as const).flatMap((type) => this.#inAllNames({ ...vote, type }))
    return random.chance(0.3) ? [proposal, ...votes] : [proposal]
  }

  #checkpoint(message: Checkpoint): Checkpoint {
    const unsigned = { ...message, digest: this.#digest(message.digest) }
    return { ...unsigned, signature: this.#options.capabilities.sign(unsigned) }
  }

  #viewChange(message: ViewChange): ViewChange {
    const unsigned = { ...message, ...this.#certificates(message) }
    return { ...unsigned, signature: this.#options.capabilities.sign(unsigned) }
  }

  /** P, Q and C of a view-change, with a lie in one of them. */
  #certificates({ prepared, prePrepared, checkpoints, view, stable }: ViewChange): Partial<ViewChange> {
    const { random } = this.#options
    const last = Math.max(stable.seq, prepared.at(-1)?.seq ?? 0)
    const highest = asView(view - 1)
    switch (random.whole(0, 9)) {
      case 8:
      case 9:
        return this.#madeUp(
          prepared,
          prePrepared,
          { seq: asSeqNo(last + random.whole(-1, 2)), digest: this.#digest(null), view: highest },
          stable.seq,
        )
      case 7:
        return nothingBut(this.#options.capabilities, prepared, highest)
      case 0:
        return { prepared: prepared.filter(() => random.chance(0.5)) }
      case 1:
        return { prepared: prepared.map((entry) => this.#certificate(entry, highest)) }
      case 2:
        return { prepared: [...prepared, { seq: asSeqNo(last + random.whole(1, 3)), digest: this.#digest(null), view: highest }] }
      case 3:
        return { prePrepared: prePrepared.filter(() => random.chance(0.5)) }
      case 4:
        return { prepared: prepared.map((entry) => ({ ...entry, view: highest })) }
      case 5:
        return { prepared: [], prePrepared: [], checkpoints: checkpoints.slice(0, 1) }
      default:
        return { checkpoints: checkpoints.map((entry, i) => (i === 0 ? entry : { ...entry, digest: this.#digest(entry.digest) })) }
    }
  }

  /** One more batch that it says it pre-prepared and prepared, in the place of the truth where there is one. */
  #madeUp(
    prepared: readonly CertificateEntry[],
    prePrepared: readonly CertificateEntry[],
    entry: CertificateEntry,
    low: number,
  ): Partial<ViewChange> {
    if (entry.seq <= low) return {}
    return {
      prepared: withEntry(
        prepared.filter(({ seq }) => seq !== entry.seq),
        entry,
      ),
      prePrepared: withEntry(prePrepared, entry),
    }
  }

  #certificate(entry: CertificateEntry, view: CertificateEntry['view']): CertificateEntry {
    return this.#random.chance(0.5) ? entry : { ...entry, digest: this.#digest(entry.digest), view }
  }

  #newView(message: NewView): NewView {
    const unsigned = { ...message, ...this.#choice(message) }
    return { ...unsigned, signature: this.#options.capabilities.sign(unsigned) }
  }

  #choice(message: NewView): Partial<NewView> {
    const { viewChanges, chosen, start } = message
    const { random } = this.#options
    switch (random.whole(0, 6)) {
      case 0:
        return { viewChanges: viewChanges.slice(1) }
      case 1:
        return choiceOfOne(this.#options.capabilities, this.#options.id, message) ?? { viewChanges: [] }
      case 2:
        return { chosen: chosen.slice(0, -1) }
      case 3:
        return { chosen: [...chosen, { seq: asSeqNo((chosen.at(-1)?.seq ?? start.seq) + 1), digest: this.#digest(null) }] }
      case 4:
        return { start: { ...start, digest: this.#digest(start.digest) } }
      default:
        // What everyone has the bytes of: another one that was chosen, or nothing.
        return { chosen: chosen.map((entry) => (random.chance(0.5) ? entry : { ...entry, digest: this.#chosenDigest(chosen) })) }
    }
  }

  #chosenDigest(chosen: NewView['chosen']): Digest {
    return this.#random.chance(0.5) ? nullDigest(this.#options.capabilities) : this.#random.pick(chosen).digest
  }

  #status(message: Status): Status {
    const more = this.#random.pick([1, 10, 1_000])
    return this.#random.pick([
      { ...message, view: asView(message.view + 1), active: false },
      { ...message, lastExecuted: asSeqNo(message.lastExecuted + more), slots: [] },
      { ...message, stableSeq: asSeqNo(message.stableSeq + more), lastExecuted: asSeqNo(message.lastExecuted + more), slots: [] },
      { ...message, lastExecuted: asSeqNo(0), stableSeq: asSeqNo(0), solicits: true },
    ])
  }

  /** One that others know, when it knows one, or one of nothing; never the same. */
  #digest(than: Digest | null): Digest {
    const known = this.#digests.filter((digest) => digest !== than)
    if (known.length > 0 && this.#random.chance(0.6)) return this.#random.pick(known)
    return this.#options.capabilities.digest(Uint8Array.of(this.#random.whole(0, 255), this.#random.whole(0, 255)))
  }

  #spoilt(bytes: Uint8Array | null): Uint8Array {
    if (bytes === null || bytes.length === 0) return Uint8Array.of(this.#random.whole(0, 255))
    const at = this.#random.whole(0, bytes.length - 1)
    return bytes.map((byte, i) => (i === at ? byte ^ 1 : byte))
  }
}

export const createLiar = (options: LiarOptions): Outbox => new Liar(options)
