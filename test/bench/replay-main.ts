/**
 * `npm run bench:replay -- [--requests N] [--jumps N] [--seed S] [--run FOLDER] [--keep]`: jumps to moments by chance in a recorded run
 * with faults, through the host as a screen makes them. Prints how long it took until everything was gone through, and how long jumps took; exit
 * code 1 when the replay is not the recorded run, or a jump gives another state than going there step by step.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { replayRun } from '../../src/cluster/recorder/runs.ts'
import type { ReplayMoment } from '../../src/contract/replay.ts'
import type { ReplayTarget } from '../../src/cluster/recorder/replay-session.ts'
import { openBenchHost, recordRun, type BenchHost } from './recorded-run.ts'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '20000' },
    jumps: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    run: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})

const say = (line: string): void => void process.stdout.write(`${line}\n`)

/** mulberry32 */
const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

interface Measured {
  readonly replica: number
  readonly places: number
  readonly inputs: number
  readonly checkpoints: number
  readonly preparedMs: number
  readonly times: readonly number[]
  readonly problems: readonly string[]
}

const measure = async ({ call }: BenchHost, folder: string, replica: number, jumps: number, random: () => number): Promise<Measured> => {
  const info = await call('openReplay', { replica, process: 1 })
  const { session } = info
  const to = (target: ReplayTarget): Promise<ReplayMoment> => call('replay', { session, to: target })
  const began = performance.now()
  const end = await to({ place: info.count })
  const preparedMs = performance.now() - began
  const problems = end.proof.divergences.map(({ index, what }) => `r${replica}, entry ${index}: ${what}`)
  const straight = replayRun(folder, { replica, process: 1, seq: null, view: null })
  if (!straight.ok || straight.value.stateDigest !== end.stateDigest) problems.push(`r${replica}: another digest at the end`)
  const targets = Array.from({ length: jumps }, (_, i): ReplayTarget => {
    const share = random()
    if (i % 3 === 0) return { place: Math.floor(share * info.count) }
    return i % 3 === 1 ? { seq: Math.ceil(share * end.lastExecuted) } : { at: info.from + share * (info.to - info.from) }
  })
  const times: number[] = []
  for (const target of targets) {
    const asked = performance.now()
    const moment = await to(target)
    times.push(performance.now() - asked)
    if ('seq' in target && moment.lastExecuted < target.seq) problems.push(`r${replica}: seq ${target.seq} was not reached`)
    problems.push(...moment.proof.divergences.map(({ index, what }) => `r${replica}, entry ${index}, in a jump: ${what}`))
  }
  await call('closeReplay', { session })
  const { inputs, checkpointsEqual } = end.proof
  return { replica, places: info.count, inputs, checkpoints: checkpointsEqual, preparedMs, times, problems: [...new Set(problems)] }
}

const folder = values.run ?? (await recordRun(Number(values.requests)))
const random = randomOf(Number(values.seed))
const bench = openBenchHost(folder)
await bench.call('openCluster', { name: 'recorded' })
say(`seed ${values.seed}, ${values.jumps} jumps, run ${values.run ?? `of ${values.requests} requests`}`)
const all: Measured[] = []
for (const replica of [0, 1]) {
  const cluster = join(folder, 'data', 'clusters', 'recorded')
  const one = await measure(bench, cluster, replica, Math.ceil(Number(values.jumps) / 2), random)
  all.push(one)
  const sorted = one.times.toSorted((a, b) => a - b)
  const ms = (share: number): string => quantile(sorted, share).toFixed(0)
  say(
    `r${replica}: ${one.places} places, ${one.inputs} inputs, ${one.checkpoints} checkpoints equal; gone through in ${one.preparedMs.toFixed(0)} ms; ` +
      `jumps: median ${ms(0.5)}, p95 ${ms(0.95)}, worst ${sorted.at(-1)?.toFixed(0)} ms`,
  )
}
const problems = all.flatMap((one) => one.problems)
for (const problem of problems) say(problem)
await bench.host.close()
if (values.run === undefined && !values.keep) rmSync(folder, { recursive: true, force: true })
else say(`kept in ${folder}`)
process.exitCode = problems.length === 0 ? 0 : 1
