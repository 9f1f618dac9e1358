/** Bounds on everything that comes in. */

/** A request's body and a WebSocket frame, bytes: the longest value an operation may carry, escaped. */
export const bodyBytesMax = 8 * 1_048_576
export const cspReportBytesMax = 65_536
export const urlCharsMax = 4_096
/** Connections of any kind, WebSockets, event streams. */
export const connectionsMax = 256
export const socketsMax = 32
export const streamsMax = 32
/** Calls under way on one WebSocket. */
export const callsMax = 256
/** What a slow reader may leave unread before it is let go, bytes; it comes back and resumes. */
export const unreadBytesMax = 16 * 1_048_576

export interface RateLimit {
  /** Takes one; false when there is none left. */
  take(): boolean
}

/**
 * A bucket that holds `burst` and refills by `perSecond`.
 * @param now a monotonic clock, ms
 */
export const createRateLimit = (perSecond: number, burst: number, now: () => number): RateLimit => {
  let left = burst
  let at = now()
  return {
    take() {
      const time = now()
      left = Math.min(burst, left + ((time - at) * perSecond) / 1_000)
      at = time
      if (left < 1) return false
      left -= 1
      return true
    },
  }
}
