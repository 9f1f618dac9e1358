/** Does the harm that the fault mix asks for, one action after another, and undoes each after a while. */
import { noLinkFault } from '../faults/index.ts'
import type { FaultMix, NemesisAction } from './fault-mix.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import type { Trace } from './trace.ts'

export type VoteKind = 'prepare' | 'commit'

/** What it can do to the world; replicas and clients are endpoints, replicas the first `n`. */
export interface NemesisWorld {
  readonly schedule: Schedule
  readonly trace: Trace
  readonly mix: FaultMix
  readonly n: number
  readonly endpoints: number
  primary(): number
  crash(replica: number): void
  /** Crashes it the next time that a proposal of its own leaves before it is durable. */
  crashAtProposal(replica: number): void
  restart(replica: number): void
  /** An orderly end. */
  stop(replica: number): void
  /** Whether one more replica may lose its disk: that is a fault, and more than f are not survived. */
  maySpoilDisk(replica: number): boolean
  /** Crashes it and leaves nothing on its disk. */
  wipe(replica: number): void
  /** Keeps what is on its disk now for a later `putBack`, which crashes it. */
  copyDisk(replica: number): void
  putBack(replica: number): void
  cut(from: number, to: number): void
  heal(from: number, to: number): void
  slow(from: number, to: number, delayMs: number): void
  /** From now on votes of this kind are lost on their way to all but this one; null: to none. */
  loseVotes(kind: VoteKind, except: number | null): void
  jumpClock(replica: number): void
  changeView(replica: number): void
  /** Whether the action with this number, the first being 0, is not to happen. */
  leavesOut(action: number): boolean
}

/** In which nothing can be done: for actions that are left out, so that those after them stay what they are. */
const nothing = (): void => {}
const inertly = (world: NemesisWorld): NemesisWorld => ({
  ...world,
  crash: nothing,
  crashAtProposal: nothing,
  restart: nothing,
  cut: nothing,
  heal: nothing,
  slow: nothing,
  loseVotes: nothing,
  jumpClock: nothing,
  changeView: nothing,
})

type Pair = readonly [from: number, to: number]

export class Nemesis {
  readonly #world: NemesisWorld
  readonly #random: Random
  readonly #aims: Random
  readonly #lateness: Random
  readonly #undo = new Set<() => void>()
  /** That of the action under way. */
  #hands: NemesisWorld
  #actions = 0
  #isStopped = false

  constructor(world: NemesisWorld, random: Random) {
    this.#world = world
    this.#hands = world
    this.#random = random
    this.#aims = random.fork('aims')
    this.#lateness = random.fork('lateness')
  }

  /** How many there have been. */
  get actions(): number {
    return this.#actions
  }

  start(): void {
    if (this.#world.mix.actions.length > 0) this.#next()
    if (this.#world.mix.lateCommitsGapMs > 0) this.#delayCommits()
  }

  /** Undoes everything that is still in force. */
  stop(): void {
    this.#isStopped = true
    for (const kind of ['prepare', 'commit'] as const) this.#world.loseVotes(kind, null)
    for (const undo of [...this.#undo]) undo()
  }

  #next(): void {
    this.#world.schedule.after(this.#random.gap(this.#world.mix.actionGapMs), () => {
      if (this.#isStopped) return
      this.#act(this.#random.pick(this.#world.mix.actions))
      this.#next()
    })
  }

  /** Again and again, to one replica first and another one then. */
  #delayCommits(): void {
    const { schedule, mix, n } = this.#world
    schedule.after(this.#lateness.gap(mix.lateCommitsGapMs), () => {
      if (this.#isStopped) return
      this.#world.loseVotes('commit', this.#lateness.whole(0, n - 1))
      this.#later(
        () => {
          this.#world.loseVotes('commit', null)
          if (!this.#isStopped) this.#delayCommits()
        },
        this.#lateness.between(10, 80),
      )
    })
  }

  #act(action: NemesisAction): void {
    const { n } = this.#world
    const one = this.#random.whole(0, n - 1)
    const number = this.#actions++
    const isLeftOut = this.#world.leavesOut(number)
    this.#hands = isLeftOut ? inertly(this.#world) : this.#world
    this.#world.trace.line(this.#world.schedule.now, `nemesis ${isLeftOut ? 'leaves out ' : ''}${number}: ${action} ${one}`)
    switch (action) {
      case 'crash':
        return this.#crash([one])
      case 'crash-primary':
        return this.#crashPrimary(this.#world.primary())
      case 'crash-all':
        return this.#crash(Array.from({ length: n }, (_, replica) => replica))
      case 'isolate':
        return this.#cut(this.#around([one]))
      case 'isolate-primary':
        return this.#cut(this.#around([this.#world.primary()]))
      case 'one-prepares':
        return this.#letOnePrepare(one)
      case 'cut':
        return this.#cut([[one, this.#otherThan(one)]])
      case 'partition':
        return this.#cut(this.#around(Array.from({ length: n }, (_, replica) => replica).filter(() => this.#random.chance(0.5))))
      case 'slow-link':
        return this.#slow(one, this.#otherThan(one))
      case 'stop':
        return this.#stop(this.#aims.chance(0.5) ? this.#world.primary() : one)
      case 'wipe':
        return this.#wipe(one)
      case 'old-disk':
        return this.#putBackOldDisk(one)
      case 'clock-jump':
        return this.#hands.jumpClock(one)
      case 'change-view':
        return this.#hands.changeView(one)
      case 'change-views':
        for (let replica = 0; replica < n; replica++) this.#hands.changeView(replica)
        return
    }
  }

