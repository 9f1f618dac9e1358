/**
 * The entry of a replica process.
 *
 * Exit codes: 0 told to end; 1 a defect of ours; 2 bad arguments, manifest, key or data folder, or the port is taken; 3 the
 * disk failed. One line on standard error says why; the log is NDJSON on standard output.
 */
import pino, { type Logger } from 'pino'
import type { Manifest } from '../contract/manifest.ts'
import { loadManifest, loadPrivateKey, publicKeyOf, type PrivateKey } from '../link/index.ts'
import { parseArguments, type Arguments } from './arguments.ts'
import { parentChannel } from './parent.ts'
import { startReplica, type RunningReplica } from './replica.ts'
import { StorageError } from './storage.ts'

/** How long closing may take before the process ends all the same, ms. */
const closeWithinMs = 2_000

const end = (code: number, sentence: string | null): never => {
  if (sentence !== null) process.stderr.write(`pbft-panel replica: ${sentence.replaceAll('\n', ' ')}\n`)
  process.exit(code)
}

interface Settings {
  readonly parsed: Arguments
  readonly manifest: Manifest
  readonly key: PrivateKey
}

/** Ends the process with code 2 when something is not as it has to be. */
const readSettings = (): Settings => {
  const parsed = parseArguments(process.argv.slice(2))
  if (!parsed.ok) return end(2, parsed.error.message)
  const { manifestFile, id, keyFile } = parsed.value
  const manifest = loadManifest(manifestFile)
  if (!manifest.ok) return end(2, manifest.error.message)
  const member = manifest.value.replicas[id]
  if (member === undefined) return end(2, `${manifestFile} has replicas 0 to ${manifest.value.replicas.length - 1}, no ${id}`)
  const key = loadPrivateKey(keyFile)
  if (!key.ok) return end(2, key.error.message)
  if (publicKeyOf(key.value) !== member.publicKey) return end(2, `${keyFile} is not the key of replica ${id} in ${manifestFile}`)
  return { parsed: parsed.value, manifest: manifest.value, key: key.value }
}

const exitCodeOf = (error: unknown): 1 | 2 | 3 => {
  if (!(error instanceof StorageError)) return 1
  return error.problem === 'in-use' || error.problem === 'foreign' ? 2 : 3
}

const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const onFatal = (log: Logger, error: unknown): never => {
  log.fatal({ err: error }, error instanceof StorageError ? 'storage failed' : 'defect')
  return end(exitCodeOf(error), sentenceOf(error))
}

const main = async (): Promise<void> => {
  const parent = parentChannel()
  const { parsed, manifest, key } = readSettings()
  const log = pino({ base: { replica: parsed.id }, timestamp: pino.stdTimeFunctions.epochTime }, pino.destination({ fd: 1, sync: true }))
  let running: RunningReplica | null = null
  let ending = false

  const stop = (why: string): void => {
    if (ending) return
    ending = true
    log.info({ why }, 'stopping')
    setTimeout(() => end(0, null), closeWithinMs).unref()
    void (running?.close() ?? Promise.resolve()).then(() => end(0, null))
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  parent?.onClosed(() => stop('the parent is gone'))
  process.on('uncaughtException', (error) => onFatal(log, error))
  process.on('unhandledRejection', (error) => onFatal(log, error))

  const started = await startReplica({
    manifest,
    id: parsed.id,
    key,
    dataFolder: parsed.dataFolder,
    genesisFile: parsed.genesisFile,
    allowFaults: parsed.allowFaults,
    recordingBytesMax: parsed.recordingBytesMax,
    log,
    onFatal: (error) => onFatal(log, error),
    onStop: () => stop('an operator asked for it'),
  })
  if (!started.ok) {
    end(2, started.error.message)
    return
  }
  running = started.value
  if (ending) return
  log.info({ port: running.port, pid: process.pid, durability: manifest.durability, allowFaults: parsed.allowFaults }, 'listening')
  parent?.post({ type: 'ready', port: running.port, pid: process.pid })
}

main().catch((error: unknown) => end(exitCodeOf(error), sentenceOf(error)))
