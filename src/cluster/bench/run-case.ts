/** One short run of one case: a fresh system in a temporary folder, a fresh load process, figures, and nothing left. */
import { join } from 'node:path'
import { launchByNode } from '../launch-node.ts'
import { lastLogLine } from '../replica-process.ts'
import type { Child } from '../launch.ts'
import type { BenchCase } from './cases.ts'
import { startEtcd } from './etcd.ts'
import type { FromLoad, LoadFigures, LoadSettings } from './load-protocol.ts'
import { disturb } from './disturb.ts'
import { startSampler, type Sampled } from './sampler.ts'
import { endChild, startReplicas, type Node, type SystemOptions, type SystemUnderTest } from './system-under-test.ts'

/** Connecting, and what else a run may take beyond its warm-up and its window, ms. */
const slackMs = 20_000
/** When the primary is killed, after the window has begun, ms. */
const killAfterMs = 1_000

export interface RunOptions extends SystemOptions {
  readonly loadEntry: string
  readonly warmUpMs: number
  readonly measureMs: number
  /** Ends the run early; it throws then. */
  readonly signal: AbortSignal
}

export interface RunFigures {
  readonly load: LoadFigures
  readonly sampled: Sampled
}

const settingsOf = (options: RunOptions, { settings, warmUpMs, measureMs }: BenchCase, target: LoadSettings['target']): LoadSettings => ({
  target,
  clients: settings.clients,
  operation: settings.operation,
  valueBytes: settings.valueBytes,
  keys: settings.keys,
  retryMs: settings.retryMs,
  retryMaxMs: settings.retryMaxMs,
  warmUpMs: warmUpMs ?? options.warmUpMs,
  measureMs: measureMs ?? options.measureMs,
})

/** Follows the load process to its figures. */
const follow = (load: Child, system: SystemUnderTest, one: BenchCase, limitMs: number, options: RunOptions): Promise<RunFigures> =>
  new Promise((resolve, reject) => {
    let stopSampling: (() => Sampled) | null = null
    let killing: NodeJS.Timeout | null = null
    let killed: Node | null = null
    let settled = false
    const settle = (act: () => void): void => {
      // What ends afterwards was ended by us.
      if (settled) return
      settled = true
      clearTimeout(limit)
      if (killing !== null) clearTimeout(killing)
      options.signal.removeEventListener('abort', onAbort)
      act()
    }
    const give = (message: string): void => settle(() => (stopSampling?.(), reject(new Error(message))))
    const onAbort = (): void => give('stopped')
    const limit = setTimeout(() => give(`did not end within ${limitMs} ms`), limitMs)
    options.signal.addEventListener('abort', onAbort)
    load.onExit(({ code, signal }) => give(`the load process ended (${signal ?? code})`))
    for (const node of system.nodes) {
      node.onEnd((how) => {
        if (node !== killed) give(`${node.name} ended (${how})`)
      })
    }
    load.onMessage((message) => {
      const said = message as FromLoad
      if (said.type === 'connected') disturb(system, one.settings.disturbance).catch((error: Error) => give(error.message))
      else if (said.type === 'measuring') {
        stopSampling = startSampler([...system.nodes, { name: 'load', pid: load.pid }])
        const primary = system.nodes[said.view % system.nodes.length]
        if (one.settings.disturbance?.kind !== 'kill-primary' || primary === undefined) return
        killing = setTimeout(() => {
          killed = primary
          primary.kill()
        }, killAfterMs)
      } else settle(() => resolve({ load: said.figures, sampled: stopSampling?.() ?? { processes: [], othersCpu: null } }))
    })
    if (options.signal.aborted) onAbort()
  })

/** Throws `NotServed` when the system cannot do this case, an Error when the run failed or was stopped. */
export const runCase = async (options: RunOptions, one: BenchCase): Promise<RunFigures> => {
  options.signal.throwIfAborted()
  const system = one.settings.system === 'etcd' ? await startEtcd(options.folder, one.settings) : await startReplicas(options, one.settings)
  let load: Child | null = null
  try {
    const settings = settingsOf(options, one, system.target)
    const logFile = join(system.folder, 'load.log')
    load = await launchByNode(options.loadEntry, { args: [JSON.stringify(settings)], logFile })
    return await follow(load, system, one, settings.warmUpMs + settings.measureMs + slackMs, options).catch((error: Error) => {
      const last = lastLogLine(logFile, 0)
      throw last === '' ? error : new Error(`${error.message}: ${last}`)
    })
  } finally {
    if (load !== null) await endChild(load)
    await system.close()
  }
}
