/** Pitfall 28: one replica is stopped (SIGSTOP) while the others serve many requests. What do they keep for it, and does it come back? */
import { ClientLinks } from '../../src/cluster/client/links.ts'
import { cpuSecondsOf } from '../../src/cluster/bench/machine.ts'
import { ClientSession } from '../../src/cluster/client/session.ts'
import { rmSync } from 'node:fs'
import { encodeOperation } from '../../src/pbft/service/index.ts'
import { MemoryWatch, type MemoryFigures } from './memory.ts'
import type { Harm } from './nemesis.ts'
import { Subject } from './subject.ts'

/** No replica may take more while a peer is stopped, MiB: what it needs by itself, and a full queue (64 MiB) for the one that does not read. */
export const stoppedPeerCapMb = 320

const sessions = 64
const valueBytes = 100
const keys = 1_000
const warmUpRequests = 1_000
const giveUpMs = 60_000
const lookMs = 200
const backWithinMs = 120_000
/** Only the last one can be behind without a vote being missed by anybody who dials it. */
const stopped = 3

export interface StoppedFigures {
  readonly requests: number
  readonly seconds: number
  readonly memory: readonly MemoryFigures[]
  /** Highest of the others, while it was stopped and until it was back, MiB. */
  readonly highestMb: number
  /** Sequence numbers that it was behind when it was let go on. */
  readonly behind: number
  /** From SIGCONT until it had executed what the others had then, ms; null: not in time. */
  readonly backMs: number | null
  /** CPU that it used for that, s: says more than the time on a busy machine. */
  readonly backCpuSeconds: number
  readonly failed: number
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

class Load {
  readonly #sessions: readonly ClientSession[]
  readonly #links: ClientLinks
  failed = 0

  constructor(subject: Subject) {
    const { directory, manifest, operator } = subject.opened
    this.#links = new ClientLinks({ directory, manifest, principal: operator })
    this.#sessions = Array.from({ length: sessions }, (_, k) => new ClientSession(this.#links, subject.n, `stopped-${k}`))
  }

  async run(requests: number): Promise<void> {
    const value = 'x'.repeat(valueBytes)
    let next = 0
    const loop = async (session: ClientSession): Promise<void> => {
      while (next < requests) {
        const operation = encodeOperation({ type: 'put', key: `k${next % keys}`, value })
        next += 1
        const outcome = await session.run(operation, false, giveUpMs)
        if (outcome.cause !== null) this.failed += 1
      }
    }
    await Promise.all(this.#sessions.map(loop))
  }

  close(): void {
    for (const session of this.#sessions) session.close()
    this.#links.close()
  }
}

const executedBy = (subject: Subject): number[] => subject.evidence.reports.map((report) => report?.lastExecuted ?? 0)

const untilBack = async (subject: Subject, target: number): Promise<number | null> => {
  const began = performance.now()
  while (performance.now() - began < backWithinMs) {
    if ((executedBy(subject)[stopped] ?? 0) >= target) return Math.round(performance.now() - began)
    await pause(20)
  }
  return null
}

/** Runs the whole thing on a cluster of four of its own; without `isStopped` nobody is stopped, to compare with. */
export const runStoppedReplica = async (requests: number, isStopped = true): Promise<StoppedFigures> => {
  const subject = await Subject.start({ replicas: 4, durability: 'process', parameters: {} })
  const load = new Load(subject)
  const memory = new MemoryWatch()
  const pids = await subject.replicaPids()
  const look = (): void => pids.forEach((pid, id) => memory.look(id === stopped ? 'the stopped one' : `replica ${id}`, pid))
  await load.run(Math.min(warmUpRequests, requests))
  const watching = setInterval(look, lookMs)
  look()
  const pauses: Harm[] = [{ kind: 'fault', fault: { type: 'pause', replica: stopped, durationMs: null } }]
  await subject.begin({ name: 'stop', lengthMs: 0, withinF: true, harms: isStopped ? pauses : [] })
  const began = performance.now()
  await load.run(requests)
  const seconds = (performance.now() - began) / 1_000
  const reached = Math.max(...executedBy(subject))
  const behind = reached - (executedBy(subject)[stopped] ?? 0)
  const cpu = (): number => cpuSecondsOf(pids[stopped] ?? 0) ?? 0
  const cpuBefore = cpu()
  await subject.heal()
  const backMs = await untilBack(subject, reached)
  const backCpuSeconds = Math.round((cpu() - cpuBefore) * 100) / 100
  clearInterval(watching)
  load.close()
  await subject.close()
  rmSync(subject.folder, { recursive: true, force: true })
  const figures = memory.figures()
  const highestMb = Math.max(...figures.filter(({ name }) => name !== 'the stopped one').map((own) => own.highestMb))
  return {
    requests,
    seconds: Math.round(seconds * 10) / 10,
    memory: figures,
    highestMb,
    behind,
    backMs,
    backCpuSeconds,
    failed: load.failed,
  }
}
