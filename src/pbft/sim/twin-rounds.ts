/** Carries out a plan of twins: cuts the network anew at each round. */
import type { Schedule } from './schedule.ts'
import type { Trace } from './trace.ts'
import type { Round, TwinPlan } from './twins.ts'

export interface TwinWorld {
  readonly schedule: Schedule
  readonly trace: Trace
  /** Of replicas 0..n-1 and, at n, of the second twin. */
  readonly endpoints: readonly number[]
  readonly clients: readonly number[]
  cut(from: number, to: number): void
  heal(from: number, to: number): void
}

export class TwinRounds {
  readonly #world: TwinWorld
  readonly #plan: TwinPlan
  #cuts: (readonly [number, number])[] = []
  #isStopped = false
  #next = 0

  constructor(world: TwinWorld, plan: TwinPlan) {
    this.#world = world
    this.#plan = plan
  }

  start(): void {
    this.#begin()
  }

  /** The last round has had its time. */
  get isOver(): boolean {
    return this.#next > this.#plan.rounds.length
  }

  /** From now on everyone hears both twins. */
  stop(): void {
    this.#isStopped = true
    this.#heal()
  }

  #begin(): void {
    const index = this.#next++
    const round = this.#plan.rounds[index]
    if (this.#isStopped || round === undefined) return
    this.#world.trace.line(this.#world.schedule.now, `twins of ${this.#plan.replica}, round ${index}: groups ${round.join('')}`)
    this.#heal()
    this.#cuts = [...this.#between(round), ...this.#fromClients(index)]
    for (const [from, to] of this.#cuts) this.#world.cut(from, to)
    this.#world.schedule.after(this.#plan.roundMs, () => this.#begin())
  }

  #heal(): void {
    for (const [from, to] of this.#cuts) this.#world.heal(from, to)
    this.#cuts = []
  }

  #between(round: Round): (readonly [number, number])[] {
    const { endpoints } = this.#world
    return endpoints.flatMap((a, i) => endpoints.flatMap((b, j) => (i !== j && round[i] !== round[j] ? [[a, b] as const] : [])))
  }

  /** Each client sees one twin only, and the other one in the next round. */
  #fromClients(index: number): (readonly [number, number])[] {
    const { endpoints, clients } = this.#world
    const twin = endpoints.at(-1)
    const original = endpoints[this.#plan.replica]
    return clients.flatMap((client, i) => {
      const hidden = (i + index) % 2 === 0 ? twin : original
      return hidden === undefined ? [] : [[client, hidden] as const, [hidden, client] as const]
    })
  }
}
