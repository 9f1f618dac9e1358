/** The primary is cut off: the others elect the next one and go on; when it comes back it has the same log and state. */
import type { SubmitResult } from '../../contract/api.ts'
import type { ClusterStatus, LogEntry } from '../../contract/model.ts'
import { StepFailure, type Observed, type Scenario, type ScenarioStep, type Stage } from './scenario.ts'

const requestTimeoutMs = 10_000
const settleTimeoutMs = 20_000
const requestsEach = 5

export const primaryIsolation: Scenario = {
  name: 'primary-isolation',
  title: 'The primary is isolated, the others go on, it comes back',
  replicasMin: 4,
  steps: () => {
    const memory: Memory = { primary: 0, view: 0, answers: [] }
    return [submitFirst(memory), isolate(memory), goOn(memory), viewEntered(memory), heal(memory), caughtUp(memory), nothingLost(memory)]
  },
}

interface Memory {
  primary: number
  view: number
  readonly answers: SubmitResult[]
}

/** Submits increments of one counter, so that a lost or doubled one shows in its value. */
const increment = async (stage: Stage, memory: Memory): Promise<SubmitResult[]> => {
  const made: SubmitResult[] = []
  for (let i = 0; i < requestsEach; i += 1) {
    const answer = await stage.submit({ type: 'incr', key: 'demo', n: 1 }, requestTimeoutMs)
    if (!answer.ok) throw new StepFailure(answer.error.message)
    memory.answers.push(answer.value)
    made.push(answer.value)
  }
  return made
}

const span = (answers: readonly SubmitResult[]): string => {
  const seqs = answers.map((answer) => answer.seq)
  const slowest = Math.max(...answers.map((answer) => answer.latencyMs))
  return `${answers.length} requests answered, seq ${Math.min(...seqs)} to ${Math.max(...seqs)}, slowest ${slowest.toFixed(0)} ms`
}

const submitFirst = (memory: Memory): ScenarioStep => {
  let made: SubmitResult[] = []
  return {
    title: 'Submit requests',
    expected: `${requestsEach} requests are answered in the present view`,
    async act(stage) {
      const before = await stage.until((status) => status.view !== null && status.verdict.state === 'healthy', settleTimeoutMs)
      memory.view = before.view ?? 0
      memory.primary = before.primary ?? 0
      made = await increment(stage, memory)
    },
    check: async () => ({
      observed: `${span(made)}; view ${memory.view}, primary r${memory.primary}`,
      holds: made.every((answer) => answer.result.ok),
    }),
  }
}

const isolate = (memory: Memory): ScenarioStep => ({
  title: 'Isolate the primary',
  expected: 'the primary confirms that its links to peers and clients are cut, and is shown as isolated',
  async act(stage) {
    await stage.call('injectFault', { fault: { type: 'isolate', replica: memory.primary } })
  },
  async check(stage) {
    const isolated = (status: ClusterStatus): boolean =>
      status.replicas[memory.primary]?.state === 'isolated' && status.faults.every((fault) => fault.pending.length === 0)
    const status = await stage.until(isolated, settleTimeoutMs)
    return {
      observed: `r${memory.primary} is ${status.replicas[memory.primary]?.state}; ${status.verdict.sentence}`,
      holds: isolated(status),
    }
  },
})

const goOn = (memory: Memory): ScenarioStep => {
  let made: SubmitResult[] = []
  return {
    title: 'Go on without it',
    expected: 'the backups time out on the next request, change the view, and every request is answered',
    async act(stage) {
      made = await increment(stage, memory)
    },
    check: async () => ({
      observed: `${span(made)}; the last in view ${made.at(-1)?.view}`,
      holds: made.every((answer) => answer.result.ok && answer.view > memory.view),
    }),
  }
}

const viewEntered = (memory: Memory): ScenarioStep => ({
  title: 'Watch the view change',
  expected: 'the views show the new one with another primary, why it began, and who voted for it',
  act: async () => undefined,
  async check(stage) {
    const status = await stage.until((now) => (now.view ?? 0) > memory.view, settleTimeoutMs)
    const views = await stage.call('views', {})
    const entered = views.find((view) => view.view === status.view)
    const observed = `view ${status.view}, primary r${status.primary}: ${entered?.reason ?? 'no view was observed'}; ${entered?.votes.length ?? 0} votes`
    const holds =
      (status.view ?? 0) > memory.view &&
      status.primary !== memory.primary &&
      entered !== undefined &&
      entered.votes.length >= status.quorum
    return { observed, holds }
  },
})

