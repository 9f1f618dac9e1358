/** A recorded run with faults to measure replays on: made on a real cluster, or one that lies in a folder already. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Method, Params, ResultOf } from '../../src/contract/api.ts'
import type { Host } from '../../src/cluster/host-interface.ts'
import { hostFor } from '../../src/web/host.ts'

export interface BenchHost {
  readonly host: Host
  /** Throws when the call fails. */
  call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>>
}

export const openBenchHost = (folder: string): BenchHost => {
  const host = hostFor({ dataFolder: join(folder, 'data'), logsFolder: join(folder, 'logs') })
  return {
    host,
    async call(method, params) {
      const result = await host.call(method, params)
      if (!result.ok) throw new Error(`${method}: ${result.error.message}`)
      return result.value
    },
  }
}

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 50))
}

/**
 * So many requests by 20 clients, in three parts: the primary isolated until the view changes, then links that delay and lose while
 * one replica is killed and one restarted. @returns the folder that the host was on
 */
export const recordRun = async (requests: number): Promise<string> => {
  const folder = mkdtempSync(join(tmpdir(), 'pbft-panel-replay-'))
  const { host, call } = openBenchHost(folder)
  const completed = async (): Promise<number> => (await call('load', {})).completed
  await call('createCluster', { name: 'recorded', replicas: 4, durability: 'process' })
  await call('openCluster', { name: 'recorded' })
  await call('startLoad', { clients: 20, durationMs: 3_600_000, keys: 500 })
  await until(async () => (await completed()) > requests / 3)
  const { primary } = await call('status', {})
  const cut = await call('injectFault', { fault: { type: 'isolate', replica: primary ?? 0 } })
  await until(async () => ((await call('status', {})).view ?? 0) > 0)
  await call('healFault', { id: cut.id })
  await call('injectFault', { fault: { type: 'delay', from: 2, to: 1, delayMs: 2, jitterMs: 4 } })
  await call('injectFault', { fault: { type: 'loss', from: 1, to: 2, probability: 0.02 } })
  await until(async () => (await completed()) > (requests * 2) / 3)
  await call('healAll', {})
  await call('controlReplica', { id: 3, action: 'kill' })
  await call('controlReplica', { id: 3, action: 'start' })
  await until(async () => (await completed()) >= requests)
  await call('stopLoad', {})
  await until(async () => !(await call('load', {})).running)
  await until(async () => {
    const { replicas, lastExecuted } = await call('status', {})
    return replicas.every((one) => one.lastExecuted === lastExecuted && one.pending === 0)
  })
  await host.close()
  return folder
}
