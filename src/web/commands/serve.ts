/** `pbft-panel serve`: the browser shell, with a local cluster or connected to one. Stays until a signal. */
import { accessSync, constants, mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { Host } from '../../cluster/host-interface.ts'
import { openLocalCluster } from '../../cluster/open-local.ts'
import type { ClusterStatus } from '../../contract/model.ts'
import type { Result } from '../../contract/result.ts'
import { hostFor } from '../host.ts'
import { replicaCount, wholeNumber } from '../numbers.ts'
import { openPage } from '../open-page.ts'
import { CommandError, note, print, printJson, UsageError } from '../output.ts'
import { foldersOf, pageFolder, version } from '../paths.ts'
import { startServer, type PanelServer } from '../server/server.ts'

export interface ServeOptions {
  readonly host: string
  readonly port: number
  readonly data?: string
  readonly replicas?: number
  readonly cluster?: string
  readonly empty?: boolean
  readonly open: boolean
  readonly json?: boolean
}

/** After this long an orderly stop is given up; children end by themselves when this process is gone. */
const stopMaxMs = 10_000

/** Resolves at the first signal, or when a parent that wants us to end with it is gone. */
const stopAsked = (): Promise<void> =>
  new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => done())
    process.on('disconnect', () => done())
    // Listening must not keep this process alive when all else has ended.
    process.channel?.unref()
  })

const openCluster = async (host: Host, options: ServeOptions): Promise<ClusterStatus | null> => {
  if (options.empty) return null
  const opened: Result<ClusterStatus> =
    options.cluster === undefined
      ? await openLocalCluster(host, options.replicas ?? null)
      : await host.call('openCluster', { file: resolve(options.cluster) })
  if (!opened.ok) throw new CommandError(opened.error)
  return opened.value
}

/** What is wrong with an address that cannot be listened on, by the system's error code. */
const listenProblems: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use; take another one, or 0 for any free one',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'listening there is not permitted',
  ENOTFOUND: 'there is no such host name',
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '')

const listen = async (options: Parameters<typeof startServer>[0]): Promise<PanelServer> => {
  try {
    return await startServer(options)
  } catch (error) {
    const problem = listenProblems[codeOf(error)]
    if (problem === undefined) throw error
    throw new UsageError(`Cannot listen on ${options.address}, port ${options.port}: ${problem}.`)
  }
}

/** Makes the data folder before anything is started in it. */
const makeDataFolder = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true })
    accessSync(folder, constants.W_OK)
  } catch (error) {
    throw new UsageError(`The data folder ${folder} cannot be used (${codeOf(error)}); name another one with --data.`)
  }
}

const announce = (server: PanelServer, status: ClusterStatus | null, options: ServeOptions): void => {
  const replicas = (status?.replicas ?? []).map(({ id, pid, port }) => ({ id, pid, port }))
  const address = `${server.url}/#token=${server.token}`
  if (options.json) printJson({ url: server.url, token: server.token, pid: process.pid, replicas })
  else {
    for (const { id, pid, port } of replicas) print(`  r${id}  ${pid === null ? 'remote' : `process ${pid}`}, port ${port}`)
    print(`The panel: ${address}`)
  }
  if (options.open && !options.json && process.stdout.isTTY) openPage(address)
}

const serve = async (options: ServeOptions): Promise<void> => {
  if (options.cluster !== undefined && options.replicas !== undefined) {
    throw new UsageError('--cluster and --replicas exclude each other: a cluster.json says how many replicas there are.')
  }
  const folders = foldersOf(options.data === undefined ? undefined : resolve(options.data))
  makeDataFolder(folders.dataFolder)
  const stop = stopAsked()
  const host = hostFor(folders, { locale: Intl.DateTimeFormat().resolvedOptions().locale })
  let server: PanelServer | undefined
  try {
    server = await listen({ host, pageFolder, version, address: options.host, port: options.port, log: note })
    const status = await Promise.race([openCluster(host, options), stop.then(() => 'stopped' as const)])
    if (status === 'stopped') return
    announce(server, status, options)
    await stop
    note('Stopping ...')
  } finally {
    const deadline = setTimeout(() => process.exit(1), stopMaxMs)
    await server?.close()
    await host.close()
    clearTimeout(deadline)
  }
}

/** `isDefault`: this is what runs without a command. */
export const addServeCommand = (program: Command): void => {
  program
    .command('serve', { isDefault: true })
    .description('the panel in a browser, with a local cluster or connected to one; stays until a signal')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0: any free one', wholeNumber('--port', 0, 65_535), 0)
    .option('--data <dir>', "data folder (default: the platform's)")
    .option('--replicas <n>', 'size of the local cluster when it is made (default: 4)', replicaCount)
    .option('--cluster <file>', 'connect to the cluster of this cluster.json instead')
    .option('--empty', 'open no cluster yet')
    .option('--no-open', 'do not open a browser')
    .option('--json', 'print one machine-readable line when ready')
    .action(serve)
}
