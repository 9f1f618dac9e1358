/** Reading cluster.json, and looking up who is who in it. */
import { readFileSync, statSync } from 'node:fs'
import * as v from 'valibot'
import { manifestSchema, type Manifest } from '../contract/manifest.ts'
import { fail, ok, type Result } from '../contract/result.ts'
import { importPublicKey, type PublicKey } from './keys.ts'

/** A manifest of 100 replicas and 1,000 principals is about 200 KB. */
export const manifestBytesMax = 4 * 1_048_576

const refuse = (file: string, problem: string): Result<never> => fail('bad-manifest', `${file}: ${problem}`, { file, problem })

/** Checks what was parsed from `file`; the error says where in it and what is wrong. */
export const checkManifest = (file: string, value: unknown): Result<Manifest> => {
  const parsed = v.safeParse(manifestSchema, value)
  if (!parsed.success) {
    const issue = parsed.issues[0]
    const path = v.getDotPath(issue)
    const more = parsed.issues.length > 1 ? ` (and ${parsed.issues.length - 1} more)` : ''
    return refuse(file, `${path === null ? '' : `${path}: `}${issue.message}${more}`)
  }
  const manifest = parsed.output
  for (const [i, member] of manifest.replicas.entries()) {
    if (importPublicKey(member.publicKey) === null) return refuse(file, `replicas.${i}.publicKey: is no valid Ed25519 public key`)
  }
  for (const [i, principal] of manifest.principals.entries()) {
    if (importPublicKey(principal.publicKey) === null) return refuse(file, `principals.${i}.publicKey: is no valid Ed25519 public key`)
  }
  return ok(manifest)
}

/** Reads and checks a cluster.json. Errors are `bad-manifest`, also for a file that is missing or cannot be read. */
export const loadManifest = (file: string): Result<Manifest> => {
  let text: string
  try {
    const size = statSync(file).size
    if (size > manifestBytesMax) return refuse(file, `has ${size} bytes, a manifest has at most ${manifestBytesMax}`)
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT') return refuse(file, 'does not exist; make one with pbft-panel cluster create')
    return refuse(file, `cannot be read: ${String(code)}`)
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refuse(file, `is no JSON: ${error instanceof Error ? error.message : String(error)}`)
  }
  return checkManifest(file, value)
}

/** Who may speak in a cluster, with imported keys. */
export interface Directory {
  readonly clusterId: string
  /** By replica id. */
  readonly replicas: readonly PublicKey[]
  readonly principals: ReadonlyMap<string, { readonly publicKey: PublicKey; readonly operator: boolean }>
}

const imported = (hex: string): PublicKey => {
  const key = importPublicKey(hex)
  if (key === null) throw new Error('a checked manifest holds an invalid public key')
  return key
}

/** Imports the keys of a manifest that `loadManifest` or `checkManifest` has accepted. */
export const directoryOf = (manifest: Manifest): Directory => ({
  clusterId: manifest.clusterId,
  replicas: manifest.replicas.map((member) => imported(member.publicKey)),
  principals: new Map(manifest.principals.map((p) => [p.name, { publicKey: imported(p.publicKey), operator: p.operator }])),
})
