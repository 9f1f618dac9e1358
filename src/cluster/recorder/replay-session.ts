/**
 * A replay that one steps through, forward and back. The core cannot be run backwards, and its state cannot be copied: so some replays are
 * parked at places spread over the recording, made in the background, and a jump goes on from the nearest one before its target.
 */
import type { ReplayMoment, ReplaySessionInfo } from '../../contract/replay.ts'
import { sha256 } from '../../link/index.ts'
import { diffOf, Replay, stateView, type ReplayedStep, type ReplayProblem, type ReplayProof } from '../../pbft/replay/index.ts'
import { jsonOf } from './message-detail.ts'
import { BlockSource, processesOf } from './replay-source.ts'
import { makePauses } from './run-messages.ts'
import type { Segments } from './segments.ts'

const parkedMax = 8
/** Shorter recordings are run again from their start faster than anyone notices. */
const parkedEveryMin = 20_000

export type ReplayTarget =
  { readonly steps: number } | { readonly place: number } | { readonly seq: number } | { readonly view: number } | { readonly at: number }

export type OpenedSession =
  { readonly ok: true; readonly session: ReplaySession } | { readonly ok: false; readonly problem: ReplayProblem | 'no-process' }

export class ReplaySession {
  readonly info: ReplaySessionInfo
  readonly #source: BlockSource
  readonly #start: number
  #current: Replay
  #last: ReplayedStep | null = null
  #inputs = 0
  #proof: ReplayProof
  /** By the place where they have to be; null while it is being made. */
  readonly #parked = new Map<number, { readonly replay: Replay; readonly inputs: number } | null>()
  /** Places of the inputs that were taken, to step back by. */
  readonly #places: number[] = []
  /** The state before the last input, when it was known to be the last. */
  #before: ReturnType<typeof stateView> | null = null
  /** One call after another. */
  #turn: Promise<unknown> = Promise.resolve()
  #isParking = false
  #closed = false

  private constructor(info: ReplaySessionInfo, source: BlockSource, start: number, replay: Replay) {
    this.info = info
    this.#source = source
    this.#start = start
    this.#current = replay
    this.#proof = replay.proof
    const every = Math.max(parkedEveryMin, Math.ceil(source.count / (parkedMax + 1)))
    for (let place = every; place < source.count; place += every) this.#parked.set(place, null)
    void this.#park()
  }

  /** `process` counts from 1; null: the last one. */
  static open(id: string, segments: Segments, replica: number, process: number | null): OpenedSession {
    const processes = processesOf(segments)
    const number = process ?? processes.length
    const recorded = processes[number - 1]
    if (recorded === undefined) return { ok: false, problem: 'no-process' }
    const source = new BlockSource(segments, recorded)
    const start = recorded.start ?? 0
    const opened = Replay.open(source, start, sha256)
    if (!opened.ok) return opened
    const { firstAt, lastAt } = recorded
    const info = { session: id, replica, process: number, count: source.count, from: firstAt, to: lastAt }
    return { ok: true, session: new ReplaySession(info, source, start, opened.replay) }
  }

  /** Goes there, or to the end when that comes first. */
  to(target: ReplayTarget): Promise<ReplayMoment> {
    const moment = this.#turn.then(() => this.#to(target))
    this.#turn = moment.catch(() => undefined)
    return moment
  }

  async #to(target: ReplayTarget): Promise<ReplayMoment> {
    this.#before = null
    if ('steps' in target) await this.#by(target.steps)
    else {
      if (this.#isBehind(target)) this.#rewind('place' in target ? target.place : 0)
      await this.#forward(
        () => this.#isAt(target),
        () => 'place' in target && this.#current.next >= target.place,
      )
    }
    return this.#moment()
  }

  close(): void {
    this.#closed = true
    this.#parked.clear()
  }

  /** So many inputs on, or back. */
  async #by(steps: number): Promise<void> {
    const wanted = Math.max(0, this.#inputs + steps)
    if (wanted < this.#inputs) this.#rewind(wanted === 0 ? 0 : (this.#places[wanted - 1] ?? 0))
    await this.#forward(
      () => this.#inputs >= wanted,
      () => this.#inputs + 1 >= wanted,
    )
  }

  #isAt(target: ReplayTarget): boolean {
    if ('seq' in target) return this.#current.state.lastExecuted >= target.seq
    if ('view' in target) return this.#current.state.view >= target.view
    const last = this.#last
    if ('at' in target) return last !== null && last.at >= target.at
    return 'place' in target && last !== null && last.index >= target.place
  }

  /** Whether the target may lie before where this stands, or exactly here, which is found only by coming from before. */
  #isBehind(target: ReplayTarget): boolean {
    if (this.#last === null) return false
    return this.#isAt(target) && !('place' in target && this.#last.index === target.place)
  }

  /** To a parked replay before `place`, or to the start. */
  #rewind(place: number): void {
    let best: number | null = null
    for (const [at, parked] of this.#parked) {
      if (parked !== null && parked.replay.next <= place && (best === null || at > best)) best = at
    }
    const parked = best === null ? null : this.#parked.get(best)
    this.#last = null
    if (best !== null && parked !== null && parked !== undefined) {
      this.#current = parked.replay
      this.#inputs = parked.inputs
      this.#parked.set(best, null)
      void this.#park()
      return
    }
    this.#current = this.#fresh()
    this.#inputs = 0
  }

  #fresh(): Replay {
    const opened = Replay.open(this.#source, this.#start, sha256)
    if (!opened.ok) throw new Error(`a recording that was readable no longer is: ${opened.problem}`)
    return opened.replay
  }

  /** `isNext`: the next input leads there, as far as that is known before. */
  async #forward(isThere: () => boolean, isNext: () => boolean): Promise<void> {
    const pause = makePauses()
    while (!isThere()) {
      if (isNext()) this.#before = stateView(this.#current)
      const step = this.#current.step()
      if (step === null) break
      this.#last = step
      this.#places[this.#inputs] = step.index
      this.#inputs += 1
      await pause()
    }
    const { proof } = this.#current
    if (proof.inputs >= this.#proof.inputs) this.#proof = proof
  }

  /** Makes the parked replays that are missing, one after another, while others have their turns. */
  async #park(): Promise<void> {
    if (this.#isParking) return
    this.#isParking = true
    const pause = makePauses()
    for (let place = this.#missing(); place !== null && !this.#closed; place = this.#missing()) {
      const replay = this.#fresh()
      let inputs = 0
      while (!this.#closed && replay.next < place && replay.step() !== null) {
        inputs += 1
        await pause()
      }
      this.#parked.set(place, { replay, inputs })
    }
    this.#isParking = false
    if (this.#closed) this.#parked.clear()
  }

  #missing(): number | null {
    for (const [place, parked] of this.#parked) if (parked === null) return place
    return null
  }

  #moment(): ReplayMoment {
    const state = stateView(this.#current)
    const last = this.#last
    const { view, lastExecuted } = this.#current.state
    return {
      session: this.info.session,
      place: last?.index ?? null,
      at: last?.at ?? null,
      inputs: this.#inputs,
      input: last === null ? null : jsonOf(last.input),
      effects: last === null ? [] : last.effects.map(jsonOf),
      state,
      changes: this.#before === null ? [] : diffOf(this.#before, state),
      view,
      lastExecuted,
      stateDigest: this.#current.stateDigest(),
      ended: this.#current.next >= this.#source.count || this.#source.entry(this.#current.next) === null,
      proof: this.#proof,
    }
  }
}