const heal = (memory: Memory): ScenarioStep => ({
  title: 'Heal',
  expected: 'no fault is active and all replicas are live',
  async act(stage) {
    await stage.call('healAll', {})
  },
  async check(stage) {
    const healed = (status: ClusterStatus): boolean =>
      status.faults.length === 0 && status.replicas.every((replica) => replica.state === 'live')
    const status = await stage.until(healed, settleTimeoutMs)
    return {
      observed: `r${memory.primary} is ${status.replicas[memory.primary]?.state}; ${status.verdict.sentence}`,
      holds: healed(status),
    }
  },
})

const agreed = (status: ClusterStatus): boolean => {
  const [first] = status.replicas
  return status.replicas.every(
    (replica) =>
      replica.lastExecuted === status.lastExecuted &&
      replica.stateDigestSeq === status.lastExecuted &&
      replica.stateDigest === first?.stateDigest &&
      replica.view === status.view,
  )
}

const caughtUp = (memory: Memory): ScenarioStep => ({
  title: 'The old primary catches up',
  expected: 'it has executed as far as the others, and its state digest is theirs',
  async act(stage) {
    await increment(stage, memory)
  },
  async check(stage): Promise<Observed> {
    const status = await stage.until(agreed, settleTimeoutMs)
    const old = status.replicas[memory.primary]
    const others = status.replicas.filter((replica) => replica.id !== memory.primary)
    const digests = new Set(status.replicas.map((replica) => replica.stateDigest))
    const last = others.map((replica) => `r${replica.id} ${replica.lastExecuted}`).join(', ')
    const observed = `r${memory.primary} executed up to ${old?.lastExecuted} (${last}); ${digests.size} state digest(s), ${old?.stateDigest?.slice(0, 8)}`
    return { observed, holds: agreed(status) }
  },
})

const wholeLog = async (stage: Stage): Promise<LogEntry[]> => {
  const entries: LogEntry[] = []
  let after: number | null = 0
  while (after !== null) {
    const page: { readonly entries: readonly LogEntry[]; readonly next: number | null } = await stage.call('log', { after, limit: 1_000 })
    entries.push(...page.entries)
    after = page.next
  }
  return entries
}

const nothingLost = (memory: Memory): ScenarioStep => ({
  title: 'Nothing is lost',
  expected: 'the log has no gap, every answered request once, and the old primary has every entry of it',
  act: async () => undefined,
  async check(stage) {
    const last = Math.max(...memory.answers.map((answer) => answer.seq))
    let entries = await wholeLog(stage)
    const complete = (): boolean => (entries.at(-1)?.seq ?? 0) >= last && entries.every((entry) => hasIt(entry, memory.primary))
    const deadline = Date.now() + settleTimeoutMs
    while (!complete() && Date.now() < deadline) {
      await stage.until(() => true, 0)
      await new Promise((resolve) => setTimeout(resolve, 100))
      entries = await wholeLog(stage)
    }
    const gaps = entries.filter((entry, i) => i > 0 && entry.seq !== (entries[i - 1]?.seq ?? 0) + 1).length
    const increments = entries
      .flatMap((entry) => entry.requests)
      .filter(({ operation, result }) => operation.type === 'incr' && result !== null)
    const values = increments.map(({ result }) => (result?.ok === true ? result.value : null))
    const once = values.length === memory.answers.length && values.every((value, i) => value === i + 1)
    const at = entries.filter((entry) => hasIt(entry, memory.primary)).length
    const observed = `${entries.length} entries, ${gaps} gaps, ${values.length} increments for ${memory.answers.length} answers, ${at} entries at r${memory.primary}`
    return { observed, holds: complete() && gaps === 0 && once }
  },
})

const hasIt = (entry: LogEntry, replica: number): boolean => {
  const phase = entry.replicas[replica]
  return phase === 'executed' || phase === 'transferred'
}
