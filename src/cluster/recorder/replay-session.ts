/**
 * A replay that one steps through, forward and back. The core cannot be run backwards: so one replay goes through the whole recording in
 * the background and leaves copies of itself at even distances, and a jump goes on from a copy of the nearest one before its target.
 */
import type { ReplayMoment, ReplaySessionInfo } from '../../contract/replay.ts'
import { sha256 } from '../../link/index.ts'
import { diffOf, Replay, stateView, type ReplayedStep, type ReplayProblem, type ReplayProof } from '../../pbft/replay/index.ts'
import { jsonOf } from './message-detail.ts'
import { BlockSource, processesOf } from './replay-source.ts'
import { makePauses } from './pauses.ts'
import type { Segments } from './segments.ts'

/** Copies at most, and entries between two at least: so few are run through faster than anyone notices. */
const copiesMax = 128
const distanceMin = 1_000
/** Objects of all copies together; beyond it every second one goes. Some 100 bytes each. */
const objectsMax = 2_000_000

export type ReplayTarget =
  { readonly steps: number } | { readonly place: number } | { readonly seq: number } | { readonly view: number } | { readonly at: number }

export type OpenedSession =
  { readonly ok: true; readonly session: ReplaySession } | { readonly ok: false; readonly problem: ReplayProblem | 'no-process' }

/** A replay, and how it came to where it stands. */
interface Standing {
  readonly replay: Replay
  readonly last: ReplayedStep | null
  /** Inputs taken since the start. */
  readonly inputs: number
}

export class ReplaySession {
  readonly info: ReplaySessionInfo
  readonly #source: BlockSource
  readonly #start: number
  /** Where the operator stands. */
  #current: Standing
  /** Goes through everything once. */
  #leader: Standing
  #distance: number
  #nextCopyAt: number
  /** Copies of the leader, in order; they take no step themselves. */
  #copies: Standing[] = []
  #objects = 0
  #proof: ReplayProof
  /** The state before the last input, when it was known to be the last. */
  #before: ReturnType<typeof stateView> | null = null
  /** One call after another. */
  #turn: Promise<unknown> = Promise.resolve()
  #closed = false

  private constructor(info: ReplaySessionInfo, source: BlockSource, start: number, replay: Replay) {
    this.info = info
    this.#source = source
    this.#start = start
    this.#current = { replay, last: null, inputs: 0 }
    this.#leader = this.#fresh()
    this.#proof = replay.proof
    this.#distance = Math.max(distanceMin, Math.ceil(source.count / copiesMax))
    this.#nextCopyAt = this.#leader.replay.next + this.#distance
    void this.#prepare()
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

  close(): void {
    this.#closed = true
    this.#copies = []
  }

  async #to(target: ReplayTarget): Promise<ReplayMoment> {
    const { isAt, isNext } = 'steps' in target ? afterInputs(Math.max(0, this.#current.inputs + target.steps)) : atTarget(target)
    this.#before = null
    // The leader leaves copies on its way, so that this is gone through once.
    const pause = makePauses()
    while (!isAt(this.#leader) && this.#lead()) await pause()
    this.#current = this.#nearest(isAt)
    while (!isAt(this.#current)) {
      if (isNext(this.#current)) this.#before = stateView(this.#current.replay)
      const step = this.#stepOf(this.#current)
      if (step === null) break
      this.#current = step
      await pause()
    }
    const { proof } = this.#current.replay
    const differs = proof.divergences.length > this.#proof.divergences.length
    if (differs || (this.#proof.divergences.length === 0 && proof.inputs >= this.#proof.inputs)) this.#proof = proof
    return this.#moment()
  }

  /** What to go on from: the nearest before the target, to see the input that leads there; here, when this is the place itself. */
  #nearest(isAt: Destination['isAt']): Standing {
    const candidates = this.#copies.filter((copy) => !isAt(copy))
    const copy = candidates.at(-1)
    const isBefore = !isAt(this.#current)
    if (isBefore && (copy === undefined || copy.inputs <= this.#current.inputs)) return this.#current
    return copy === undefined ? this.#fresh() : { ...copy, replay: copy.replay.copy() }
  }

  #stepOf({ replay, inputs }: Standing): Standing | null {
    const step = replay.step()
    if (step === null) return null
    return { replay, last: step, inputs: inputs + 1 }
  }

  /** One input further, with a copy when one is due. False at the end. */
  #lead(): boolean {
    const step = this.#stepOf(this.#leader)
    if (step === null) return false
    this.#leader = step
    if (step.replay.next >= this.#nextCopyAt) this.#leaveCopy(step)
    return true
  }

  #leaveCopy(standing: Standing): void {
    const replay = standing.replay.copy()
    // Of the effects only the step that one looks at is of interest, and one comes to that by stepping.
    const last = standing.last === null ? null : { ...standing.last, effects: [] }
    this.#copies.push({ ...standing, replay, last })
    this.#objects += replay.objects
    if (this.#objects > objectsMax && this.#copies.length > 1) {
      this.#copies = this.#copies.filter((_, index) => index % 2 === 1)
      this.#objects = this.#copies.reduce((sum, copy) => sum + copy.replay.objects, 0)
      this.#distance *= 2
    }
    this.#nextCopyAt = standing.replay.next + this.#distance
  }

  /** Goes through the recording while nobody asks. */
  async #prepare(): Promise<void> {
    const pause = makePauses()
    while (!this.#closed) {
      await this.#turn
      if (!this.#lead()) break
      await pause()
    }
    if (this.#closed) this.#copies = []
  }

  #fresh(): Standing {
    const opened = Replay.open(this.#source, this.#start, sha256)
    if (!opened.ok) throw new Error(`a recording that was readable no longer is: ${opened.problem}`)
    return { replay: opened.replay, last: null, inputs: 0 }
  }

  #moment(): ReplayMoment {
    const { replay, last, inputs } = this.#current
    const state = stateView(replay)
    const { view, lastExecuted } = replay.state
    return {
      session: this.info.session,
      place: last?.index ?? null,
      at: last?.at ?? null,
      inputs,
      input: last === null ? null : jsonOf(last.input),
      effects: last === null ? [] : last.effects.map(jsonOf),
      state,
      changes: this.#before === null ? [] : diffOf(this.#before, state),
      view,
      lastExecuted,
      stateDigest: replay.stateDigest(),
      ended: replay.next >= this.#source.count || this.#source.entry(replay.next) === null,
      prepared: this.#leader.replay.next,
      proof: this.#proof,
    }
  }
}

/** Whether a replay stands where it is to go, or beyond; and whether its next input leads there, as far as that is known before. */
interface Destination {
  readonly isAt: (standing: Standing) => boolean
  readonly isNext: (standing: Standing) => boolean
}

const afterInputs = (inputs: number): Destination => ({
  isAt: (standing) => standing.inputs >= inputs,
  isNext: (standing) => standing.inputs + 1 >= inputs,
})

const atTarget = (target: Exclude<ReplayTarget, { steps: number }>): Destination => ({
  isAt({ replay, last }) {
    if ('seq' in target) return replay.state.lastExecuted >= target.seq
    if ('view' in target) return replay.state.view >= target.view
    if ('at' in target) return last !== null && last.at >= target.at
    return last !== null && last.index >= target.place
  },
  isNext: ({ replay }) => 'place' in target && replay.next >= target.place,
})
