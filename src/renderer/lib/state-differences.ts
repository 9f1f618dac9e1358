/** Where replicas' states differed from what was agreed on, as the alarms tell it. */
import type { Alarm } from '../../contract/model.ts'

export interface StateDifference {
  readonly id: string
  readonly at: number
  readonly replica: number
  readonly seq: number
  /** The first of the partition tree that differed, of as many as did. */
  readonly partition: number
  readonly count: number
  readonly total: number
  /** The message key of what the partition holds, with its parameters. */
  readonly because: string
  readonly keys: string
}

/** The latest first; those after `at` (ms since the epoch; null: live) had not happened yet. */
export const differencesIn = (alarms: readonly Alarm[], at: number | null): StateDifference[] =>
  alarms
    .filter((alarm) => alarm.key === 'alarm.state.differed' && (at === null || alarm.at <= at))
    .map(({ id, at: toldAt, parameters }) => ({
      id,
      at: toldAt,
      replica: Number(parameters['replica']),
      seq: Number(parameters['seq']),
      partition: Number(parameters['partition']),
      count: Number(parameters['count']),
      total: Number(parameters['total']),
      because: String(parameters['because']),
      keys: String(parameters['keys']),
    }))
    .sort((a, b) => b.at - a.at)
