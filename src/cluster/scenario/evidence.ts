/** Evidence out of the whole log: no gap, every answered request once, and who has executed it. */
import type { LogEntry, RequestInfo } from '../../contract/model.ts'
import type { Memory } from './memory.ts'
import type { Seen } from './observation.ts'
import type { Stage } from './stage.ts'

const pageMax = 1_000

const wholeLog = async (stage: Stage): Promise<LogEntry[]> => {
  const entries: LogEntry[] = []
  for (let after: number | null = 0; after !== null;) {
    const page: { readonly entries: readonly LogEntry[]; readonly next: number | null } = await stage.call('log', { after, limit: pageMax })
    entries.push(...page.entries)
    after = page.next
  }
  return entries
}

const gapsIn = (entries: readonly LogEntry[]): number =>
  entries.filter((entry, i) => i > 0 && entry.seq !== (entries[i - 1]?.seq ?? 0) + 1).length

/** How often each request was executed: one that was ordered again has no result of its own. */
const executions = (entries: readonly LogEntry[]): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const { client, timestamp, result } of entries.flatMap((entry) => entry.requests)) {
    const key = `${client} ${timestamp}`
    if (result !== null) counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

const answeredOf = async (stage: Stage, memory: Memory): Promise<RequestInfo[]> => {
  const ids = new Set([...memory.groups.values()].flatMap((group) => group.ids))
  const requests = await stage.call('requests', { limit: 1_000 })
  return requests.filter(({ id, outcome }) => ids.has(id) && outcome.state === 'completed')
}

const isExecutedAt = (entry: LogEntry, replica: number): boolean => {
  const phase = entry.replicas[replica]
  return phase === 'executed' || phase === 'transferred'
}

/** `replicas` must have executed every entry. */
export const logEvidence = async (stage: Stage, memory: Memory, replicas: readonly number[]): Promise<Seen> => {
  const answered = await answeredOf(stage, memory)
  const entries = await wholeLog(stage)
  const counts = executions(entries)
  const total = answered.length
  const missing = answered.filter(({ client, timestamp }) => !counts.has(`${client} ${timestamp}`)).length
  if (missing > 0) return { key: 'seen.logMissing', parameters: { missing, total }, holds: false }
  const gaps = gapsIn(entries)
  if (gaps > 0) return { key: 'seen.logGaps', parameters: { count: gaps }, holds: false }
  const doubled = [...counts.values()].filter((count) => count > 1).length
  if (doubled > 0) return { key: 'seen.logDoubled', parameters: { count: doubled }, holds: false }
  for (const replica of replicas) {
    const behind = entries.filter((entry) => !isExecutedAt(entry, replica)).length
    if (behind > 0) return { key: 'seen.logBehind', parameters: { count: behind, replica }, holds: false }
  }
  return { key: 'seen.log', parameters: { count: entries.length, total }, holds: total > 0 }
}
