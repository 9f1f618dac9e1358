/** Evidence out of the whole log: no gap, every answered request once, and who has executed it. */
import type { LogEntry, RequestInfo } from '../../contract/model.ts'
import { replicaList } from '../sentence.ts'
import type { LogReading, Memory } from './memory.ts'
import type { Seen } from './observation.ts'
import type { Stage } from './stage.ts'

const pageMax = 1_000

/** Entries after `after`, page by page. */
async function* pages(stage: Stage, after: number): AsyncGenerator<readonly LogEntry[]> {
  for (let from: number | null = after; from !== null;) {
    const page: { readonly entries: readonly LogEntry[]; readonly next: number | null } = await stage.call('log', {
      after: from,
      limit: pageMax,
    })
    yield page.entries
    from = page.next
  }
}

const add = (reading: LogReading, entry: LogEntry): void => {
  if (reading.entries > 0 && entry.seq !== reading.through + 1) reading.gaps += 1
  reading.entries += 1
  reading.through = entry.seq
  for (const { client, timestamp, result } of entry.requests) {
    const key = keyOf(client, timestamp)
    // One that was ordered again has no result of its own.
    if (result !== null) reading.executions.set(key, (reading.executions.get(key) ?? 0) + 1)
  }
}

const keyOf = (client: string, timestamp: number): string => `${client} ${timestamp}`

const answeredOf = async (stage: Stage, memory: Memory): Promise<RequestInfo[]> => {
  const ids = new Set([...memory.groups.values()].flatMap((group) => group.ids))
  const requests = await stage.call('requests', { limit: 1_000 })
  return requests.filter(({ id, outcome }) => ids.has(id) && outcome.state === 'completed')
}

const isExecutedAt = (entry: LogEntry, replica: number): boolean => {
  const phase = entry.replicas[replica]
  return phase === 'executed' || phase === 'transferred'
}

/** The first of `replicas` that has not executed an entry; null: all have. */
const laggardOf = (entry: LogEntry, replicas: readonly number[]): number | null =>
  replicas.find((replica) => !isExecutedAt(entry, replica)) ?? null

const failed = (key: Seen['key'], parameters: Seen['parameters']): Seen => ({ key, parameters, holds: false })

/** `replicas` must have executed every entry. Entries that they have all executed are not read a second time. */
export const logEvidence = async (stage: Stage, memory: Memory, replicas: readonly number[]): Promise<Seen> => {
  const answered = await answeredOf(stage, memory)
  const name = replicaList(replicas)
  const settled = memory.logs.get(name) ?? { through: 0, entries: 0, gaps: 0, executions: new Map<string, number>() }
  memory.logs.set(name, settled)
  const behind = new Map<number, number>()
  let reading = settled
  for await (const entries of pages(stage, settled.through)) {
    for (const entry of entries) {
      const laggard = laggardOf(entry, replicas)
      if (laggard !== null) behind.set(laggard, (behind.get(laggard) ?? 0) + 1)
      // From here on it is read again next time.
      if (laggard !== null && reading === settled) reading = { ...settled, executions: new Map(settled.executions) }
      add(reading, entry)
    }
  }
  const total = answered.length
  const missing = answered.filter(({ client, timestamp }) => !reading.executions.has(keyOf(client, timestamp))).length
  if (missing > 0) return failed('seen.logMissing', { missing, total })
  if (reading.gaps > 0) return failed('seen.logGaps', { count: reading.gaps })
  const doubled = [...reading.executions.values()].filter((count) => count > 1).length
  if (doubled > 0) return failed('seen.logDoubled', { count: doubled })
  for (const [replica, count] of behind) return failed('seen.logBehind', { count, replica })
  return { key: 'seen.log', parameters: { count: reading.entries, total }, holds: total > 0 }
}
