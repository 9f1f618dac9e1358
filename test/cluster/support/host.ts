/** A real host on sources, in a temporary folder: what the tests of this folder run against. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Method, Params, ResultOf } from '../../../src/contract/api.ts'
import type { ClusterStatus } from '../../../src/contract/model.ts'
import { createHost } from '../../../src/cluster/host.ts'
import type { Host, HostOptions } from '../../../src/cluster/host-interface.ts'
import type { Launch } from '../../../src/cluster/launch.ts'
import { launchByNode } from '../../../src/cluster/launch-node.ts'

const source = resolve(import.meta.dirname, '../../../src')

export const entries = { replica: join(source, 'replica/main.ts'), recorder: join(source, 'cluster/recorder/main.ts') }

const hostOptions = (folder: string, launch: Launch): HostOptions => ({
  dataFolder: join(folder, 'data'),
  logsFolder: join(folder, 'logs'),
  scenariosFolder: resolve(source, '../resources/scenarios'),
  sampleRun: resolve(source, '../resources/runs/sample.pbftrun'),
  shell: 'browser',
  version: '0.0.0',
  locale: 'en',
  launch,
  entries,
})

export interface TestHost {
  readonly folder: string
  readonly host: Host
  /** The value of a call; throws when it fails. */
  call<M extends Method>(method: M, params: Params<M>): Promise<ResultOf<M>>
  /** Waits for a status; throws with the last one after `timeoutMs`. */
  until(what: string, condition: (status: ClusterStatus) => boolean, timeoutMs?: number): Promise<ClusterStatus>
  /** Closes the host and makes another one on the same folder. */
  again(): Promise<TestHost>
  /** Closes the host and removes its folder. */
  dispose(): Promise<void>
}

/** Waits until `condition` gives something other than null, undefined or false; throws after `timeoutMs`. */
export const eventually = async <T>(what: string, condition: () => Promise<T> | T, timeoutMs = 20_000): Promise<NonNullable<T>> => {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== null && value !== undefined && value !== false) return value
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise((settle) => setTimeout(settle, 25))
  }
}

export const openTestHost = (folder: string = mkdtempSync(join(tmpdir(), 'pbft-panel-')), launch: Launch = launchByNode): TestHost => {
  const host = createHost(hostOptions(folder, launch))
  const call: TestHost['call'] = async (method, params) => {
    const result = await host.call(method, params)
    if (!result.ok) throw new Error(`${method}: ${result.error.code}: ${result.error.message}`)
    return result.value
  }
  return {
    folder,
    host,
    call,
    async until(what, condition, timeoutMs = 20_000) {
      let last: ClusterStatus | null = null
      try {
        return await eventually(
          what,
          async () => {
            last = await call('status', {})
            return condition(last) ? last : null
          },
          timeoutMs,
        )
      } catch (error) {
        const { verdict, replicas } = last as unknown as ClusterStatus
        const states = replicas.map(
          (r) => `r${r.id} ${r.state} v${r.view} e${r.lastExecuted} ${r.stateDigest?.slice(0, 6)}@${r.stateDigestSeq}`,
        )
        throw new Error(`${String(error)}; ${verdict.sentence} ${states.join('; ')}`)
      }
    },
    async again() {
      await host.close()
      return openTestHost(folder, launch)
    },
    async dispose() {
      await host.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Whether a process exists (a zombie does not count: nothing of it is left but its parent's duty to ask). */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
