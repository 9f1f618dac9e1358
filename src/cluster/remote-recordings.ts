/**
 * Fetches what replicas record that run elsewhere, over their control links, in pieces and one at a time from each, so that their runs are
 * there to be looked at and replayed like those of replicas that were started here. Nobody waits for it: a replica that records faster than it is
 * fetched drops its oldest segments as it always does, and what is missing then is a marked gap in the copy.
 */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { recordedPieceBytes } from '../contract/control.ts'
import type { Result } from '../contract/result.ts'
import type { AlarmKey } from '../contract/verdicts.ts'
import type { Member } from './member.ts'
import type { RecordedPlace } from './recorder/protocol.ts'
import type { Recording } from './recording.ts'

/** Of each replica, what one keeps of its own recording as a rule. */
const bytesMax = 256 * 1_048_576
/** Between two whole pieces of a replica, ms: some 10 MiB a second at most, so that fetching stays in the background there. */
const pauseMs = 25
/** How long the end of a run waits for the last pieces, ms. */
const finishMs = 2_000

export interface RemoteRecordingsOptions {
  readonly members: readonly Member[]
  readonly recording: Recording
  /** Where the copies go. */
  readonly folder: string
  onAlarm(key: AlarmKey, parameters: { readonly replica: number; readonly message?: string }): void
}

interface Copy {
  readonly member: Member
  readonly folder: string
  /** Null: not known yet. */
  place: RecordedPlace | null
  /** When the replica had last recorded something that was fetched, by its own clock. */
  fetchedUpTo: number
  state: 'resting' | 'off' | 'refused'
  fetching: Promise<void> | null
}

const full = Math.ceil(recordedPieceBytes / 3) * 4

export class RemoteRecordings {
  readonly #options: RemoteRecordingsOptions
  readonly #copies: readonly Copy[]

  constructor(options: RemoteRecordingsOptions) {
    this.#options = options
    this.#copies = options.members.map((member) => ({
      member,
      folder: join(options.folder, `replica-${member.id}`),
      place: null,
      fetchedUpTo: 0,
      state: 'resting',
      fetching: null,
    }))
  }

  /** Where the copy of a replica's recording lies; null when it does not run elsewhere. */
  folderOf(id: number): string | null {
    return this.#copies.find(({ member }) => member.id === id)?.folder ?? null
  }

  /** Begins to fetch what is new; called several times a second. */
  tick(): void {
    for (const copy of this.#copies) if (copy.fetching === null) void this.#begin(copy)
  }

  /** Fetches what is there, as far as there is time; the links are about to be closed. */
  async finish(): Promise<void> {
    const rest = this.#copies.map(async (copy) => {
      await copy.fetching
      await this.#begin(copy)
    })
    await Promise.race([Promise.all(rest), pause(finishMs)])
  }

  #begin(copy: Copy): Promise<void> {
    copy.fetching = this.#fetch(copy).finally(() => {
      copy.fetching = null
    })
    return copy.fetching
  }

  async #fetch(copy: Copy): Promise<void> {
    const { member } = copy
    const { report } = member
    if (!member.up || report === null || copy.state === 'refused') return
    const { lastAt } = report.recording
    if (lastAt === 0) {
      if (copy.state !== 'off') this.#options.onAlarm('alarm.recording.off', { replica: member.id })
      copy.state = 'off'
      return
    }
    if (lastAt <= copy.fetchedUpTo) return
    copy.state = 'resting'
    const problem = await this.#fetchAll(copy)
    if (problem === null) copy.fetchedUpTo = lastAt
    if (problem?.isFinal !== true) return
    copy.state = 'refused'
    this.#options.onAlarm('alarm.recording.refused', { replica: member.id, message: problem.message })
  }

  /** Null when all that the replica has was fetched. */
  async #fetchAll(copy: Copy): Promise<{ readonly message: string; readonly isFinal: boolean } | null> {
    const { member, folder } = copy
    const keep = (piece: (RecordedPlace & { bytes: string }) | null, anew: boolean): Promise<Result<RecordedPlace> | null> =>
      this.#options.recording.query('fetched', { folder, bytesMax, piece, anew })
    for (;;) {
      if (copy.place === null) {
        const kept = await keep(null, false)
        if (kept?.ok !== true) return { message: kept?.error.message ?? '', isFinal: false }
        copy.place = kept.value
      }
      const asked = copy.place
      const answer = await member.call({ call: 'recording', ...asked })
      if (!answer.ok) return { message: answer.error.message, isFinal: answer.error.code === 'bad-request' }
      const { recorded } = answer.value
      if (recorded === null) return { message: 'it answers without what was asked for', isFinal: true }
      const { bytes, last, ...at } = recorded
      // It has lost its disk with the recording on it: what was fetched is of a recording that it does not go on with.
      const anew = last < asked.segment
      if (bytes === '' && !anew) return null
      const kept = await keep(anew ? null : { ...at, bytes }, anew)
      if (kept === null) return { message: '', isFinal: false }
      if (!kept.ok) {
        copy.place = null
        return { message: kept.error.message, isFinal: kept.error.code === 'bad-request' || kept.error.code === 'too-large' }
      }
      copy.place = kept.value
      if (bytes.length === full) await pause(pauseMs)
    }
  }
}
