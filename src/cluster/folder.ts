/**
 * A cluster's folder: cluster.json, keys/, and what runs put there (data/replica-K, journal.sqlite). Making one, reading one,
 * and moving a local cluster to other ports.
 */
import { existsSync, mkdirSync, openSync, closeSync, fsyncSync, renameSync, writeFileSync, writeSync, rmSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { dirname, join, resolve } from 'node:path'
import {
  genesisFileOfReplica,
  keyFileOfPrincipal,
  keyFileOfReplica,
  replicasMax,
  type Authentication,
  type Durability,
  type Manifest,
  type Parameters,
} from '../contract/manifest.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { defaultProtocolConfig } from '../pbft/protocol/config.ts'
import { checkManifest, directoryOf, generateKey, loadManifest, loadPrivateKey, publicKeyOf, savePrivateKey } from '../link/index.ts'
import type { Directory, PrivateKey } from '../link/index.ts'
import { findFreePorts } from './ports.ts'
import { storageError } from './storage-error.ts'

export const manifestName = 'cluster.json'
const operatorName = 'operator'

export interface CreateClusterOptions {
  readonly name: string
  /** 1, or 4 to 100. */
  readonly replicas: number
  /** One per replica, or fewer, used in turn; none: loopback. */
  readonly hosts?: readonly string[]
  /** Replica K listens on basePort + K; without it free ports of loopback are taken, and 7000 + K on other hosts. */
  readonly basePort?: number
  readonly durability?: Durability
  readonly authentication?: Authentication
  readonly parameters?: { readonly [Name in keyof Parameters]?: Parameters[Name] | undefined }
}

/**
 * Makes keys and manifest in `folder`, which is created. Errors: `cluster-exists` when it holds a cluster already, `bad-request`
 * when the options make no valid manifest, `storage` when the folder cannot be written (nothing is left then).
 */
export const createClusterFolder = async (folder: string, options: CreateClusterOptions): Promise<Result<Manifest>> => {
  const file = join(folder, manifestName)
  if (existsSync(file)) return fail('cluster-exists', `${folder} holds a cluster already`, { folder })
  if (existsSync(join(folder, 'keys'))) return fail('cluster-exists', `${folder} holds keys already`, { folder })
  const { replicas } = options
  if (replicas !== 1 && !(Number.isInteger(replicas) && replicas >= 4 && replicas <= replicasMax)) {
    return fail('bad-request', `a cluster has 1 replica (development) or 4 to ${replicasMax}, not ${replicas}`)
  }
  const operator = generateKey()
  const keys = Array.from({ length: replicas }, () => generateKey())
  const checked = checkManifest(file, {
    format: 1,
    clusterId: randomBytes(16).toString('hex'),
    name: options.name,
    created: new Date().toISOString(),
    durability: options.durability ?? 'full',
    authentication: options.authentication ?? 'signature',
    parameters: { ...defaultProtocolConfig, ...withoutUndefined(options.parameters ?? {}) },
    replicas: await membersOf(options, keys.map(publicKeyOf)),
    principals: [{ name: operatorName, publicKey: publicKeyOf(operator), operator: true }],
  })
  if (!checked.ok) return fail('bad-request', checked.error.message, checked.error.details)
  try {
    mkdirSync(join(folder, 'keys'), { recursive: true, mode: 0o700 })
    savePrivateKey(join(folder, keyFileOfPrincipal(operatorName)), operator)
    keys.forEach((key, id) => savePrivateKey(join(folder, keyFileOfReplica(id)), key))
    keys.forEach((_, id) => grantGenesis(folder, id))
    saveManifest(file, checked.value)
  } catch (error) {
    rmSync(join(folder, 'keys'), { recursive: true, force: true })
    return storageError(error) ?? fail('internal', `${folder} cannot be written: ${String(error)}`)
  }
  return checked
}

/** Lets a replica begin with an empty disk, once. Throws the system's error. */
export const grantGenesis = (folder: string, id: number): void =>
  writeFileSync(
    join(folder, genesisFileOfReplica(id)),
    'Lets this replica begin with an empty disk. It takes the file away when it has begun.\n',
  )

const withoutUndefined = (parameters: object): object =>
  Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined))

const membersOf = async (options: CreateClusterOptions, publicKeys: readonly string[]): Promise<Manifest['replicas']> => {
  const hosts = options.hosts ?? []
  const { basePort } = options
  const free = hosts.length === 0 && basePort === undefined ? await findFreePorts('127.0.0.1', publicKeys.length) : []
  return publicKeys.map((publicKey, id) => ({
    id,
    host: hosts[id % Math.max(1, hosts.length)] ?? '127.0.0.1',
    port: free[id] ?? (basePort ?? 7_000) + id,
    publicKey,
  }))
}

/** Replaces a manifest file as a whole: after a crash it is the old or the new one. Throws the system's error. */
export const saveManifest = (file: string, manifest: Manifest): void => {
  const temporary = `${file}.new`
  const descriptor = openSync(temporary, 'w', 0o644)
  try {
    writeSync(descriptor, `${JSON.stringify(manifest, null, 2)}\n`)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(temporary, file)
}

/** A manifest with what its folder gives the one who opens it. */
export interface OpenedFolder {
  readonly file: string
  readonly folder: string
  readonly manifest: Manifest
  readonly directory: Directory
  readonly operator: { readonly name: string; readonly key: PrivateKey }
  /** Replicas whose private key lies here: they can be started from here. */
  readonly localReplicas: ReadonlySet<number>
}

/**
 * Reads a manifest and finds a key that opens control links. Errors: `bad-manifest`, or `unauthorized` when no operator's
 * private key lies beside it (or it belongs to another cluster).
 */
export const openFolder = (manifestFile: string): Result<OpenedFolder> => {
  const file = resolve(manifestFile)
  const loaded = loadManifest(file)
  if (!loaded.ok) return loaded
  const manifest = loaded.value
  const folder = dirname(file)
  let problem = 'none of its principals is an operator'
  for (const principal of manifest.principals.filter(({ operator }) => operator)) {
    const key = loadPrivateKey(join(folder, keyFileOfPrincipal(principal.name)))
    if (!key.ok) problem = key.error.message
    else if (publicKeyOf(key.value) !== principal.publicKey)
      problem = `keys/${principal.name}.key is not the key of the manifest's ${principal.name}`
    else {
      const localReplicas = new Set(manifest.replicas.map(({ id }) => id).filter((id) => existsSync(join(folder, keyFileOfReplica(id)))))
      return ok({
        file,
        folder,
        manifest,
        directory: directoryOf(manifest),
        operator: { name: principal.name, key: key.value },
        localReplicas,
      })
    }
  }
  return fail('unauthorized', `${file}: no key that may control this cluster: ${problem}`, { file, problem })
}
