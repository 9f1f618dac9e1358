/** The active faults of an open cluster: injected, confirmed, expired, healed, and told again to replicas that come back. */
import { randomUUID } from 'node:crypto'
import type { ActiveFault, FaultRequest, TransportFaults } from '../contract/faults.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { faultProblem, isCut, replicasAffected, transportFaultsOf } from './faults.ts'
import type { Member } from './member.ts'
import { replicaList } from './sentence.ts'

const faultsMax = 200

interface Entry {
  readonly id: string
  readonly fault: FaultRequest
  readonly since: number
  readonly expires: number | null
  readonly pending: Set<number>
  readonly timer: NodeJS.Timeout | null
}

export interface FaultBoardOptions {
  readonly members: readonly Member[]
  onChange(what: 'injected' | 'healed' | 'expired', fault: ActiveFault): void
  /** Processes that are stopped now. */
  onPaused(pids: readonly number[]): void
}

export class FaultBoard {
  readonly #options: FaultBoardOptions
  readonly #entries = new Map<string, Entry>()
  /** Replicas that were told of faults and have not confirmed since that they have none. */
  readonly #uncleared = new Set<number>()

  constructor(options: FaultBoardOptions) {
    this.#options = options
  }

  list(): ActiveFault[] {
    return [...this.#entries.values()].map(activeOf)
  }

  /** Faults on links, other than isolations: the others show in the replicas' states. */
  get linkFaults(): number {
    return this.#requests().filter((fault) => !('replica' in fault)).length
  }

  hears(from: number, to: number): boolean {
    return !isCut(this.#requests(), from, to)
  }

  /**
   * Injects and waits for the replicas that can be reached. Errors: `bad-request` (no such replica), `faults-not-allowed`,
   * `not-local` and `replica-unavailable` (pause), `busy` (200 are active).
   */
  async inject(fault: FaultRequest): Promise<Result<ActiveFault>> {
    const { members } = this.#options
    const problem = faultProblem(fault, members.length)
    if (problem !== null) return fail('bad-request', problem, [{ path: 'fault', message: problem }])
    if (this.#entries.size >= faultsMax) return fail('busy', `${faultsMax} faults are active: heal some first`)
    const affected = replicasAffected(fault, members.length)
    const unwilling = affected.filter((id) => members[id]?.report?.allowsFaults === false)
    if (unwilling.length > 0) {
      return fail('faults-not-allowed', `${replicaList(unwilling)} was started without fault injection`, { replicas: unwilling })
    }
    if (fault.type === 'pause') {
      const paused = members[fault.replica]?.pause() ?? ok(null)
      if (!paused.ok) return paused
      this.#tellPaused()
    }
    const entry = this.#enter(fault, affected)
    this.#markMembers()
    this.#options.onChange('injected', activeOf(entry))
    const refusal = await this.#send(affected)
    if (refusal !== null) {
      await this.#remove(entry, 'healed')
      return refusal
    }
    return ok(activeOf(entry))
  }

  /** Error `not-found` when there is no such fault. */
  async heal(id: string): Promise<Result<null>> {
    const entry = this.#entries.get(id)
    if (entry === undefined) return fail('not-found', `there is no active fault ${id}`)
    await this.#remove(entry, 'healed')
    return ok(null)
  }

  /** Ends all faults, also those that an earlier panel left at replicas that run elsewhere. */
  async healAll(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#remove(entry, 'healed')))
    const left = this.#options.members.filter((member) => member.report !== null && hasFaults(member.report.faults))
    await this.#send(left.map((member) => member.id))
  }

  /**
   * A replica's control link is up (again): it is told the whole state of its faults. Also when there are none any more: one that was stopped
   * may read what it was told of them only now, when its healing found no link.
   */
  async memberUp(id: number): Promise<void> {
    if (this.#uncleared.has(id)) await this.#send([id])
    else if (this.#requests().some((fault) => replicasAffected(fault, this.#options.members.length).includes(id))) await this.#send([id])
  }

  /** A replica's process ended: a pause of it is over. */
  memberExited(id: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.fault.type === 'pause' && entry.fault.replica === id) void this.#remove(entry, 'healed')
    }
  }

  /** Ends all timers; the faults stay as they are. */
  close(): void {
    for (const { timer } of this.#entries.values()) if (timer !== null) clearTimeout(timer)
  }

  #enter(fault: FaultRequest, affected: readonly number[]): Entry {
    const since = Date.now()
    const id = randomUUID()
    const timer = fault.durationMs === null ? null : setTimeout(() => this.#expire(id), fault.durationMs)
    const expires = fault.durationMs === null ? null : since + fault.durationMs
    const entry: Entry = { id, fault, since, expires, pending: new Set(affected), timer }
    this.#entries.set(id, entry)
    return entry
  }

  #expire(id: string): void {
    const entry = this.#entries.get(id)
    if (entry !== undefined) void this.#remove(entry, 'expired')
  }

  async #remove(entry: Entry, what: 'healed' | 'expired'): Promise<void> {
    if (!this.#entries.delete(entry.id)) return
    if (entry.timer !== null) clearTimeout(entry.timer)
    const { members } = this.#options
    const { fault } = entry
    if (fault.type === 'pause' && !this.#requests().some((other) => other.type === 'pause' && other.replica === fault.replica)) {
      members[fault.replica]?.resume()
      this.#tellPaused()
    }
    this.#markMembers()
    this.#options.onChange(what, activeOf(entry))
    await this.#send(replicasAffected(fault, members.length))
  }

  /** Sends each its whole fault state; those without a link get it when they come back. Null, or the first refusal. */
  async #send(ids: readonly number[]): Promise<Result<never> | null> {
    const { members } = this.#options
    const requests = this.#requests()
    const told = [...this.#entries.values()]
    const answers = await Promise.all(
      ids.map(async (id) => {
        const member = members[id]
        if (member?.up !== true || member.paused) return null
        const faults = transportFaultsOf(requests, id, members.length)
        if (hasFaults(faults)) this.#uncleared.add(id)
        const answer = await member.setFaults(faults)
        if (answer.ok && !hasFaults(faults)) this.#uncleared.delete(id)
        if (answer.ok) for (const entry of told) entry.pending.delete(id)
        return answer.ok || answer.error.code === 'replica-unavailable' || answer.error.code === 'timeout' ? null : answer
      }),
    )
    return answers.find((answer) => answer !== null) ?? null
  }

  #markMembers(): void {
    const isolated = new Set(this.#requests().flatMap((fault) => (fault.type === 'isolate' ? [fault.replica] : [])))
    const faulty = new Set(this.#requests().flatMap((fault) => (fault.type === 'byzantine' ? [fault.replica] : [])))
    for (const member of this.#options.members) {
      member.isolated = isolated.has(member.id)
      member.faulty = faulty.has(member.id)
    }
  }

  #tellPaused(): void {
    this.#options.onPaused(this.#options.members.flatMap((member) => (member.paused && member.pid !== null ? [member.pid] : [])))
  }

  #requests(): FaultRequest[] {
    return [...this.#entries.values()].map((entry) => entry.fault)
  }
}

const hasFaults = (faults: TransportFaults): boolean =>
  faults.byzantine !== null || faults.clientsCut || faults.incomingCut.length > 0 || faults.outgoing.length > 0

const activeOf = ({ id, fault, since, expires, pending }: Entry): ActiveFault => ({ id, fault, since, expires, pending: [...pending] })
