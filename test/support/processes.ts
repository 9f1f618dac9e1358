/** Real replica processes, started from the TypeScript sources, and links to them. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ControlCall, ControlMessage, ReplicaReport } from '../../src/contract/control.ts'
import type { Manifest } from '../../src/contract/manifest.ts'
import { dial, sign, type Dialer, type Link, type LinkRole, type PrivateKey } from '../../src/link/index.ts'
import { directoryOf } from '../../src/link/manifest.ts'
import { asClientId, asClientTimestamp } from '../../src/pbft/protocol/ids.ts'
import type { Reply, Request } from '../../src/pbft/protocol/messages.ts'
import { weakSize } from '../../src/pbft/protocol/quorum.ts'
import { decodeResult, encodeOperation, type Operation, type OperationResult } from '../../src/pbft/service/index.ts'
import { decodeMessage, decodeReplies, encodeMessage, isBundle, requestSignedBytes } from '../../src/pbft/wire/index.ts'
import { freePorts, makeCluster, writeCluster, type TestCluster } from './manifests.ts'
import { until } from './until.ts'

const entry = join(import.meta.dirname, '../../src/replica/main.ts')

export interface ReplicaProcess {
  readonly child: ChildProcess
  readonly exited: Promise<{ readonly code: number | null; readonly signal: string | null }>
  stdout(): string
  stderr(): string
  /** The message that it posts when it listens, once it came. */
  ready(): { readonly port: number; readonly pid: number } | null
}

export const spawnReplica = (args: readonly string[]): ReplicaProcess => {
  const child = spawn(process.execPath, [entry, ...args], { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let [out, err] = ['', '']
  let ready: ReturnType<ReplicaProcess['ready']> = null
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()))
  child.on('message', (message) => (ready = message as typeof ready))
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal })),
  )
  return { child, exited, stdout: () => out, stderr: () => err, ready: () => ready }
}

export interface ControlClient {
  readonly dialer: Dialer
  readonly reports: ReplicaReport[]
  readonly observed: Extract<ControlMessage, { type: 'observed' }>[]
  call(call: ControlCall extends infer Call ? (Call extends ControlCall ? Omit<Call, 'id'> : never) : never): Promise<ControlMessage>
  raw(bytes: Uint8Array): Promise<ControlMessage>
}

export interface Running {
  readonly folder: string
  readonly file: string
  readonly cluster: TestCluster
  readonly processes: (ReplicaProcess | undefined)[]
  start(id: number, ...more: string[]): Promise<ReplicaProcess>
  kill(id: number): Promise<void>
  control(id: number): ControlClient
  client(session: string): RequestClient
  report(id: number): Promise<ReplicaReport>
  close(): Promise<void>
}

export interface RequestClient {
  /** Sends to all replicas, again every 500 ms; resolves with f+1 matching results. */
  submit(operation: Operation): Promise<{ readonly result: OperationResult; readonly reply: Reply }>
  send(request: Request, to?: number): void
  request(operation: Operation): Request
  readonly replies: Reply[]
}

interface Waiting {
  readonly votes: Map<string, Set<number>>
  readonly done: (reply: Reply) => void
}

const createClient = (
  manifest: Manifest,
  key: PrivateKey,
  session: string,
  dialRole: (role: LinkRole, onLink: DialHandler) => Dialer[],
): RequestClient => {
  const client = asClientId(`operator/${session}`)
  const waiting = new Map<number, Waiting>()
  const replies: Reply[] = []
  let timestamp = Date.now() * 1_000
  const onMessage = (bytes: Uint8Array): void => {
    if (isBundle(bytes)) {
      const bundle = decodeReplies(bytes)
      if (bundle.ok) bundle.value.forEach(onReply)
      return
    }
    const decoded = decodeMessage(bytes)
    if (decoded.ok && decoded.value.type === 'reply') onReply(decoded.value)
  }
  const onReply = (reply: Reply): void => {
    if (reply.client !== client) return
    replies.push(reply)
    const wait = waiting.get(reply.timestamp)
    if (wait === undefined || reply.result.kind !== 'full') return
    const name = Buffer.from(reply.result.bytes).toString('hex')
    const votes = wait.votes.get(name) ?? new Set<number>()
    wait.votes.set(name, votes.add(reply.replica))
    if (votes.size >= weakSize(manifest.replicas.length)) wait.done(reply)
  }
  const dialers = dialRole('client', () => (messages) => messages.forEach(onMessage))
  const send = (request: Request, to?: number): void => {
    const bytes = encodeMessage(request)
    for (const [id, dialer] of dialers.entries()) if (to === undefined || to === id) dialer.link?.send(bytes)
  }
  const request = (operation: Operation): Request => {
    timestamp = Math.max(timestamp + 1, Date.now() * 1_000)
    const body = {
      type: 'request',
      client,
      timestamp: asClientTimestamp(timestamp),
      operation: encodeOperation(operation),
      readOnly: false,
      replier: null,
    } as const
    return { ...body, authentication: { kind: 'signature', signature: sign(key, requestSignedBytes(body, manifest.clusterId)) } }
  }
  return {
    replies,
    request,
    send,
    async submit(operation) {
      const made = request(operation)
      let timer: NodeJS.Timeout | undefined
      const reply = await new Promise<Reply>((done) => {
        waiting.set(made.timestamp, { votes: new Map(), done })
        send(made)
        timer = setInterval(() => send(made), 500)
      })
      clearInterval(timer)
      waiting.delete(made.timestamp)
      const result = decodeResult(reply.result.kind === 'full' ? reply.result.bytes : new Uint8Array(0))
      if (result === null) throw new Error('no result')
      return { result, reply }
    },
  }
}

