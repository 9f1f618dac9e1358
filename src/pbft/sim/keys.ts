/**
 * Keys of the simulation. A signature is a hash over its signer's secret and what is signed: only who was handed the secret can
 * make it, and the simulator, which knows all secrets, checks it. (Real keys would cost a hundred times as much.)
 */
import { sha256 } from '@noble/hashes/sha2.js'
import type { Digest, ReplicaId } from '../protocol/ids.ts'
import { MAC_BYTES, type Message, type Request } from '../protocol/messages.ts'
import { digestFromBytes, requestSignedBytes, signedParts, type SignedPart, type Signer } from '../wire/index.ts'

/** Every simulation is of the same cluster; its keys differ by seed. */
export const simClusterId = 'simulation'

/** What the names of all simulated clients begin with. */
export const simClients = 'sim/'

export type SignBytes = (bytes: Uint8Array) => Uint8Array

export interface SimKeys {
  signerOf(signer: Signer): SignBytes
  /** One MAC per replica, by the client over the request's signed bytes. */
  macsOf(client: string, bytes: Uint8Array): Uint8Array
  /** Whether every signature in the message holds, so that a replica may hand it to its core. */
  isAuthentic(message: Message, withRequests?: boolean): boolean
  /** The requests in the message whose MACs for `replica` do not hold, by index. */
  unverified(message: Message, replica: ReplicaId): number[]
}

/** Where a simulation goes on from a recorded run: statements of that run are good by its own keys. */
export interface RecordedKeys {
  readonly clusterId: string
  /** Whether a signature of the recorded run holds. */
  holds(part: SignedPart): boolean
}

export function createKeys(seed: number, n: number, recorded: RecordedKeys | null = null): SimKeys {
  const secrets = new Map<string, Uint8Array>()
  const secretOf = (name: string): Uint8Array => {
    const known = secrets.get(name)
    if (known !== undefined) return known
    const secret = sha256(ascii(`secret of ${name} in ${seed}`))
    secrets.set(name, secret)
    return secret
  }
  const seal = (name: string, bytes: Uint8Array): Uint8Array => sha256.create().update(secretOf(name)).update(bytes).digest()
  const macFor = (client: string, replica: number, bytes: Uint8Array): Uint8Array =>
    seal(`${client} to ${replica}`, bytes).subarray(0, MAC_BYTES)
  const hasOwnMac = (request: Request, replica: ReplicaId): boolean => {
    if (request.authentication.kind !== 'macs') return true
    // Their keys are not known here; the replicas of the recorded run have checked their own.
    if (recorded !== null && !request.client.startsWith(simClients)) return true
    const mac = request.authentication.macs.subarray(replica * MAC_BYTES, (replica + 1) * MAC_BYTES)
    return isEqual(mac, macFor(request.client, replica, requestSignedBytes(request, simClusterId)))
  }
  return {
    signerOf: (signer) => (bytes) => seal(nameOf(signer), bytes),
    macsOf(client, bytes) {
      const macs = new Uint8Array(n * MAC_BYTES)
      for (let replica = 0; replica < n; replica++) macs.set(macFor(client, replica, bytes), replica * MAC_BYTES)
      return macs
    },
    isAuthentic(message, withRequests = true) {
      const old = recorded === null ? [] : signedParts(message, n, recorded.clusterId, withRequests)
      return signedParts(message, n, simClusterId, withRequests).every((part, i) => {
        const other = old[i]
        return isEqual(part.signature, seal(nameOf(part.signer), part.bytes)) || (other !== undefined && recorded?.holds(other) === true)
      })
    },
    unverified: (message, replica) => requestsOf(message).flatMap((request, index) => (hasOwnMac(request, replica) ? [] : [index])),
  }
}

/** SHA-256; the digests of short inputs come up again and again (empty partitions) and are remembered. */
export function createDigest(): (bytes: Uint8Array) => Digest {
  const empty = digestFromBytes(sha256(new Uint8Array(0))) as Digest
  return (bytes) => (bytes.length === 0 ? empty : (digestFromBytes(sha256(bytes)) as Digest))
}

function requestsOf(message: Message): readonly Request[] {
  if (message.type === 'request') return [message]
  return message.type === 'pre-prepare' ? message.batch.requests : []
}

const nameOf = (signer: Signer): string => (signer.kind === 'replica' ? `replica ${signer.id}` : `client ${signer.client}`)
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))
const isEqual = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i])
