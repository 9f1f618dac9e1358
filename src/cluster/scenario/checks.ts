/** What a scenario looks at: each check sees something and says whether it is as expected. */
import type { ClusterStatus } from '../../contract/model.ts'
import type { ScenarioCheck } from '../../contract/scenarios.ts'
import { replicaList } from '../sentence.ts'
import { logEvidence } from './evidence.ts'
import { markOf, type Group, type Mark, type Memory } from './memory.ts'
import type { Seen } from './observation.ts'
import { resolverOf } from './replicas.ts'
import type { Stage } from './stage.ts'

const seen = (key: Seen['key'], parameters: Seen['parameters'], holds: boolean): Seen => ({ key, parameters, holds })

/** One look. Throws StepFailure when the host refuses a call or a replica cannot be resolved. */
export const look = async (stage: Stage, memory: Memory, check: ScenarioCheck): Promise<Seen> => {
  const status = await stage.status()
  const resolve = resolverOf(status, memory.replicas)
  const everyone = status.replicas.map(({ id }) => id)
  switch (check.check) {
    case 'state':
      return lookAtStates(status, check.replica === 'all' ? everyone : [resolve(check.replica)], check.is)
    case 'verdict':
      return seen(status.verdict.key, status.verdict.parameters, check.is.includes(status.verdict.state))
    case 'view':
      return lookAtView(status, markOfName(memory, check.since), check.is)
    case 'view-reason':
      return lookAtReason(stage, status, check.is)
    case 'executed': {
      const before = markOfName(memory, check.since).lastExecuted
      const holds = check.is === 'higher' ? status.lastExecuted > before : status.lastExecuted === before
      return seen('seen.executed', { seq: status.lastExecuted, before }, holds)
    }
    case 'answered':
      return lookAtAnswers(groupOf(memory, check.as), check.is)
    case 'result': {
      const answer = groupOf(memory, check.as).answers.at(-1)?.result
      const value = answer?.ok === true ? answer.value : null
      return seen('seen.result', { value: String(value) }, answer?.ok === true && value === check.value)
    }
    case 'agreed':
      return lookAtAgreement(status, check.replicas?.map(resolve) ?? everyone)
    case 'log':
      return logEvidence(stage, memory, check.replicas?.map(resolve) ?? everyone)
    case 'monitors': {
      const violated = status.monitors.filter(({ state }) => state === 'violated').map(({ name }) => name)
      return violated.length === 0
        ? seen('seen.monitors.hold', {}, true)
        : seen('seen.monitors.violated', { monitor: violated.join(', ') }, false)
    }
    case 'refused': {
      const before = markOfName(memory, check.since).refused
      const now = markOf(status).refused
      const count = check.reasons.reduce((sum, reason) => sum + (now.get(reason) ?? 0) - (before.get(reason) ?? 0), 0)
      return seen('seen.refused', { count, reason: check.reasons.join(', ') }, count >= check.atLeast)
    }
    case 'alarm': {
      const since = markOfName(memory, 'step').at
      const alarms = await stage.call('alarms', {})
      const found = alarms.find(({ key, at }) => at >= since && check.is.includes(key.slice('alarm.'.length)))
      return found === undefined ? seen('seen.noAlarm', {}, false) : seen(found.key, found.parameters, true)
    }
    case 'faults':
      return seen('seen.faults', { count: status.faults.length }, status.faults.length === check.count)
    case 'divergence': {
      const checkpoints = await stage.call('checkpoints', {})
      const found = checkpoints.find(({ diverged }) => diverged)
      if (found === undefined) return seen('seen.noDivergence', {}, false)
      return seen('seen.divergence', { seq: found.seq, count: new Set(Object.values(found.digests)).size }, true)
    }
  }
}

const none: Mark = { view: null, lastExecuted: 0, refused: new Map(), at: 0 }
const markOfName = (memory: Memory, name: string): Mark => memory.marks.get(name) ?? none
const groupOf = (memory: Memory, name: string): Group => memory.groups.get(name) ?? { total: 0, ids: [], answers: [], failure: null }

/** Those in the state of the first that is not so, else of the last. */
const lookAtStates = (status: ClusterStatus, ids: readonly number[], expected: readonly string[]): Seen => {
  const found = ids.map((id) => ({ id, state: status.replicas[id]?.state ?? 'unreachable' }))
  const other = found.find(({ state }) => !expected.includes(state))
  const state = (other ?? found.at(-1))?.state ?? 'unreachable'
  const alike = found.filter((one) => one.state === state).map(({ id }) => id)
  return seen('seen.state', { replicas: replicaList(alike), state }, other === undefined)
}

const lookAtView = (status: ClusterStatus, mark: Mark, expected: 'higher' | 'same'): Seen => {
  const { view, primary } = status
  if (view === null || primary === null) return seen('seen.noView', {}, false)
  const before = mark.view ?? 0
  if (view === before) return seen('seen.sameView', { view, primary }, expected === 'same')
  return seen('seen.view', { view, primary, before }, expected === 'higher' && view > before)
}

const lookAtReason = async (stage: Stage, status: ClusterStatus, expected: readonly string[]): Promise<Seen> => {
  const views = await stage.call('views', {})
  const present = views.find(({ view }) => view === status.view)
  if (present === undefined) return seen('seen.noView', {}, false)
  return seen(present.reasonKey, present.reasonParameters, expected.includes(present.reasonKey.slice('view.reason.'.length)))
}

const lookAtAnswers = ({ total, answers, failure }: Group, expected: 'all' | 'none'): Seen => {
  const count = answers.length
  if (expected === 'none') return seen('seen.unanswered', { count, total }, total > 0 && count === 0)
  if (failure !== null) return { ...seen('seen.refusedRequest', { count, total, message: failure }, false), isFinal: true }
  const ms = Math.round(Math.max(0, ...answers.map(({ latencyMs }) => latencyMs)))
  return seen('seen.answered', { count, total, ms }, total > 0 && count === total && answers.every(({ result }) => result.ok))
}

const lookAtAgreement = (status: ClusterStatus, ids: readonly number[]): Seen => {
  const members = ids.flatMap((id) => status.replicas[id] ?? [])
  const [first] = members
  const same = members.every(
    (member) =>
      member.state !== 'stopped' &&
      member.lastExecuted !== null &&
      member.lastExecuted === first?.lastExecuted &&
      member.stateDigestSeq === first.stateDigestSeq &&
      member.stateDigest === first.stateDigest,
  )
  if (same && first !== undefined) {
    const { lastExecuted, stateDigest } = first
    return seen('seen.agreed', { replicas: replicaList(ids), seq: lastExecuted ?? 0, digest: (stateDigest ?? '').slice(0, 12) }, true)
  }
  const message = members.map(({ id, lastExecuted, stateDigest }) => `r${id} ${lastExecuted ?? '?'} ${(stateDigest ?? '?').slice(0, 8)}`)
  return seen('seen.notAgreed', { message: message.join(', ') }, false)
}
