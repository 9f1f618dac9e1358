/** What the acts and checks of a scenario work through: the host's calls. */
import type { Method, Params, ResultOf } from '../../contract/api.ts'
import type { ClusterStatus } from '../../contract/model.ts'
import type { Result } from '../../contract/result.ts'
import type { Host } from '../host-interface.ts'

/** A call that failed though the scenario needs it; the step's evidence is its message. */
export class StepFailure extends Error {}

/** A request of this group was not answered: what comes after it is not done, and a check may say what that means. */
export class Unanswered extends StepFailure {
  readonly group: string

  constructor(group: string, message: string) {
    super(message)
    this.group = group
  }
}

export class Stage {
  readonly #host: Pick<Host, 'call'>

  constructor(host: Pick<Host, 'call'>) {
    this.#host = host
  }

  try<M extends Method>(method: M, params: Params<M>): Promise<Result<ResultOf<M>>> {
    return this.#host.call(method, params)
  }

  /** The value of a call. Throws StepFailure with the error's message. */
  async call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> {
    const result = await this.try(method, params)
    if (!result.ok) throw new StepFailure(`${method}: ${result.error.message}`)
    return result.value
  }

  status(): Promise<ClusterStatus> {
    return this.call('status', {})
  }
}
