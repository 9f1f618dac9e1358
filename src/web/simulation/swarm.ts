/** A swarm over several threads, each with a seed at a time. */
import { Worker } from 'node:worker_threads'
import type { SeedResult, Shrunk } from '../../pbft/sim/index.ts'
import type { WorkerAnswer, WorkerOptions, WorkerTask } from './worker.ts'

export interface ThreadedSwarm {
  /** Script of the threads: the project's own, or one in a changed copy. */
  readonly entry: string
  readonly first: number
  readonly seeds: number
  /** Threads; with a trace one, so that its lines stay in order. */
  readonly threads: number
  readonly options: WorkerOptions
  readonly signal?: AbortSignal
  readonly onTrace?: (line: string) => void
  /** After each seed, in no certain order; returning false ends the swarm. */
  readonly onResult: (result: SeedResult) => boolean | void
}

/** Resolves when all seeds have run, `onResult` or `signal` ended it; rejects when a thread breaks. */
export const runThreads = async (swarm: ThreadedSwarm): Promise<void> => {
  const { first, seeds, options, signal } = swarm
  const count = options.trace ? 1 : Math.max(1, Math.min(swarm.threads, seeds))
  const threads = Array.from({ length: count }, () => new Worker(swarm.entry, { workerData: options }))
  let next = first
  try {
    await new Promise<void>((resolve, reject) => {
      let running = count
      const give = (thread: Worker): void => {
        if (next < first + seeds) return thread.postMessage({ seed: next++, shrinkRuns: null } satisfies WorkerTask)
        if (--running === 0) resolve()
      }
      signal?.addEventListener('abort', () => resolve(), { once: true })
      if (signal?.aborted) return resolve()
      for (const thread of threads) {
        thread.on('error', reject)
        thread.on('message', (answer: WorkerAnswer) => {
          if (signal?.aborted) return
          if (answer.kind === 'trace') return answer.lines.forEach((line) => swarm.onTrace?.(line))
          if (answer.kind === 'shrunk') return
          if (swarm.onResult(answer.result) === false) return resolve()
          give(thread)
        })
        give(thread)
      }
    })
  } finally {
    await Promise.all(threads.map((thread) => thread.terminate()))
  }
}

/** The smallest run of a failing seed that shows the same; null when it shows nothing, or when `signal` ended it. */
export const shrinkInThread = async (
  entry: string,
  options: WorkerOptions,
  task: { readonly seed: number; readonly shrinkRuns: number },
  signal?: AbortSignal,
): Promise<Shrunk | null> => {
  const thread = new Worker(entry, { workerData: { ...options, trace: false } satisfies WorkerOptions })
  try {
    return await new Promise<Shrunk | null>((resolve, reject) => {
      if (signal?.aborted) return resolve(null)
      signal?.addEventListener('abort', () => resolve(null), { once: true })
      thread.on('error', reject)
      thread.on('message', (answer: WorkerAnswer) => answer.kind === 'shrunk' && resolve(answer.shrunk))
      thread.postMessage(task satisfies WorkerTask)
    })
  } finally {
    await thread.terminate()
  }
}
