/**
 * What somebody who looks for a defect needs, as one JSON file: versions, the machine, the manifest (public keys only), statuses with their
 * counters, alarms, faults, and the ends of the logs. Private keys and session tokens are not in it.
 */
import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { About, DiagnosticsFile } from '../contract/model.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import type { Cluster } from './cluster.ts'
import { storageError } from './storage-error.ts'

const logTailBytes = 131_072
const logFilesMax = 150
const removed = '[removed]'

export interface DiagnosticsOptions {
  readonly about: About
  /** null: none is open. */
  readonly cluster: Cluster | null
  /** ms since the epoch. */
  readonly now: number
}

/** Writes the file into `diagnostics` of the data folder, for its owner alone. Error `storage` when it cannot be written. */
export const writeDiagnostics = ({ about, cluster, now }: DiagnosticsOptions): Result<DiagnosticsFile> => {
  const file = join(about.dataFolder, 'diagnostics', `diagnostics-${new Date(now).toISOString().replace(/[:.]/g, '-')}.json`)
  const content = {
    format: 1,
    written: new Date(now).toISOString(),
    about,
    machine: machineFacts(),
    cluster: cluster === null ? null : clusterFacts(cluster),
    logs: logTails(about.logsFolder),
  }
  const secrets = cluster === null ? [] : secretsOf(join(cluster.opened.folder, 'keys'))
  try {
    const text = withoutSecrets(JSON.stringify(content, null, 1), secrets)
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' })
    return ok({ file, bytes: Buffer.byteLength(text) })
  } catch (error) {
    return storageError(error) ?? fail('internal', `${file} cannot be written: ${String(error)}`)
  }
}

/** The text without any of `secrets`, and without what has the form of a session token or of a key in PEM. */
export const withoutSecrets = (text: string, secrets: readonly string[]): string =>
  secrets
    .reduce((left, secret) => left.replaceAll(secret, removed), text)
    .replace(/(token[=.]|"token"\s*:\s*"|\\"token\\"\s*:\s*\\"|Bearer )[A-Za-z0-9_-]{8,}/gi, `$1${removed}`)
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----.*?-----END [A-Z ]*PRIVATE KEY-----/gs, removed)

const machineFacts = () => ({
  platform: os.platform(),
  release: os.release(),
  arch: os.arch(),
  cpus: os.cpus().map(({ model }) => model),
  memoryBytes: os.totalmem(),
  freeMemoryBytes: os.freemem(),
  load: os.loadavg(),
  uptimeSeconds: Math.round(os.uptime()),
  process: process.memoryUsage(),
})

const clusterFacts = (cluster: Cluster) => ({
  manifest: cluster.opened.manifest,
  status: cluster.status(),
  load: cluster.load(),
  alarms: cluster.alarms.list(),
  faults: cluster.faults.list(),
  views: cluster.views().slice(-50),
  checkpoints: cluster.checkpoints(20),
  samples: cluster.samples.since(0).slice(-120),
})

/** What the key files hold, to be found wherever it may have got. */
const secretsOf = (folder: string): readonly string[] =>
  existsSync(folder)
    ? readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), 'utf8').trim())
        .filter((secret) => secret.length >= 16)
    : []

const logTails = (folder: string): readonly { readonly file: string; readonly bytes: number; readonly tail: readonly string[] }[] => {
  if (!existsSync(folder)) return []
  return filesIn(folder)
    .filter((file) => /\.log(\.old)?$/.test(file))
    .slice(0, logFilesMax)
    .map((file) => ({ file: relative(folder, file), ...tailOf(file) }))
}

/** By hand: an older Electron's `readdir` goes into no folders by itself, and names no parents. */
const filesIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesIn(path)
    return entry.isFile() ? [path] : []
  })

const tailOf = (file: string): { readonly bytes: number; readonly tail: readonly string[] } => {
  try {
    const handle = openSync(file, 'r')
    try {
      const bytes = fstatSync(handle).size
      const buffer = Buffer.alloc(Math.min(bytes, logTailBytes))
      const read = readSync(handle, buffer, 0, buffer.length, bytes - buffer.length)
      return { bytes, tail: buffer.toString('utf8', 0, read).split('\n') }
    } finally {
      closeSync(handle)
    }
  } catch (error) {
    return { bytes: 0, tail: [`cannot be read: ${error instanceof Error ? error.message : String(error)}`] }
  }
}
