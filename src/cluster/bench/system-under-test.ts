/** The systems that the bench starts in a temporary folder: our replicas, or nodes of an outside peer. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createClusterFolder, manifestName } from '../folder.ts'
import type { Child } from '../launch.ts'
import { launchByNode } from '../launch-node.ts'
import { lastLogLine } from '../replica-process.ts'
import type { CaseSettings } from './cases.ts'
import type { LoadSettings } from './load-protocol.ts'

/** How long a node may take until it serves, ms. */
const readyWithinMs = 20_000
/** How long it may take to end when asked, ms. */
const stopWithinMs = 3_000

export interface Node {
  readonly name: string
  readonly pid: number
  kill(): void
  /** SIGSTOP: it is there and does nothing. */
  stop(): void
  /** Calls once it is gone, and says how it ended. */
  onEnd(listener: (how: string) => void): void
}

export interface SystemUnderTest {
  readonly nodes: readonly Node[]
  /** Holds all that the run writes. */
  readonly folder: string
  readonly target: LoadSettings['target']
  /** Ends all nodes and removes the folder. */
  close(): Promise<void>
}

/** It cannot serve this case by its own account (bad settings, exit code 2): no defect, but nothing to measure either. */
export class NotServed extends Error {}

export interface SystemOptions {
  /** Where temporary folders are made. */
  readonly folder: string
  readonly replicaEntry: string
}

/** Ends a child: asks, waits, kills. */
export const endChild = (child: Child): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs)
    child.onExit(() => {
      clearTimeout(timer)
      resolve()
    })
    child.kill('SIGTERM')
    // One that was stopped hears nothing before it goes on.
    child.kill('SIGCONT')
  })

/** Resolves when the child posts that it is ready. */
const ready = (child: Child, name: string, logFile: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${name} was not ready within ${readyWithinMs} ms`)), readyWithinMs)
    child.onMessage((message) => {
      if ((message as { readonly type?: unknown }).type !== 'ready') return
      clearTimeout(timer)
      resolve()
    })
    child.onExit(({ code, signal }) => {
      clearTimeout(timer)
      const last = lastLogLine(logFile, 0)
      reject(code === 2 ? new NotServed(last) : new Error(`${name} ended (${signal ?? code}): ${last}`))
    })
  })

/** Our own replicas, as processes. Throws `NotServed`, or an Error that says what went wrong; nothing is left then. */
export const startReplicas = async (options: SystemOptions, settings: CaseSettings): Promise<SystemUnderTest> => {
  const folder = mkdtempSync(join(options.folder, 'pbft-bench-'))
  const children: Child[] = []
  const close = async (): Promise<void> => {
    await Promise.all(children.map(endChild))
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    const created = await createClusterFolder(folder, {
      name: 'bench',
      replicas: settings.replicas,
      durability: settings.durability,
      authentication: settings.authentication === 'mac' ? 'mac' : 'signature',
    })
    if (!created.ok) throw created.error.code === 'bad-request' ? new NotServed(created.error.message) : new Error(created.error.message)
    const manifestFile = join(folder, manifestName)
    mkdirSync(join(folder, 'logs'))
    const more = [
      ...(settings.disturbance?.kind === 'byzantine' ? ['--allow-faults'] : []),
      ...(settings.recording === false ? ['--recording-mb', '0'] : []),
    ]
    // All of them settle before an error ends it: none may come to life after the clean-up.
    const started = await Promise.allSettled(
      created.value.replicas.map(async ({ id }): Promise<Node> => {
        const logFile = join(folder, 'logs', `replica-${id}.log`)
        const child = await launchByNode(options.replicaEntry, {
          args: ['--cluster', manifestFile, '--id', String(id), ...more],
          logFile,
        })
        children.push(child)
        await ready(child, `replica ${id}`, logFile)
        return {
          name: `replica ${id}`,
          pid: child.pid,
          kill: () => child.kill('SIGKILL'),
          stop: () => child.kill('SIGSTOP'),
          onEnd: (listener) => child.onExit(({ code, signal }) => listener(`${signal ?? code}: ${lastLogLine(logFile, 0)}`)),
        }
      }),
    )
    const failed = started.find((one) => one.status === 'rejected')
    if (failed !== undefined) throw failed.reason
    const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
    return { nodes, folder, target: { kind: 'pbft', manifestFile }, close }
  } catch (error) {
    await close()
    throw error
  }
}
