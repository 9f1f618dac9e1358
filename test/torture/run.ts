/** One torture run: clients work while rounds of harm come and go; then everything heals, ends, and is judged. */
import { faultsTolerated } from '../../src/pbft/protocol/quorum.ts'
import type { Authentication, Durability } from '../../src/contract/manifest.ts'
import { createRandom, isTogether, type FinalState, type Violation } from '../../src/pbft/sim/index.ts'
import { connectClients, type Clients } from './clients.ts'
import type { RunHistory } from './history.ts'
import { judgeRun, type Verdict } from './judge.ts'
import { MemoryWatch, type MemoryFigures } from './memory.ts'
import { Nemesis, shuffled, type Round } from './nemesis.ts'
import { Subject } from './subject.ts'
import { createWorkload } from './workload.ts'

/** Requests that begin after a heal are answered, and replicas are back in step, within this, ms. Generous: a busy machine is no failure. */
const boundMs = 90_000
const collectMs = 500
const lookMs = 1_000
const waitMs = 50
/** Groups of keys per minute: what so many clients use up on a fast machine. */
const groupsPerMinute = 60
/** Answers that a heal has to bring before the next round. */
const answersAfterHeal = 5

export interface TortureOptions {
  readonly seed: number
  readonly seconds: number
  readonly replicas: number
  readonly clients: number
  readonly thinkMs: number
  readonly durability: Durability
  readonly authentication?: Authentication
  /** Without harm: how it runs by itself. */
  readonly calm: boolean
  /** These, one after another, instead of what the seed draws; the run ends with the last one. */
  readonly rounds?: readonly Round[]
  /** One line for each round, as it begins. */
  onRound(line: string): void
}

export interface RoundFigures {
  readonly round: string
  readonly withinF: boolean
  /** Longest time without any answer from its begin to its heal, and from the heal to the next answer of a new request, ms. */
  readonly longestGapMs: number
  readonly recoveredMs: number
}

export interface TortureResult {
  readonly seed: number
  readonly seconds: number
  readonly replicas: number
  readonly traitors: readonly number[]
  readonly durability: Durability
  readonly authentication: Authentication
  readonly operations: number
  readonly answered: number
  readonly unknown: number
  readonly answeredPerSecond: number
  /** How often each kind of round was run. */
  readonly rounds: Readonly<Record<string, number>>
  readonly longestGapMs: { readonly withinF: number; readonly beyondF: number; readonly recovery: number }
  readonly alarms: Readonly<Record<string, number>>
  readonly memory: readonly MemoryFigures[]
  readonly verdicts: readonly Verdict[]
  readonly violations: number
  /** Holds data, logs and history. */
  readonly folder: string
}