  /** At any moment, or at the worst one. */
  #crashPrimary(replica: number): void {
    if (this.#aims.chance(0.5)) return this.#crash([replica])
    const hands = this.#hands
    hands.crashAtProposal(replica)
    this.#later(() => hands.restart(replica))
  }

  #crash(replicas: readonly number[]): void {
    const hands = this.#hands
    for (const replica of replicas) hands.crash(replica)
    for (const replica of replicas) this.#later(() => hands.restart(replica))
  }

  #stop(replica: number): void {
    this.#world.stop(replica)
    this.#later(() => this.#world.restart(replica))
  }

  #wipe(replica: number): void {
    if (!this.#world.maySpoilDisk(replica)) return
    this.#world.wipe(replica)
    this.#later(() => this.#world.restart(replica))
  }

  #putBackOldDisk(replica: number): void {
    this.#world.copyDisk(replica)
    this.#world.schedule.after(this.#random.gap(2 * this.#world.mix.actionLengthMs), () => {
      if (this.#isStopped || !this.#world.maySpoilDisk(replica)) return
      this.#world.putBack(replica)
      this.#later(() => this.#world.restart(replica))
    })
  }

  /** Both directions between `inside` and everyone else; clients are outside. */
  #around(inside: readonly number[]): Pair[] {
    const pairs: Pair[] = []
    for (const replica of inside) {
      for (let other = 0; other < this.#world.endpoints; other++) {
        if (!inside.includes(other)) pairs.push([replica, other], [other, replica])
      }
    }
    return pairs
  }

  #letOnePrepare(one: number): void {
    const hands = this.#hands
    const pairs = this.#around([one])
    const heal = (): void => {
      for (const [from, to] of pairs) hands.heal(from, to)
    }
    hands.loseVotes('prepare', one)
    this.#world.schedule.after(this.#aims.between(10, 60), () => {
      hands.loseVotes('prepare', null)
      if (this.#isStopped) return
      for (const [from, to] of pairs) hands.cut(from, to)
      for (let other = 0; other < this.#world.n; other++) if (other !== one) hands.changeView(other)
      // Often so short that it comes back by executing what was agreed, and not by a state transfer, which would hide what is wrong.
      this.#later(heal, this.#aims.between(20, 200))
    })
  }

  #cut(pairs: readonly Pair[]): void {
    const hands = this.#hands
    for (const [from, to] of pairs) hands.cut(from, to)
    this.#later(() => {
      for (const [from, to] of pairs) hands.heal(from, to)
    })
  }

  #slow(from: number, to: number): void {
    const hands = this.#hands
    hands.slow(from, to, this.#random.pick([50, 300, 1_000]))
    this.#later(() => hands.slow(from, to, noLinkFault.delayMs))
  }

  #otherThan(one: number): number {
    const other = this.#random.whole(0, this.#world.n - 2)
    return other >= one ? other + 1 : other
  }

  /** After a while, or when everything is healed: once. */
  #later(action: () => void, afterMs = this.#random.gap(this.#world.mix.actionLengthMs)): void {
    const undo = (): void => {
      if (this.#undo.delete(undo)) action()
    }
    this.#undo.add(undo)
    this.#world.schedule.after(afterMs, undo)
  }
}
