/** Values of the contract as the HTTP API words them: times as ISO 8601 in UTC, faults flat with their `id`. */
import type { ActiveFault } from '../../contract/faults.ts'
import type { ClusterStatus, LogEntry, LogPage } from '../../contract/model.ts'

/** Fields that hold ms since the epoch. */
const timeFields = new Set([
  ...['at', 'since', 'heardAt', 'lastCommittedAt', 'expires', 'began', 'ended', 'trashedAt', 'started', 'startedAt', 'endsAt'],
  ...['prePreparedAt', 'preparedAt', 'committedAt', 'executedAt'],
])
/** Free data: what stands in it is the user's or a message's parameter, whatever it is called. */
const freeFields = new Set(['parameters', 'reasonParameters', 'operation', 'result'])

/** ms since the epoch; 0 and what no calendar holds are null. */
const iso = (ms: number): string | null => (ms > 0 && ms < 8.64e15 ? new Date(ms).toISOString() : null)

const isoMap = (value: object): Record<string, string | null> =>
  Object.fromEntries(Object.entries(value).map(([key, ms]) => [key, typeof ms === 'number' ? iso(ms) : null]))

/** The same value with every time as text. */
export const withIsoTimes = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(withIsoTimes)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]: [string, unknown]) => {
      if (freeFields.has(key)) return [key, inner]
      if (timeFields.has(key) && typeof inner === 'number') return [key, iso(inner)]
      if ((key === 'stableAt' || key === 'digestsAt') && typeof inner === 'object' && inner !== null) return [key, isoMap(inner)]
      return [key, withIsoTimes(inner)]
    }),
  )
}

export const presentFault = ({ fault, ...about }: ActiveFault): unknown => withIsoTimes({ ...fault, ...about })

export const presentStatus = (status: ClusterStatus, shell: unknown): unknown => ({
  ...(withIsoTimes(status) as object),
  faults: status.faults.map(presentFault),
  shell,
})

export const presentEntry = ({ timeMs, ...entry }: LogEntry): unknown => ({ ...(withIsoTimes(entry) as object), time: iso(timeMs) })

export const presentLog = ({ entries, ...page }: LogPage): unknown => ({ ...page, entries: entries.map(presentEntry) })
