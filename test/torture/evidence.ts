/**
 * What the replicas say they did: their executed batches and checkpoints, asked for all the time over control links of our own, and
 * read again from their disks when they have ended. What a disk holds then must be what its replica said before.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ControlLink } from '../../src/cluster/control-link.ts'
import type { OpenedFolder } from '../../src/cluster/folder.ts'
import type { HistoryEntry, ObservedEvent, ReplicaReport } from '../../src/contract/control.ts'
import { decodeBatch } from '../../src/pbft/wire/index.ts'
import { openSqliteStorage } from '../../src/replica/sqlite-storage.ts'
import type { ExecutedRequest, LogEvent, Violation, Vote } from '../../src/pbft/sim/index.ts'

const pageMax = 1_000
const pageBytesMax = 3 * 1_048_576

interface Executed {
  readonly digest: string
  readonly timeMs: number
  readonly requests: readonly ExecutedRequest[]
  readonly results: readonly Uint8Array[]
}

const decode = (entry: HistoryEntry): Executed => {
  const batch = decodeBatch(Buffer.from(entry.batch, 'base64'))
  if (!batch.ok) throw new Error(`batch ${entry.seq} does not decode: ${batch.reason}`)
  const { timeMs, requests } = batch.value
  const asked = requests.map(({ client, timestamp, operation }) => ({ client, timestamp, operation: new Uint8Array(operation) }))
  return {
    digest: entry.digest,
    timeMs,
    requests: asked,
    results: entry.results.map((text) => new Uint8Array(Buffer.from(text, 'base64'))),
  }
}

const isSame = (a: Executed, b: Executed): boolean =>
  a.digest === b.digest &&
  a.results.length === b.results.length &&
  a.results.every((result, i) => Buffer.compare(result, b.results[i] ?? new Uint8Array(0)) === 0)

export class Evidence {
  readonly checkpoints: Vote[] = []
  readonly violations: Violation[] = []
  readonly reports: (ReplicaReport | null)[]
  readonly #opened: OpenedFolder
  readonly #links: readonly ControlLink[]
  /** By replica, by seq; equal ones are one object. */
  readonly #executed: Map<number, Executed>[]
  readonly #first = new Map<number, Executed>()
  /** By replica: where its log goes on to be asked for. */
  readonly #read: number[]
  readonly #reading: boolean[]

  constructor(opened: OpenedFolder) {
    const { manifest, directory, operator } = opened
    this.#opened = opened
    this.reports = manifest.replicas.map(() => null)
    this.#executed = manifest.replicas.map(() => new Map<number, Executed>())
    this.#read = manifest.replicas.map(() => 0)
    this.#reading = manifest.replicas.map(() => false)
    this.#links = manifest.replicas.map((member) => {
      const link: ControlLink = new ControlLink({
        directory,
        operator,
        member,
        onUp: () => void link.call({ call: 'observe' }),
        onDown: () => undefined,
        onFailed: () => undefined,
        onMalformed: (detail) => void this.violations.push({ checker: 'control', detail: `r${member.id}: ${detail}` }),
        onReport: (message) => {
          if (message.type === 'status') this.#onReport(member.id, message.report)
          else for (const event of message.events) this.#onEvent(member.id, event)
        },
      })
      return link
    })
  }

  /** Asks every replica that answers for what it executed since the last time. */
  async collect(): Promise<void> {
    await Promise.all(this.#links.map((_, id) => this.#collectFrom(id)))
  }

  close(): void {
    for (const link of this.#links) link.close()
  }

  /** Reads the disks of replicas that have ended. */
  readDisks(): void {
    const { manifest, folder } = this.#opened
    const { clusterId, durability } = manifest
    if (durability === 'none') return
    for (const { id } of manifest.replicas) {
      const storage = openSqliteStorage({ folder: join(folder, 'data', `replica-${id}`), clusterId, replica: id, durability })
      for (let after = 0; ;) {
        const page = storage.history(after, pageMax, pageBytesMax)
        for (const entry of page) this.#take(id, entry)
        const last = page.at(-1)
        if (last === undefined) break
        after = last.seq
      }
      storage.close()
    }
  }

  /** All replicas' logs. A gap counts as a state transfer only where the replica's own log file tells of one that ended there. */
  log(logsFolder: string): LogEvent[] {
    return this.#executed.flatMap((own, replica) => {
      const transfers = transfersIn(join(logsFolder, `replica-${replica}.log`))
      const events: LogEvent[] = []
      let position = 0
      for (const seq of [...own.keys()].toSorted((a, b) => a - b)) {
        const before = seq - 1
        if (before > position && transfers.has(before)) events.push({ kind: 'transferred', replica, seq: before, durableSeq: 0 })
        const { digest, timeMs, requests, results } = own.get(seq) as Executed
        events.push({ kind: 'executed', replica, seq, digest, timeMs, requests, results })
        position = seq
      }
      return events
    })
  }

  async #collectFrom(id: number): Promise<void> {
    const link = this.#links[id]
    if (link === undefined || this.#reading[id] === true) return
    this.#reading[id] = true
    for (let more = link.up; more;) {
      const answer = await link.call({ call: 'history', after: this.#read[id] as number, limit: pageMax })
      if (!answer.ok) break
      for (const entry of answer.value.history) this.#take(id, entry)
      const last = answer.value.history.at(-1)
      more = last !== undefined
      if (last !== undefined) this.#read[id] = last.seq
    }
    this.#reading[id] = false
  }

  #take(replica: number, entry: HistoryEntry): void {
    let executed = decode(entry)
    const first = this.#first.get(entry.seq)
    if (first === undefined) this.#first.set(entry.seq, executed)
    else if (isSame(first, executed)) executed = first
    const own = this.#executed[replica] as Map<number, Executed>
    const before = own.get(entry.seq)
    if (before === undefined) own.set(entry.seq, executed)
    else if (!isSame(before, executed)) {
      const detail = `r${replica}, seq ${entry.seq}: it had executed ${before.digest}, and now has ${executed.digest}`
      this.violations.push({ checker: 'disk', detail })
    }
  }

  #onReport(replica: number, report: ReplicaReport): void {
    this.reports[replica] = report
    if (report.lowWatermark > 0) this.#checkpoint(replica, report.lowWatermark, report.stableDigest)
  }

  #onEvent(replica: number, { event }: ObservedEvent): void {
    const { type, seq, digest } = event as { readonly type: string; readonly seq?: unknown; readonly digest?: unknown }
    if (type === 'checkpoint' && typeof seq === 'number' && typeof digest === 'string') this.#checkpoint(replica, seq, digest)
  }

  readonly #known = new Set<string>()
  #checkpoint(replica: number, seq: number, digest: string): void {
    const key = `${replica} ${seq} ${digest}`
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.checkpoints.push({ replica, type: 'checkpoint', view: 0, seq, digest })
  }
}

/** Sequence numbers to which a replica's log file says that it fetched the state. */
const transfersIn = (file: string): Set<number> => {
  const found = new Set<number>()
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    if (!line.includes('"transfer"') || !line.includes('"completed"')) continue
    const { event } = JSON.parse(line) as { readonly event?: { readonly type?: string; readonly state?: string; readonly seq?: number } }
    if (event?.type === 'transfer' && event.state === 'completed' && event.seq !== undefined) found.add(event.seq)
  }
  return found
}