type DialHandler = (link: Link) => (messages: readonly Uint8Array[]) => void

/** Makes a cluster of `n` in a temporary folder; nothing runs yet. */
export const prepareCluster = async (n: number, changes: Partial<Manifest> = {}): Promise<Running> => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-cluster-'))
  const cluster = makeCluster(await freePorts(n), changes)
  const file = writeCluster(folder, cluster)
  const directory = directoryOf(cluster.manifest)
  const processes: (ReplicaProcess | undefined)[] = []
  const dialers: Dialer[] = []

  const dialTo = (role: LinkRole, id: number, onLink: DialHandler): Dialer => {
    const to = cluster.manifest.replicas[id]
    if (to === undefined) throw new Error(`no replica ${id}`)
    const dialer = dial({
      directory,
      identity: { role, name: 'operator', key: cluster.operator },
      to,
      pauseMaxMs: 200,
      onLink: (link) => ({ onMessages: onLink(link), onClose: () => undefined }),
    })
    dialers.push(dialer)
    return dialer
  }

  const control = (id: number): ControlClient => {
    const reports: ReplicaReport[] = []
    const observed: ControlClient['observed'] = []
    const answers = new Map<number, (message: ControlMessage) => void>()
    let nextId = 1
    const dialer = dialTo('control', id, (link) => {
      link.send(Buffer.from(JSON.stringify({ id: 1_000_000, call: 'observe' })))
      return (messages) => {
        for (const bytes of messages) {
          const message = JSON.parse(Buffer.from(bytes).toString()) as ControlMessage
          if (message.type === 'status') reports.push(message.report)
          else if (message.type === 'observed') observed.push(message)
          else answers.get(message.id)?.(message)
        }
      }
    })
    const send = async (bytes: Uint8Array, callId: number): Promise<ControlMessage> => {
      await until(() => dialer.link !== null)
      return new Promise((resolve) => {
        answers.set(callId, resolve)
        dialer.link?.send(bytes)
      })
    }
    return {
      dialer,
      reports,
      observed,
      call(call) {
        const callId = nextId++
        return send(Buffer.from(JSON.stringify({ ...call, id: callId })), callId)
      },
      raw: (bytes) => send(bytes, 0),
    }
  }

  return {
    folder,
    file,
    cluster,
    processes,
    async start(id, ...more) {
      const started = spawnReplica(['--cluster', file, '--id', String(id), '--allow-faults', ...more])
      processes[id] = started
      await Promise.race([until(() => started.ready() !== null), started.exited])
      if (started.ready() === null) throw new Error(`replica ${id} ended: ${started.stderr()}`)
      return started
    },
    async kill(id) {
      processes[id]?.child.kill('SIGKILL')
      await processes[id]?.exited
    },
    control,
    client: (session) =>
      createClient(cluster.manifest, cluster.operator, session, (role, onLink) =>
        cluster.manifest.replicas.map((member) => dialTo(role, member.id, onLink)),
      ),
    async report(id) {
      const client = control(id)
      await until(() => client.reports.length > 0)
      client.dialer.close()
      return client.reports.at(-1) as ReplicaReport
    },
    async close() {
      for (const dialer of dialers) dialer.close()
      for (const process of processes) process?.child.kill('SIGKILL')
      await Promise.all(processes.map((process) => process?.exited))
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
