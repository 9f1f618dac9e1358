/** Runs a scenario on the cluster that a host has open, step by step; the presenter may go on by hand, stop it, and watch. */
import { randomUUID } from 'node:crypto'
import { monitorNames, type MonitorName } from '../../contract/model.ts'
import type { Observation, Scenario, ScenarioCheck, ScenarioRun, ScenarioStep, ScenarioStepRun } from '../../contract/scenarios.ts'
import type { Host } from '../host-interface.ts'
import { pause, perform } from './acts.ts'
import { look } from './checks.ts'
import { createMemory, markOf, type Memory } from './memory.ts'
import { observationOf, type Seen } from './observation.ts'
import { Stage, StepFailure, Unanswered } from './stage.ts'

const pollMs = 100

export interface RunOptions {
  readonly host: Pick<Host, 'call'>
  readonly scenario: Scenario
  /** Waits for `next` before each step's acts and after its checks. */
  readonly stepwise: boolean
  /** Leaves out what is done to replicas and links: a scenario worth its name then does not hold. */
  readonly withheld?: boolean
  /** Goes on after a step that does not hold, to see what else does not. */
  readonly toTheEnd?: boolean
  onChange(run: ScenarioRun): void
}

export interface RunningScenario {
  readonly run: ScenarioRun
  /** Resolves with the last account; never rejects for what the cluster does. */
  readonly finished: Promise<ScenarioRun>
  /** Goes on, when it waits for the presenter. */
  next(): void
  /** Ends it after what is under way; faults are healed. */
  stop(): void
}

const begun = (step: ScenarioStep): ScenarioStepRun => ({
  title: step.title,
  say: step.say ?? null,
  expect: step.expect,
  phase: 'pending',
  observations: [],
  startedAt: null,
  endedAt: null,
})

/** After a step that does not hold, the others are not reached. All faults are healed at the end, whatever happened. */
export const startScenario = (options: RunOptions): RunningScenario => {
  const { scenario, stepwise } = options
  const stage = new Stage(options.host)
  const memory = createMemory(`scenario-${randomUUID().slice(0, 8)}`)
  let stopped = false
  let goOn: (() => void) | null = null
  let run: ScenarioRun = {
    id: memory.runId,
    name: scenario.name,
    title: scenario.title,
    summary: scenario.summary,
    state: 'running',
    stepwise,
    current: 0,
    steps: scenario.steps.map(begun),
    verdicts: null,
    holds: null,
    startedAt: Date.now(),
    endedAt: null,
  }
  const set = (change: Partial<ScenarioRun>): void => {
    run = { ...run, ...change }
    options.onChange(run)
  }
  const setStep = (index: number, change: Partial<ScenarioStepRun>): void =>
    set({ current: index, steps: run.steps.map((step, i) => (i === index ? { ...step, ...change } : step)) })

  const presenter = async (): Promise<void> => {
    if (!stepwise || stopped) return
    set({ state: 'waiting' })
    await new Promise<void>((resolve) => {
      goOn = resolve
    })
    goOn = null
    set({ state: 'running' })
  }

  const runStep = async (index: number, step: ScenarioStep): Promise<void> => {
    setStep(index, { phase: 'expecting', startedAt: Date.now() })
    await presenter()
    const observations = stopped
      ? [observationOf({ key: 'seen.stopped', parameters: {}, holds: false })]
      : await carryOut({ stage, memory, step, withheld: options.withheld ?? false, isStopped: () => stopped }, (change) =>
          setStep(index, change),
        )
    const holds = observations.every((observation) => observation.holds)
    setStep(index, { phase: holds ? 'held' : 'failed', observations, endedAt: Date.now() })
    await presenter()
  }

  const runAll = async (): Promise<ScenarioRun> => {
    for (const [index, step] of scenario.steps.entries()) {
      if (stopped || (options.toTheEnd !== true && run.steps.some(({ phase }) => phase === 'failed')))
        setStep(index, { phase: 'not-reached' })
      else await runStep(index, step)
    }
    await options.host.call('healAll', {})
    const verdicts = await verdictsOf(options.host)
    const safe = monitorNames.every((name) => (verdicts[name] === 'violated') === scenario.violates.includes(name))
    const holds = safe && run.steps.every(({ phase }) => phase === 'held')
    set({ state: stopped ? 'stopped' : 'finished', verdicts, holds, endedAt: Date.now() })
    return run
  }

  options.onChange(run)
  return {
    get run() {
      return run
    },
    finished: runAll(),
    next: () => goOn?.(),
    stop() {
      stopped = true
      goOn?.()
    },
  }
}

interface Context {
  readonly stage: Stage
  readonly memory: Memory
  readonly step: ScenarioStep
  readonly withheld: boolean
  isStopped(): boolean
}

/** Acts, then looks until everything is as expected or the step's time is over. */
const carryOut = async (context: Context, onProgress: (change: Partial<ScenarioStepRun>) => void): Promise<Observation[]> => {
  const { stage, memory, step } = context
  const observations: Observation[] = []
  try {
    onProgress({ phase: 'acting' })
    await remember(stage, memory, 'step')
    if (!memory.marks.has('start')) await remember(stage, memory, 'start')
    await performAll(context)
    const deadline = Date.now() + step.withinMs
    for (const check of step.checks) {
      observations.push(observationOf(await watch(context, check, deadline)))
      onProgress({ phase: 'checking', observations: [...observations] })
    }
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    observations.push(observationOf({ key: 'seen.failed', parameters: { message: error.message }, holds: false }))
  }
  return observations
}

/** All acts, or those up to a request that is not answered when that is for a check to judge. */
const performAll = async ({ stage, memory, step, withheld, isStopped }: Context): Promise<void> => {
  try {
    for (const act of step.acts) await perform(stage, memory, act, withheld, isStopped)
  } catch (error) {
    const isJudged = error instanceof Unanswered && step.checks.some((check) => check.check === 'answered' && check.as === error.group)
    if (!isJudged) throw error
  }
}

const remember = async (stage: Stage, memory: Memory, name: string): Promise<void> => {
  memory.marks.set(name, markOf(await stage.status()))
}

/** The first look that holds (and goes on to, for as long as the check says), or the last one before the deadline. */
const watch = async ({ stage, memory, isStopped }: Context, check: ScenarioCheck, deadline: number): Promise<Seen> => {
  const forMs = 'forMs' in check ? check.forMs : 0
  let heldSince: number | null = null
  for (;;) {
    const sight = await look(stage, memory, check)
    const now = Date.now()
    heldSince = sight.holds ? (heldSince ?? now) : null
    const isOver = heldSince === null ? now >= deadline : now - heldSince >= forMs
    if (isOver || sight.isFinal === true || isStopped()) return sight
    await pause(pollMs)
  }
}

const verdictsOf = async (host: Pick<Host, 'call'>): Promise<Record<MonitorName, string>> => {
  const status = await host.call('status', {})
  const monitors = status.ok ? status.value.monitors : []
  const stateOf = (name: MonitorName): string => monitors.find((monitor) => monitor.name === name)?.state ?? 'unknown'
  return {
    agreement: stateOf('agreement'),
    'no-gaps': stateOf('no-gaps'),
    'exactly-once': stateOf('exactly-once'),
    'digests-equal': stateOf('digests-equal'),
    progress: stateOf('progress'),
  }
}