export interface TortureRun {
  readonly result: TortureResult
  readonly history: RunHistory
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits for a condition; false when it does not come within the bound. */
const within = async (condition: () => boolean): Promise<boolean> => {
  const deadline = performance.now() + boundMs
  while (!condition()) {
    if (performance.now() > deadline) return false
    await pause(waitMs)
  }
  return true
}

const countBy = (names: readonly string[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

class Run {
  readonly #options: TortureOptions
  readonly #subject: Subject
  readonly #clients: Clients
  readonly #memory = new MemoryWatch()
  readonly #found: Violation[] = []
  readonly #rounds: RoundFigures[] = []
  readonly traitors: readonly number[]
  readonly #nemesis: Nemesis

  constructor(options: TortureOptions, subject: Subject, clients: Clients) {
    this.#options = options
    this.#subject = subject
    this.#clients = clients
    const random = createRandom(options.seed, 'nemesis')
    const f = faultsTolerated(subject.n)
    const ids = Array.from({ length: subject.n }, (_, id) => id)
    this.traitors = options.calm ? [] : shuffled(random, ids).slice(0, f)
    this.#nemesis = new Nemesis({ random, n: subject.n, f, traitors: this.traitors })
  }

  get rounds(): readonly RoundFigures[] {
    return this.#rounds
  }

  /** Until the time is over. */
  async work(): Promise<void> {
    const collecting = setInterval(() => void this.#subject.evidence.collect(), collectMs)
    const looking = setInterval(() => void this.#look(), lookMs)
    const end = performance.now() + this.#options.seconds * 1_000
    try {
      for (const round of this.#options.rounds ?? []) if (this.#found.length === 0) await this.#round(round)
      while (this.#options.rounds === undefined && performance.now() < end) {
        if (this.#options.calm) await pause(waitMs)
        else await this.#round(this.#nemesis.next())
        if (this.#found.length > 0) break
      }
    } finally {
      clearInterval(collecting)
      clearInterval(looking)
    }
  }

  /** Stops the clients, waits until all replicas are in one place, and reads what they and their disks say. */
  async conclude(openedAt: number, totalBalance: number): Promise<RunHistory> {
    const { evidence } = this.#subject
    await this.#clients.stop()
    const waiting = this.#clients.waiting()
    await within(() => this.#settled())
    const finals = this.#finals()
    await evidence.collect()
    await this.#askPanel()
    await this.#subject.close()
    evidence.readDisks()
    return {
      n: this.#subject.n,
      traitors: this.traitors,
      calls: this.#clients.calls,
      sent: [...this.#clients.sent.values()],
      log: evidence.log(this.#subject.logsFolder),
      checkpoints: evidence.checkpoints,
      totalBalance,
      openedAt,
      finals,
      waiting,
      boundMs,
      found: [...this.#found, ...this.#subject.violations, ...this.#clients.violations, ...evidence.violations],
    }
  }

  memory(): MemoryFigures[] {
    return this.#memory.figures()
  }

  async #round(round: Round): Promise<void> {
    this.#options.onRound(`${round.name}${round.withinF ? '' : ' (more than f)'}: ${JSON.stringify(round.harms).slice(0, 300)}`)
    const began = performance.now()
    await this.#subject.begin(round)
    await pause(round.lengthMs)
    if (round.untilEnded === true) await this.#ended(round)
    const healing = performance.now()
    // What it said before is not what it is now.
    for (const harm of round.harms) if (harm.kind === 'wipe') this.#subject.evidence.reports[harm.replica] = null
    await this.#subject.heal()
    const healed = performance.now()
    const answers = (): number => this.#clients.calls.filter((call) => call.answer !== null && call.invokedAt >= healed).length
    if (!(await within(() => answers() >= answersAfterHeal))) {
      this.#found.push({ checker: 'liveness', detail: `after ${round.name} no request was answered within ${boundMs} ms` })
    }
    const first = this.#clients.calls.find((call) => call.answer !== null && call.invokedAt >= healed)?.answer?.at ?? performance.now()
    this.#rounds.push({
      round: round.name,
      withinF: round.withinF,
      longestGapMs: this.#longestGap(began, healing),
      recoveredMs: first - healed,
    })
    const reached = Math.max(...this.#subject.evidence.reports.map((report) => report?.lastExecuted ?? 0))
    // One on probation is faulty still: no more may be wiped beside it.
    const isBack = (): boolean =>
      this.#subject.evidence.reports.every((report) => (report?.lastExecuted ?? 0) >= reached && report?.probation === null)
    if (!(await within(isBack))) {
      const places = this.#subject.evidence.reports
        .map((report, id) => `r${id} ${report?.lastExecuted ?? '?'}${(report?.probation ?? null) === null ? '' : ' on probation'}`)
        .join(', ')
      this.#found.push({ checker: 'liveness', detail: `after ${round.name} not all came to ${reached} within ${boundMs} ms: ${places}` })
    }
  }

  /**
   * Waits for the processes that the round kills at a boundary; whoever does not come to its boundary was not tested. When more than f are
   * to go, the power fails for all once f + 1 came to theirs: without a quorum the others may have nothing more to write or send.
   */
  async #ended(round: Round): Promise<void> {
    const deadline = performance.now() + boundMs
    const doomed = round.harms.flatMap((harm) => (harm.kind === 'trouble' ? [harm.replica] : []))
    while (performance.now() < deadline) {
      const pids = await this.#subject.replicaPids()
      const alive = doomed.filter((replica) => pids[replica] !== null)
      if (alive.length === 0) return
      if (doomed.length - alive.length > faultsTolerated(this.#subject.n)) {
        await Promise.all(alive.map((replica) => this.#subject.call('controlReplica', { id: replica, action: 'kill' })))
        return
      }
      await pause(waitMs)
    }
    this.#found.push({ checker: 'boundary', detail: `${round.name}: not all came to it within ${boundMs} ms` })
  }

  #longestGap(from: number, to: number): number {
    const times = this.#clients.calls.flatMap(({ answer }) => (answer !== null && answer.at > from && answer.at < to ? [answer.at] : []))
    let [longest, last] = [0, from]
    for (const time of [...times.toSorted((a, b) => a - b), to]) {
      longest = Math.max(longest, time - last)
      last = time
    }
    return longest
  }

  async #look(): Promise<void> {
    const pids = await this.#subject.replicaPids()
    pids.forEach((pid, id) => this.#memory.look(`replica ${id}`, pid))
    this.#memory.look('recorder', this.#subject.recorderPids.at(-1) ?? null)
    this.#memory.look('host, clients and judge', process.pid)
  }

  #finals(): FinalState[] {
    return this.#subject.evidence.reports.flatMap((report, replica) =>
      report === null
        ? []
        : [
            {
              replica,
              view: report.view,
              active: report.active,
              lastExecuted: report.lastExecuted,
              stateDigest: report.stateDigestSeq === report.lastExecuted ? report.stateDigest : `not told at ${report.lastExecuted}`,
            },
          ],
    )
  }

  #settled(): boolean {
    const finals = this.#finals()
    return (
      finals.length === this.#subject.n &&
      isTogether(finals, faultsTolerated(this.#subject.n)) &&
      new Set(finals.map(({ stateDigest }) => stateDigest)).size === 1
    )
  }

  /** What the panel's own monitors say at the end. */
  async #askPanel(): Promise<void> {
    const { monitors } = await this.#subject.call('status', {})
    for (const { name, state, detail } of monitors) {
      if (state === 'violated') this.#found.push({ checker: `panel monitor ${name}`, detail })
    }
  }
}

/** Throws only when the cluster cannot be started; everything that goes wrong later is in the verdicts. */
export const runTorture = async (options: TortureOptions): Promise<TortureRun> => {
  const subject = await Subject.start({
    replicas: options.replicas,
    durability: options.durability,
    authentication: options.authentication ?? 'signature',
    parameters: { checkpointInterval: 32, logWindow: 64 },
  })
  const groups = Math.max(4, Math.ceil((options.seconds / 60) * groupsPerMinute))
  const workload = createWorkload(createRandom(options.seed, 'workload'), groups)
  const random = createRandom(options.seed, 'think')
  const { clients: count, thinkMs } = options
  const clients = await connectClients({ manifestFile: subject.manifestFile, count, thinkMs, workload, random })
  await clients.open()
  const openedAt = performance.now()
  clients.start()
  const run = new Run(options, subject, clients)
  await run.work()
  const seconds = (performance.now() - openedAt) / 1_000
  const alarms = countBy((await subject.call('alarms', {})).map(({ key }) => key))
  const memory = run.memory()
  const history = await run.conclude(openedAt, workload.totalBalance)
  clients.close()
  const verdicts = judgeRun(history)
  const answered = history.calls.filter((call) => call.answer !== null).length
  const longest = (list: readonly number[]): number => Math.round(Math.max(0, ...list))
  const gaps = (withinF: boolean): number[] => run.rounds.filter((r) => r.withinF === withinF).map((r) => r.longestGapMs)
  const result: TortureResult = {
    seed: options.seed,
    seconds: Math.round(seconds),
    replicas: options.replicas,
    traitors: run.traitors,
    durability: options.durability,
    authentication: options.authentication ?? 'signature',
    operations: history.calls.length,
    answered,
    unknown: history.calls.length - answered,
    answeredPerSecond: Math.round(answered / seconds),
    rounds: countBy(run.rounds.map(({ round }) => round)),
    longestGapMs: { withinF: longest(gaps(true)), beyondF: longest(gaps(false)), recovery: longest(run.rounds.map((r) => r.recoveredMs)) },
    alarms,
    memory,
    verdicts,
    violations: verdicts.reduce((sum, { violations }) => sum + violations.length, 0),
    folder: subject.folder,
  }
  return { result, history }
}
