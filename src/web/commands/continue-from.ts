/** `pbft-panel simulate --from RUN --at SEQ --what-if FAULT`: what would have followed in a recorded run, had this failed then. */
import { resolve } from 'node:path'
import { momentAt, recordedKeys, type Moment } from '../../cluster/recorder/moment.ts'
import type { Manifest } from '../../contract/manifest.ts'
import { continueRun, type Continued, type RecordedMoment, type WhatIf } from '../../pbft/sim/index.ts'
import { CommandError, exitCodes, note, print, printJson, UsageError } from '../output.ts'
import { foldersOf } from '../paths.ts'
import { withRun } from './run-place.ts'

interface ContinueFromOptions {
  readonly from: string
  readonly at?: number
  readonly whatIf?: readonly WhatIf[]
  readonly seed: number
  readonly seconds: number
  readonly trace?: boolean
  readonly data?: string
  readonly json?: boolean
}

/** Reads `crash:K`, `isolate:K` or `cut:A-B`, in addition to those before. Throws UsageError. */
export const whatIfOf = (text: string, before: readonly WhatIf[] = []): WhatIf[] => {
  const one = /^(crash|isolate):(\d{1,2})$/.exec(text)
  if (one !== null) return [...before, { kind: one[1] as 'crash' | 'isolate', replica: Number(one[2]) }]
  const two = /^cut:(\d{1,2})-(\d{1,2})$/.exec(text)
  if (two === null || two[1] === two[2]) throw new UsageError(`--what-if takes crash:K, isolate:K or cut:A-B, not "${text}".`)
  return [...before, { kind: 'cut', a: Number(two[1]), b: Number(two[2]) }]
}

/** The moment as the simulator goes on from it. */
export const recordedMoment = ({ at, replays, underWay }: Moment, manifest: Manifest): RecordedMoment => ({
  nowMs: at,
  underWay,
  keys: recordedKeys(manifest),
  replicas: replays.map((replay) =>
    replay === null
      ? null
      : {
          config: replay.config,
          resume: (capabilities) => replay.coreFrom(capabilities),
          timers: replay.timers,
          unsent: replay.unsent,
        },
  ),
})

const standing = (replicas: Continued['after']): string =>
  replicas
    .map(({ replica, view, active, lastExecuted }) => `r${replica} view ${view}${active ? '' : ' (changing)'} executed ${lastExecuted}`)
    .join(', ')

const report = (continued: Continued, underWay: number): void => {
  const { before, after, asked, answered, firstAnswerMs, longestGapMs, views, isBeyondF, violations } = continued
  print(`then      ${standing(before)}; ${underWay} messages under way`)
  for (const { view, atMs } of views) print(`${String(atMs).padStart(8)} ms  view ${view}`)
  if (firstAnswerMs === null) print('no request is answered any more')
  else
    print(
      `${answered} of ${asked} new requests answered, the first after ${firstAnswerMs} ms, the longest time without one ${longestGapMs} ms`,
    )
  print(`in the end ${standing(after)}`)
  if (isBeyondF) print('More faults than the cluster tolerates: it may stop, and must not contradict itself.')
  for (const { checker, detail } of violations) print(`VIOLATED  ${checker}: ${detail}`)
  if (violations.length === 0) print('No checker found a violation.')
}

/** Exit code 1 on a violation, and when within f nothing is answered any more. */
export const continueFrom = async (options: ContinueFromOptions): Promise<void> => {
  const { at, whatIf = [], seed, seconds, json } = options
  if (at === undefined) throw new UsageError('--from needs --at SEQ.')
  const { dataFolder } = foldersOf(options.data === undefined ? undefined : resolve(options.data))
  const result = await withRun(options.from, dataFolder, ({ record, replicas }) => {
    const { manifest } = record.head
    const moment = momentAt(replicas, at)
    if (!moment.ok) throw new CommandError(moment.error)
    const more = options.trace ? { onTrace: json ? note : print } : {}
    try {
      const from = recordedMoment(moment.value, manifest)
      const continued = continueRun(from, { seed, whatIf, durationMs: seconds * 1_000, ...more })
      return { at: moment.value.at, underWay: moment.value.underWay.length, ...continued }
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(error.message)
      throw error
    }
  })
  if (json) printJson(result)
  else report(result, result.underWay)
  const isStuck = result.answered < result.asked && !result.isBeyondF
  process.exitCode = result.violations.length === 0 && !isStuck ? exitCodes.success : exitCodes.no
}
