/** What the stores hold while the host goes from one cluster to another. The shell is the test's: it says what the host would. */
import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Method, Params, ResultOf } from '../../src/contract/api.ts'
import type { EventBatch, PanelEvent } from '../../src/contract/events.ts'
import type { ClusterStatus, HostState, RequestInfo } from '../../src/contract/model.ts'
import type { Result } from '../../src/contract/result.ts'
import type { PanelShell } from '../../src/contract/shell.ts'
import { setShell } from '../../src/renderer/shell/current-shell.ts'
import { useActs } from '../../src/renderer/stores/acts.ts'
import { useCluster } from '../../src/renderer/stores/cluster.ts'
import { useNotices } from '../../src/renderer/stores/notices.ts'
import { useRequests } from '../../src/renderer/stores/requests.ts'

const statusOf = (name: string): ClusterStatus => ({
  name,
  clusterId: name,
  folder: `/${name}`,
  durability: 'none',
  authentication: 'signature',
  parameters: {
    checkpointInterval: 128,
    logWindow: 256,
    batchRequestsMax: 64,
    batchBytesMax: 65_536,
    pipelineMax: 8,
    pendingRequestsMax: 1_000,
    viewTimeoutMs: 1_000,
    viewTimeoutMaxMs: 10_000,
    statusIntervalMs: 100,
    clockSkewMaxMs: 10_000,
    signatureHoldMs: 60_000,
    tentativeExecution: false,
    sessionsPerPrincipalMax: 4_096,
    replyBytesPerPrincipalMax: 8_388_608,
    fetchTimeoutMs: 1_000,
  },
  verdict: {
    state: 'healthy',
    since: 0,
    key: 'verdict.healthy',
    parameters: {},
    sentence: name,
    basis: { replicas: [], seq: null, view: null },
  },
  n: 4,
  f: 1,
  quorum: 3,
  view: 0,
  primary: 0,
  toleratesMore: 1,
  lastExecuted: 0,
  lastCommittedAt: null,
  requestsPerSecond: 0,
  replicas: [],
  faults: [],
  monitors: [],
  at: 0,
})
const hostOf = (phase: HostState['phase'], cluster: string | null): HostState => ({ phase, cluster, stage: null, error: null, run: null })
const request: RequestInfo = {
  id: 'r',
  client: 'c',
  timestamp: 1,
  operation: { type: 'total' },
  stages: [],
  resends: 0,
  repliers: [],
  repliesNeeded: 2,
  outcome: { state: 'pending' },
}

class HostShell implements PanelShell {
  readonly kind = 'browser'
  readonly door = null
  host = hostOf('open', 'a')
  /** What is asked is answered when the test says so. */
  readonly waiting: (() => void)[] = []
  private listener: (batch: EventBatch) => void = () => {}

  private answer(method: Method): unknown {
    if (method === 'host') return this.host
    if (method === 'status') return statusOf(this.host.cluster ?? '')
    return method === 'requests' || method === 'clusters' || method === 'alarms' || method === 'samples' ? [] : null
  }

  call<M extends Method>(method: M, _params: Params<M>): Promise<Result<ResultOf<M>>> {
    const value = this.answer(method)
    const failed = { ok: false, error: { code: 'no-cluster', message: '' } } as const
    const result = (value === null ? failed : { ok: true, value }) as Result<ResultOf<M>>
    return new Promise((resolve) => this.waiting.push(() => resolve(result)))
  }

  onEvents(listener: (batch: EventBatch) => void): () => void {
    this.listener = listener
    return () => {}
  }

  onConnection(): () => void {
    return () => {}
  }

  setLanguage(): void {}

  notifications(): 'off' {
    return 'off'
  }

  allowNotifications(): Promise<void> {
    return Promise.resolve()
  }

  notify(): void {}

  pickFile(): Promise<Result<string | null>> {
    return Promise.resolve({ ok: true, value: null })
  }

  emit(...events: PanelEvent[]): void {
    this.listener({ epoch: 'e', position: 1, events })
  }

  move(phase: HostState['phase'], cluster: string | null): void {
    this.host = hostOf(phase, cluster)
    this.emit({ type: 'host', host: this.host })
  }

  /** Answers everything that was asked, and what is asked in consequence. */
  async settle(): Promise<void> {
    while (this.waiting.length > 0) {
      for (const answer of this.waiting.splice(0)) answer()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}

let shell: HostShell
beforeEach(() => {
  shell = new HostShell()
  setShell(shell)
  setActivePinia(createPinia())
})
afterEach(() => setActivePinia(undefined))

async function openA() {
  const [cluster, requests, notices] = [useCluster(), useRequests(), useNotices()]
  useActs()
  shell.emit({ type: 'reset' })
  await shell.settle()
  return { cluster, requests, notices }
}

describe('from one cluster to another', () => {
  test('nothing of the first is shown from the moment it closes', async () => {
    const { cluster, requests, notices } = await openA()
    expect(cluster.status?.name).toBe('a')
    shell.emit({ type: 'log', first: 1, last: 9, changedFrom: 1 }, { type: 'request', request })
    notices.show({ tone: 'warn', text: 'fault', topic: 'fault-1', undo: () => {} })
    shell.move('closing', 'a')
    expect([cluster.open, cluster.status, cluster.logBounds.last, requests.list]).toEqual([false, null, 0, []])
    await shell.settle()
    expect(notices.shown).toEqual([])
    shell.emit({ type: 'status', status: statusOf('a') })
    shell.move('opening', 'b')
    expect(cluster.status).toBeNull()
    shell.move('open', 'b')
    await shell.settle()
    expect(cluster.status?.name).toBe('b')
  })

  test('an answer about the first that comes late is not shown', async () => {
    const { cluster } = await openA()
    shell.emit({ type: 'reset' })
    const late = shell.waiting.splice(0)
    shell.move('closing', 'a')
    shell.move('opening', 'b')
    for (const answer of late) answer()
    await shell.settle()
    expect(cluster.status).toBeNull()
    expect(cluster.host).toMatchObject({ phase: 'opening', cluster: 'b' })
  })
})
