/** The cluster under torture: real processes under a real host, and everything that can be done to them. */
import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Method, Params, ResultOf } from '../../src/contract/api.ts'
import type { Authentication, Durability, Parameters } from '../../src/contract/manifest.ts'
import type { Host } from '../../src/cluster/host-interface.ts'
import { openFolder, type OpenedFolder } from '../../src/cluster/folder.ts'
import { createHost } from '../../src/cluster/host.ts'
import { launchByNode } from '../../src/cluster/launch-node.ts'
import type { Violation } from '../../src/pbft/sim/index.ts'
import { Evidence } from './evidence.ts'
import type { Harm, Round } from './nemesis.ts'
import { calm, setTrouble, type Trouble } from './trouble-file.ts'

const entries = {
  replica: join(import.meta.dirname, 'trouble.ts'),
  recorder: join(import.meta.dirname, '../../src/cluster/recorder/main.ts'),
}
/** A replica under a heavy load of the machine may need this long to start, ms, and some attempts. */
const startAttempts = 5

export interface SubjectOptions {
  readonly replicas: number
  readonly durability: Durability
  readonly authentication?: Authentication
  readonly parameters: Partial<Parameters>
}

export class Subject {
  readonly folder: string
  readonly logsFolder: string
  readonly opened: OpenedFolder
  readonly evidence: Evidence
  readonly recorderPids: number[]
  readonly violations: Violation[] = []
  readonly #host: Host
  #harmed = new Set<number>()

  private constructor(folder: string, logsFolder: string, host: Host, opened: OpenedFolder, recorderPids: number[]) {
    this.folder = folder
    this.logsFolder = logsFolder
    this.opened = opened
    this.recorderPids = recorderPids
    this.#host = host
    this.evidence = new Evidence(opened)
  }

  /** Makes a cluster in a temporary folder and starts it. Throws when it does not start. */
  static async start(options: SubjectOptions): Promise<Subject> {
    const folder = mkdtempSync(join(tmpdir(), 'pbft-torture-'))
    const logsFolder = join(folder, 'logs')
    mkdirSync(logsFolder)
    process.env['PBFT_TROUBLE'] = folder
    const recorderPids: number[] = []
    const host = createHost({
      dataFolder: join(folder, 'data'),
      logsFolder,
      scenariosFolder: join(folder, 'scenarios'),
      sampleRun: join(folder, 'sample.pbftrun'),
      shell: 'browser',
      version: '0.0.0',
      locale: 'en',
      entries,
      launch: async (entry, launchOptions) => {
        const child = await launchByNode(entry, launchOptions)
        if (entry === entries.recorder) recorderPids.push(child.pid)
        return child
      },
    })
    const { replicas, durability, authentication, parameters } = options
    const made = await host.call('createCluster', { name: 'torture', replicas, durability, authentication, parameters })
    const started = made.ok ? await host.call('openCluster', { name: 'torture' }) : made
    if (!made.ok || !started.ok) {
      await host.close()
      throw new Error(started.ok ? 'no cluster' : started.error.message)
    }
    const opened = openFolder(join(made.value.folder, 'cluster.json'))
    if (!opened.ok) throw new Error(opened.error.message)
    return new Subject(folder, logsFolder, host, opened.value, recorderPids)
  }

  get n(): number {
    return this.opened.manifest.replicas.length
  }

  get manifestFile(): string {
    return this.opened.file
  }

  /** The value of a call of the panel; throws when it fails. */
  async call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>> {
    const result = await this.#host.call(method, params)
    if (!result.ok) throw new Error(`${method}: ${result.error.code}: ${result.error.message}`)
    return result.value
  }

  async replicaPids(): Promise<(number | null)[]> {
    const { replicas } = await this.call('status', {})
    return replicas.map(({ pid }) => pid)
  }

  async begin(round: Round): Promise<void> {
    const troubles = new Map<number, Trouble>()
    for (const harm of round.harms) {
      if (harm.kind === 'trouble') troubles.set(harm.replica, { ...(troubles.get(harm.replica) ?? calm), ...harm.trouble })
    }
    for (const [replica, trouble] of troubles) this.#setTrouble(replica, trouble)
    await Promise.all(round.harms.map((harm) => this.#do(harm)))
  }

  /** Undoes everything: faults healed, machines out of trouble, whoever died started again. */
  async heal(): Promise<void> {
    for (const replica of this.#harmed) this.#setTrouble(replica, calm)
    this.#harmed = new Set()
    await this.call('healAll', {})
    await Promise.all(this.opened.manifest.replicas.map(({ id }) => this.#revive(id)))
  }

  /** Ends all processes. */
  async close(): Promise<void> {
    this.evidence.close()
    await this.#host.close()
  }

  #setTrouble(replica: number, trouble: Trouble): void {
    this.#harmed.add(replica)
    setTrouble(this.folder, replica, trouble)
  }

  async #do(harm: Harm): Promise<void> {
    switch (harm.kind) {
      case 'fault':
        await this.call('injectFault', { fault: harm.fault })
        break
      case 'kill':
      case 'wipe':
        await this.call('controlReplica', { id: harm.replica, action: harm.kind })
        break
      case 'trouble':
        break
    }
  }

  async #revive(id: number): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const started = await this.#host.call('controlReplica', { id, action: 'start' })
      if (started.ok) return
      this.violations.push({ checker: 'start', detail: `r${id}, attempt ${attempt}: ${started.error.message}` })
      if (attempt === startAttempts) throw new Error(`r${id} does not start: ${started.error.message}`)
    }
  }
}
