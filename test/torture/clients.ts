/** Concurrent clients of a real cluster that write down everything they ask for and are told. */
import { ClientLinks } from '../../src/cluster/client/links.ts'
import { ClientSession } from '../../src/cluster/client/session.ts'
import { openFolder } from '../../src/cluster/folder.ts'
import { decodeResult, encodeOperation, type Operation } from '../../src/pbft/service/index.ts'
import type { ExecutedRequest, Random, Violation } from '../../src/pbft/sim/index.ts'
import type { Call } from './history.ts'
import type { Drawn, Workload } from './workload.ts'

/** After this long a client gives a request up: it may have happened or not, ms. */
const giveUpMs = 10_000
const linksWithinMs = 30_000

export interface Clients {
  readonly calls: readonly Call[]
  readonly sent: ReadonlyMap<string, ExecutedRequest>
  /** Answers that were none. */
  readonly violations: readonly Violation[]
  /** What is asked now and not answered, in words. */
  waiting(): string[]
  /** Runs the workload's openings, each until it is answered. */
  open(): Promise<void>
  /** Begins: every client asks, waits for its answer, thinks, and asks again. */
  start(): void
  /** No new requests; resolves when those under way are answered or given up. */
  stop(): Promise<void>
  close(): void
}

export interface ClientsOptions {
  readonly manifestFile: string
  readonly count: number
  /** Mean time between an answer and the next request, ms. */
  readonly thinkMs: number
  readonly workload: Workload
  readonly random: Random
}

interface Client {
  readonly session: ClientSession
  asked: string | null
}

/** Connects to all replicas. Throws when the folder cannot be opened. */
export const connectClients = async (options: ClientsOptions): Promise<Clients> => {
  const { workload, random } = options
  const opened = openFolder(options.manifestFile)
  if (!opened.ok) throw new Error(opened.error.message)
  const { directory, manifest, operator } = opened.value
  const n = manifest.replicas.length
  const links = new ClientLinks({ directory, manifest, principal: operator })
  const deadline = performance.now() + linksWithinMs
  while (links.connected < n && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 20))
  const clients = Array.from({ length: options.count }, (_, k): Client => ({
    session: new ClientSession(links, n, `torture-${k}`),
    asked: null,
  }))
  const calls: Call[] = []
  const sent = new Map<string, ExecutedRequest>()
  const violations: Violation[] = []
  let running = false
  let loops: Promise<void>[] = []

  const ask = async (client: Client, { operation, readOnly }: Drawn): Promise<boolean> => {
    const name = client.session.client
    const bytes = encodeOperation(operation)
    const invokedAt = performance.now()
    let timestamp = 0
    client.asked = `${name} (${operation.type})`
    const outcome = await client.session.run(bytes, readOnly, giveUpMs, {
      onSent(_to, used) {
        timestamp = used
        sent.set(`${name} ${used}`, { client: name, timestamp: used, operation: bytes })
      },
    })
    client.asked = null
    const at = performance.now()
    const call = { client: name, timestamp, operation, invokedAt }
    if (outcome.cause !== null) {
      calls.push({ ...call, answer: null })
      return false
    }
    const { completed } = outcome
    const result = decodeResult(completed.result)
    if (result === null) {
      violations.push({ checker: 'codec', detail: `${name}: the result of ${completed.timestamp} does not decode` })
      return false
    }
    calls.push({ ...call, timestamp: completed.timestamp, answer: { at, result, bytes: completed.result, seq: completed.seq } })
    workload.saw(operation, result)
    return true
  }

  const openAll = async (client: Client, left: Operation[]): Promise<void> => {
    for (let operation = left.pop(); operation !== undefined; operation = left.pop()) {
      // Given up and asked again it may be there already, which is as good.
      while (!(await ask(client, { operation, readOnly: false })));
    }
  }

  const loop = async (client: Client): Promise<void> => {
    while (running) {
      await ask(client, workload.next(client.session.client))
      await new Promise((resolve) => setTimeout(resolve, random.gap(options.thinkMs)))
    }
  }

  return {
    calls,
    sent,
    violations,
    waiting: () => clients.flatMap(({ asked }) => (asked === null ? [] : [asked])),
    async open() {
      const left = workload.openings.toReversed()
      await Promise.all(clients.map((client) => openAll(client, left)))
    },
    start() {
      running = true
      loops = clients.map(loop)
    },
    async stop() {
      running = false
      await Promise.all(loops)
    },
    close() {
      for (const { session } of clients) session.close()
      links.close()
    },
  }
}
