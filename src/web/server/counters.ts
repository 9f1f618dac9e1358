/** What the shell took in and what it refused, by reason: every refusal is counted and can be seen. */

export const refusalReasons = [
  'host', // a Host header that is not ours: DNS rebinding
  'origin', // a page of another origin
  'token', // none or a wrong one
  'rate', // too many in a short time
  'size', // a body or frame over the limit
  'malformed', // not JSON, not a frame, not a path
  'busy', // too many connections or calls under way
] as const
export type RefusalReason = (typeof refusalReasons)[number]

export interface ShellCounters {
  readonly requests: number
  readonly frames: number
  readonly cspViolations: number
  readonly refused: Readonly<Record<RefusalReason, number>>
}

export interface Counters {
  countRequest(): void
  countFrame(): void
  countCspViolation(): void
  refuse(reason: RefusalReason): void
  read(): ShellCounters
}

/** Counters from zero. `onRefusal` hears the first of each reason and then every hundredth, so that a flood cannot fill a log. */
export const createCounters = (onRefusal: (reason: RefusalReason, count: number) => void): Counters => {
  let requests = 0
  let frames = 0
  let cspViolations = 0
  const refused = Object.fromEntries(refusalReasons.map((reason) => [reason, 0])) as Record<RefusalReason, number>
  return {
    countRequest: () => void (requests += 1),
    countFrame: () => void (frames += 1),
    countCspViolation: () => void (cspViolations += 1),
    refuse(reason) {
      refused[reason] += 1
      if (refused[reason] % 100 === 1) onRefusal(reason, refused[reason])
    },
    read: () => ({ requests, frames, cspViolations, refused: { ...refused } }),
  }
}
