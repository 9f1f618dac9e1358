/** What the run looked like over time: the status written down as it changes, and asked of the recorder again. */
import type { ValidParams } from '../contract/api.ts'
import type { ClusterStatus } from '../contract/model.ts'
import { fail, type Result } from '../contract/result.ts'
import type { Moment, Timeline } from '../contract/timeline.ts'
import type { Recording } from './recording.ts'

/** While figures move, and while nothing does: the record says then that the cluster was there. */
const movingMs = 1_000
const restingMs = 5_000

const noRecorder = fail('busy', 'the recorder is being started again: try again in a moment')

export class History {
  readonly #recording: Recording
  #written: ClusterStatus | null = null
  /** The last one that came. */
  #seen: ClusterStatus | null = null

  constructor(recording: Recording) {
    this.#recording = recording
  }

  /**
   * Takes every status that is made; writes what one would miss: the last one before and the first one after a change of more than figures,
   * and figures once a second while they move and when they have come to rest.
   */
  take(status: ClusterStatus): void {
    const written = this.#written
    const seen = this.#seen
    this.#seen = status
    if (written === null) return this.write(status)
    const age = status.at - written.at
    if (looksOf(status) !== looksOf(written)) {
      if (seen !== null && seen !== written) this.write(seen)
      return this.write(status)
    }
    const moved = status.lastExecuted !== written.lastExecuted
    const rests = status.lastExecuted === seen?.lastExecuted
    if (age >= restingMs || (moved && (rests || age >= movingMs))) this.write(status)
  }

  /** Writes it whatever was written before: the last one of a run. */
  write(status: ClusterStatus): void {
    this.#written = status
    this.#recording.write({ kind: 'status', status })
  }

  /** Errors: `bad-request` (an empty window), `busy`. */
  async timeline(params: ValidParams<'timeline'>): Promise<Result<Timeline>> {
    if (params.to <= params.from) return fail('bad-request', 'timeline: `to` has to be after `from`')
    return (await this.#recording.query('timeline', params)) ?? noRecorder
  }

  /** Error `busy`. */
  async moment(at: number): Promise<Result<Moment>> {
    return (await this.#recording.query('moment', { at })) ?? noRecorder
  }
}

/** Everything that a person would call another situation. */
const looksOf = ({ verdict, view, primary, replicas, faults, monitors }: ClusterStatus): string =>
  JSON.stringify([
    verdict.key,
    view,
    primary,
    replicas.map((replica) => [replica.state, replica.view, replica.active, replica.transfer?.seq ?? null]),
    faults.map(({ id, pending }) => [id, pending]),
    monitors.map(({ state }) => state),
  ])
