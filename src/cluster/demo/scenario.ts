/** Scenarios: steps that say what is expected, act, and then look whether it came so. */
import type { ClusterStatus, MonitorName } from '../../contract/model.ts'
import type { Method, Params, ResultOf } from '../../contract/api.ts'
import type { Operation } from '../../contract/operations.ts'
import type { SubmitResult } from '../../contract/api.ts'
import type { Result } from '../../contract/result.ts'
import type { Host } from '../host-interface.ts'

export interface Observed {
  /** What was seen, with figures, in one sentence. */
  readonly observed: string
  readonly holds: boolean
}

export interface ScenarioStep {
  readonly title: string
  readonly expected: string
  act(stage: Stage): Promise<void>
  check(stage: Stage): Promise<Observed>
}

export interface Scenario {
  readonly name: string
  readonly title: string
  /** Fewest replicas that it makes sense with. */
  readonly replicasMin: number
  /** Fresh steps: they may remember what earlier ones saw. */
  steps(): readonly ScenarioStep[]
}

export interface StepReport extends Observed {
  readonly title: string
  readonly expected: string
}

export interface ScenarioReport {
  readonly scenario: string
  readonly steps: readonly StepReport[]
  readonly verdicts: Readonly<Record<MonitorName, string>>
  readonly holds: boolean
}

/** A call that failed though the scenario needs it; the step's evidence is its message. */
export class StepFailure extends Error {}

const pollMs = 50

/** What steps act through: the host's calls, and waiting for what they lead to. */
export class Stage {
  readonly #host: Host

  constructor(host: Host) {
    this.#host = host
  }

  /** The value of a call. Throws StepFailure with the error's message. */
  async call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> {
    const result = await this.#host.call(method, params)
    if (!result.ok) throw new StepFailure(`${method}: ${result.error.message}`)
    return result.value
  }

  submit(operation: Operation, timeoutMs: number): Promise<Result<SubmitResult>> {
    return this.#host.call('submit', { operation, timeoutMs })
  }

  status(): Promise<ClusterStatus> {
    return this.call('status', {})
  }

  /** The first status that satisfies `condition`, or the last one seen within `timeoutMs`. */
  async until(condition: (status: ClusterStatus) => boolean, timeoutMs: number): Promise<ClusterStatus> {
    const deadline = Date.now() + timeoutMs
    for (;;) {
      const status = await this.status()
      if (condition(status) || Date.now() > deadline) return status
      await new Promise((resolve) => setTimeout(resolve, pollMs))
    }
  }
}
