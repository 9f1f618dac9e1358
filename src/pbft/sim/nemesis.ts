/** Does the harm that the fault mix asks for, one action after another, and undoes each after a while. */
import { noLinkFault } from '../faults/index.ts'
import type { FaultMix, NemesisAction } from './fault-mix.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'
import type { Trace } from './trace.ts'

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
  cut(from: number, to: number): void
  heal(from: number, to: number): void
  slow(from: number, to: number, delayMs: number): void
  jumpClock(replica: number): void
  changeView(replica: number): void
}

type Pair = readonly [from: number, to: number]

export class Nemesis {
  readonly #world: NemesisWorld
  readonly #random: Random
  readonly #aims: Random
  readonly #undo = new Set<() => void>()
  #isStopped = false

  constructor(world: NemesisWorld, random: Random) {
    this.#world = world
    this.#random = random
    this.#aims = random.fork('aims')
  }

  start(): void {
    if (this.#world.mix.actions.length > 0) this.#next()
  }

  /** Undoes everything that is still in force. */
  stop(): void {
    this.#isStopped = true
    for (const undo of [...this.#undo]) undo()
  }

  #next(): void {
    this.#world.schedule.after(this.#random.gap(this.#world.mix.actionGapMs), () => {
      if (this.#isStopped) return
      this.#act(this.#random.pick(this.#world.mix.actions))
      this.#next()
    })
  }

  #act(action: NemesisAction): void {
    const { n } = this.#world
    const one = this.#random.whole(0, n - 1)
    this.#world.trace.line(this.#world.schedule.now, `nemesis ${action} ${one}`)
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
      case 'cut':
        return this.#cut([[one, this.#otherThan(one)]])
      case 'partition':
        return this.#cut(this.#around(Array.from({ length: n }, (_, replica) => replica).filter(() => this.#random.chance(0.5))))
      case 'slow-link':
        return this.#slow(one, this.#otherThan(one))
      case 'clock-jump':
        return this.#world.jumpClock(one)
      case 'change-view':
        return this.#world.changeView(one)
    }
  }

  /** At any moment, or at the worst one. */
  #crashPrimary(replica: number): void {
    if (this.#aims.chance(0.5)) return this.#crash([replica])
    this.#world.crashAtProposal(replica)
    this.#later(() => this.#world.restart(replica))
  }

  #crash(replicas: readonly number[]): void {
    for (const replica of replicas) this.#world.crash(replica)
    for (const replica of replicas) this.#later(() => this.#world.restart(replica))
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

  #cut(pairs: readonly Pair[]): void {
    for (const [from, to] of pairs) this.#world.cut(from, to)
    this.#later(() => {
      for (const [from, to] of pairs) this.#world.heal(from, to)
    })
  }

  #slow(from: number, to: number): void {
    this.#world.slow(from, to, this.#random.pick([50, 300, 1_000]))
    this.#later(() => this.#world.slow(from, to, noLinkFault.delayMs))
  }

  #otherThan(one: number): number {
    const other = this.#random.whole(0, this.#world.n - 2)
    return other >= one ? other + 1 : other
  }

  /** After a while, or when everything is healed: once. */
  #later(action: () => void): void {
    const undo = (): void => {
      if (this.#undo.delete(undo)) action()
    }
    this.#undo.add(undo)
    this.#world.schedule.after(this.#random.gap(this.#world.mix.actionLengthMs), undo)
  }
}
