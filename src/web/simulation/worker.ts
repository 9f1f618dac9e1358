/** A thread of the simulator: runs, or shrinks, the seeds that it is handed, one at a time. Also runs from a changed copy of the sources. */
import { parentPort, workerData } from 'node:worker_threads'
import { runSeed, shrink, type SeedOptions, type SeedResult, type Shrunk } from '../../pbft/sim/index.ts'

/** What all seeds of a thread have in common. */
export type WorkerOptions = Omit<SeedOptions, 'seed' | 'trace'> & { readonly trace: boolean }

export interface WorkerTask {
  readonly seed: number
  /** Runs that shrinking may take; null: the seed is run, once. */
  readonly shrinkRuns: number | null
}

export type WorkerAnswer =
  | { readonly kind: 'trace'; readonly lines: readonly string[] }
  | { readonly kind: 'result'; readonly result: SeedResult }
  | { readonly kind: 'shrunk'; readonly shrunk: Shrunk | null }

const linesPerMessage = 1_000

const port = parentPort
if (port === null) throw new Error('a thread of the simulator, to be started by one')

const { trace, ...options } = workerData as WorkerOptions
const say = (answer: WorkerAnswer): void => port.postMessage(answer)

port.on('message', ({ seed, shrinkRuns }: WorkerTask) => {
  if (shrinkRuns !== null) return say({ kind: 'shrunk', shrunk: shrink({ ...options, seed }, shrinkRuns) })
  let lines: string[] = []
  const keep = (line: string): void => {
    if (lines.push(line) < linesPerMessage) return
    say({ kind: 'trace', lines })
    lines = []
  }
  const result = runSeed({ ...options, seed, ...(trace ? { trace: keep } : {}) })
  if (lines.length > 0) say({ kind: 'trace', lines })
  say({ kind: 'result', result })
})
