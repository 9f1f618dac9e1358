/** What a scenario does to the cluster. */
import type { ScenarioAct } from '../../contract/scenarios.ts'
import type { FaultRequest } from '../../contract/faults.ts'
import { markOf, type Group, type Memory } from './memory.ts'
import { faultWith, resolverOf, type Resolve } from './replicas.ts'
import { Unanswered, type Stage } from './stage.ts'

const pollMs = 50

type Submit = Extract<ScenarioAct, { act: 'submit' }>

/**
 * Carries out one act. Throws StepFailure when the cluster or the host refuses it, Unanswered for a request. `isStopped` ends long ones early; with `withheld` nothing
 * is done to replicas and links, to see that the checks notice.
 */
export const perform = async (
  stage: Stage,
  memory: Memory,
  act: ScenarioAct,
  withheld: boolean,
  isStopped: () => boolean,
): Promise<void> => {
  switch (act.act) {
    case 'remember':
      memory.replicas.set(act.as, (await resolver(stage, memory))(act.replica))
      return
    case 'mark':
      memory.marks.set(act.as, markOf(await stage.status()))
      return
    case 'submit':
      return submit(stage, memory, act, isStopped)
    case 'load':
      return load(stage, act.clients, act.durationMs, isStopped)
    case 'inject': {
      if (withheld) return
      const fault = faultWith(act.fault, await resolver(stage, memory)) as FaultRequest
      const { id } = await stage.call('injectFault', { fault })
      if (act.as !== undefined) memory.faults.set(act.as, id)
      return
    }
    case 'heal': {
      const id = memory.faults.get(act.as)
      if (id !== undefined) await stage.call('healFault', { id })
      return
    }
    case 'heal-all':
      await stage.call('healAll', {})
      return
    case 'replica': {
      if (withheld) return
      const status = await stage.status()
      const ids = act.replica === 'all' ? status.replicas.map(({ id }) => id) : [resolverOf(status, memory.replicas)(act.replica)]
      await Promise.all(ids.map((id) => stage.call('controlReplica', { id, action: act.action })))
    }
  }
}

const resolver = async (stage: Stage, memory: Memory): Promise<Resolve> => resolverOf(await stage.status(), memory.replicas)

const submit = async (stage: Stage, memory: Memory, act: Submit, isStopped: () => boolean): Promise<void> => {
  const group: Group = memory.groups.get(act.as) ?? { total: 0, ids: [], answers: [], failure: null }
  memory.groups.set(act.as, group)
  const one = async (): Promise<void> => {
    const id = `${memory.runId}-${act.as}-${group.total}`
    group.total += 1
    group.ids.push(id)
    const answer = await stage.try('submit', { operation: act.operation, id, timeoutMs: act.timeoutMs })
    if (answer.ok) group.answers.push(answer.value)
    else group.failure = answer.error.message
  }
  if (!act.answered) {
    await Promise.all(Array.from({ length: act.times }, one))
    return
  }
  for (let i = 0; i < act.times && !isStopped(); i += 1) {
    await one()
    if (group.failure !== null) throw new Unanswered(act.as, group.failure)
  }
}

const load = async (stage: Stage, clients: number, durationMs: number, isStopped: () => boolean): Promise<void> => {
  await stage.call('startLoad', { clients, durationMs })
  while ((await stage.call('load', {})).running) {
    if (isStopped()) await stage.call('stopLoad', {})
    await pause(pollMs)
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
