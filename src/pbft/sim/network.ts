/** The simulated network between endpoints 0..count-1, a link in each direction between any two. */
import { noLinkFault, planDeliveries, type LinkRule } from '../faults/index.ts'
import type { Random } from './random.ts'
import type { Schedule } from './schedule.ts'

interface Direction {
  rule: LinkRule
  /** Cuts may overlap; the link works again when the last one is healed. */
  cuts: number
  lastDueMs: number
}

export type Deliver = (from: number, to: number, bytes: Uint8Array, corrupt: boolean) => void

export class SimNetwork {
  readonly #schedule: Schedule
  readonly #random: Random
  readonly #deliver: Deliver
  /** Endpoints. */
  readonly count: number
  readonly #directions: Direction[]

  constructor(schedule: Schedule, random: Random, count: number, deliver: Deliver) {
    this.#schedule = schedule
    this.#random = random
    this.#deliver = deliver
    this.count = count
    this.#directions = Array.from({ length: count * count }, () => ({ rule: noLinkFault, cuts: 0, lastDueMs: 0 }))
  }

  setRule(from: number, to: number, rule: LinkRule): void {
    this.#direction(from, to).rule = rule
  }

  cut(from: number, to: number): void {
    this.#direction(from, to).cuts++
  }

  /** Undoes one cut; true when the direction works again. */
  heal(from: number, to: number): boolean {
    const direction = this.#direction(from, to)
    direction.cuts--
    return direction.cuts === 0
  }

  isCut(from: number, to: number): boolean {
    return this.#direction(from, to).cuts > 0
  }

  send(from: number, to: number, bytes: Uint8Array): void {
    const direction = this.#direction(from, to)
    const rule = direction.cuts > 0 ? { ...direction.rule, cut: true } : direction.rule
    const plan = planDeliveries(rule, this.#schedule.now, direction.lastDueMs, () => this.#random.next())
    direction.lastDueMs = plan.lastDueMs
    for (const { dueMs, corrupt } of plan.deliveries) {
      this.#schedule.at(dueMs, () => {
        // A cut also stops what is on its way.
        if (direction.cuts === 0) this.#deliver(from, to, bytes, corrupt)
      })
    }
  }

  #direction(from: number, to: number): Direction {
    return this.#directions[from * this.count + to]!
  }
}
