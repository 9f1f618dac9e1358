/**
 * The watchdog of proactive recovery (TOCS 2002, section 5): by a schedule, one replica after another is stopped in order and started
 * again. Its links then have session keys of fresh handshakes, and its state on disk is checked partition by partition and repaired
 * from the others (SPEC, I29). The next one is begun only when the last one takes part again, and never while anything else is amiss.
 */
import type { ValidParams } from '../contract/api.ts'
import type { ReplicaStatus } from '../contract/model.ts'
import type { RecoveryDone, RecoveryPostponed, RecoveryStatus } from '../contract/recovery.ts'
import type { Result } from '../contract/result.ts'
import { quorumSize } from '../pbft/protocol/quorum.ts'
import type { Member } from './member.ts'

const lookMs = 100
const doneMax = 100

export interface RecoveryOptions {
  readonly params: ValidParams<'startRecovery'>
  /** By id; all of them local. */
  readonly members: readonly Member[]
  replicas(): readonly ReplicaStatus[]
  /** Faults in force that an operator injected. */
  faults(): number
  onStatus(status: RecoveryStatus): void
  onFailed(replica: number, message: string): void
}

interface Current {
  readonly member: Member
  readonly began: number
  /** What was executed somewhere when it began. */
  readonly executed: number
  isStarted: boolean
}

export class Recovery {
  readonly #options: RecoveryOptions
  #timer: NodeJS.Timeout | null
  #running = true
  #next = 0
  #nextAt = Date.now()
  #recovered = 0
  #current: Current | null = null
  /** What the others have to have executed before the next one goes; null: not looked yet. */
  #mark: number | null = null
  #restarting: Promise<void> = Promise.resolve()
  #postponed: RecoveryPostponed | null = null
  #failure: string | null = null
  #done: readonly RecoveryDone[] = []

  /** Begins with replica 0 at once, or as soon as nothing speaks against it. */
  constructor(options: RecoveryOptions) {
    this.#options = options
    this.#timer = setInterval(() => this.#look(), lookMs)
    this.#look()
  }

  /** It runs, or was stopped and one replica is not back yet. */
  get busy(): boolean {
    return this.#running || this.#current !== null
  }

  status(): RecoveryStatus {
    const { periodMs, rounds } = this.#options.params
    return {
      running: this.#running,
      periodMs,
      rounds,
      recovered: this.#recovered,
      replica: this.#current?.member.id ?? null,
      next: this.#running ? { replica: this.#next, at: this.#nextAt } : null,
      postponed: this.#postponed,
      failure: this.#failure,
      done: this.#done,
    }
  }

  /** Begins no other one; one that is under way is waited for. */
  stop(): void {
    if (!this.#running) return
    this.#running = false
    this.#postponed = null
    if (this.#current === null) this.#rest()
    this.#options.onStatus(this.status())
  }

  /** For the end of the cluster: nothing more is begun; resolves when no restart is under way. */
  async close(): Promise<void> {
    this.#running = false
    this.#rest()
    await this.#restarting
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #look(): void {
    if (this.#current !== null) return this.#awaitBack(this.#current)
    if (!this.#running || Date.now() < this.#nextAt) return
    const before = this.#postponed
    this.#postponed = this.#reasonToWait()
    const member = this.#options.members[this.#next]
    if (this.#postponed === null && member !== undefined) this.#restarting = this.#begin(member)
    else if (this.#postponed !== before) this.#options.onStatus(this.status())
  }

  #reasonToWait(): RecoveryPostponed | null {
    if (this.#options.faults() > 0) return 'fault'
    const replicas = this.#options.replicas()
    const others = replicas.filter(({ id }) => id !== this.#next)
    if (others.some(({ state }) => state !== 'live')) return this.#waitForOthers(null)
    // One that is back can still be on its way to where the others are by now: each has to reach what is executed at this look.
    const mark = this.#mark ?? Math.max(0, ...replicas.map(({ lastExecuted }) => lastExecuted ?? 0))
    if (others.some(({ lastExecuted }) => (lastExecuted ?? 0) < mark)) return this.#waitForOthers(mark)
    return replicas[this.#next]?.state === 'stopped' ? 'stopped' : null
  }

  #waitForOthers(mark: number | null): RecoveryPostponed {
    this.#mark = mark
    return 'others'
  }

  async #begin(member: Member): Promise<void> {
    const executed = Math.max(0, ...this.#options.replicas().map(({ lastExecuted }) => lastExecuted ?? 0))
    const current: Current = { member, began: Date.now(), executed, isStarted: false }
    this.#current = current
    this.#mark = null
    this.#nextAt = current.began + this.#options.params.periodMs
    this.#next = (member.id + 1) % this.#options.members.length
    member.recovering = true
    this.#options.onStatus(this.status())
    const restarted = await restart(member)
    // One that runs, and is only slow to say so, is waited for.
    current.isStarted = restarted.ok || member.running
    if (restarted.ok || member.running) return
    this.#failure = restarted.error.message
    this.#options.onFailed(member.id, restarted.error.message)
    this.#running = false
    this.#end(member)
  }

  /** However long it takes: as long as one is not back, no other one goes. */
  #awaitBack({ member, began, executed, isStarted }: Current): void {
    const { members, params } = this.#options
    if (!isStarted || !member.isServing(executed, quorumSize(members.length))) return
    this.#recovered += 1
    const done = { replica: member.id, began, tookMs: Date.now() - began, repaired: (member.report?.damage ?? null) !== null }
    this.#done = [...this.#done, done].slice(-doneMax)
    if (params.rounds !== null && this.#recovered >= params.rounds * members.length) this.#running = false
    this.#end(member)
  }

  #end(member: Member): void {
    member.recovering = false
    this.#current = null
    if (!this.#running) this.#rest()
    this.#options.onStatus(this.status())
  }
}

const restart = async (member: Member): Promise<Result<null>> => {
  const stopped = await member.stop()
  return stopped.ok ? member.start() : stopped
}
