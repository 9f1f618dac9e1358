/** Watches the processes of one run: CPU over the measured window, the highest memory seen in it. */
import { busySeconds, cpuSecondsOf, residentMbOf } from './machine.ts'

const periodMs = 200

export interface Watched {
  readonly name: string
  readonly pid: number
}

export interface ProcessFigures {
  readonly name: string
  /** Cores used, on average. */
  readonly cpu: number | null
  readonly rssMb: number | null
}

export interface Sampled {
  readonly processes: readonly ProcessFigures[]
  /** Cores that everything else on the machine used meanwhile; 0 is a quiet machine. */
  readonly othersCpu: number | null
}

const minus = (a: number | null, b: number | null): number | null => (a === null || b === null ? null : a - b)

/** Begins now; the function that it returns ends it. */
export const startSampler = (watched: readonly Watched[]): (() => Sampled) => {
  const beganAt = performance.now()
  const busyBefore = busySeconds()
  const cpuBefore = watched.map(({ pid }) => cpuSecondsOf(pid))
  const cpuLatest = [...cpuBefore]
  const rss = watched.map(({ pid }) => residentMbOf(pid))
  const look = (): void =>
    watched.forEach(({ pid }, i) => {
      cpuLatest[i] = cpuSecondsOf(pid) ?? cpuLatest[i] ?? null
      const now = residentMbOf(pid)
      if (now !== null) rss[i] = Math.max(now, rss[i] ?? 0)
    })
  const timer = setInterval(look, periodMs)
  return () => {
    clearInterval(timer)
    look()
    const seconds = (performance.now() - beganAt) / 1_000
    const used = watched.map((_, i) => minus(cpuLatest[i] ?? null, cpuBefore[i] ?? null))
    const processes = watched.map(({ name }, i) => {
      const own = used[i] ?? null
      return { name, cpu: own === null ? null : own / seconds, rssMb: rss[i] ?? null }
    })
    const busy = minus(busySeconds(), busyBefore)
    const ours = used.reduce<number>((sum, own) => sum + (own ?? 0), 0)
    return { processes, othersCpu: busy === null ? null : Math.max(0, (busy - ours) / seconds) }
  }
}
