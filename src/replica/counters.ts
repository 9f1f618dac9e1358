/** What this replica refused, by reason; shown to the operator, and logged with a limit so that no peer can fill the disk. */

/** `detail` is for the log only. */
export type Count = (reason: string, detail: string) => void

/** Different reasons are few; this bounds them all the same. */
const reasonsMax = 200
/** Refusals logged for each reason in each period. */
const loggedMax = 5
const periodMs = 10_000

export interface Counters {
  readonly count: Count
  readonly counts: Readonly<Record<string, number>>
}

export const createCounters = (log: (reason: string, detail: string) => void): Counters => {
  const counts: Record<string, number> = {}
  let logged: Record<string, number> = {}
  let periodEnd = 0
  return {
    counts,
    count(reason, detail) {
      const name = reason in counts || Object.keys(counts).length < reasonsMax ? reason : 'other'
      counts[name] = (counts[name] ?? 0) + 1
      const now = Date.now()
      if (now >= periodEnd) {
        logged = {}
        periodEnd = now + periodMs
      }
      logged[name] = (logged[name] ?? 0) + 1
      if (logged[name] <= loggedMax) log(name, detail)
    },
  }
}
