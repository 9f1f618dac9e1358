/**
 * The mutual handshake of a link, as two pure state machines: bytes in, bytes out, no sockets and no timers.
 *
 *   dialer   -> accepter  hello      who I am, whom I mean, fresh X25519 key and nonce
 *   accepter -> dialer    answer     the same of it, and its Ed25519 signature over both hellos
 *   dialer   -> accepter  proof      the dialer's signature over both hellos and the accepter's signature
 *   accepter -> dialer    welcome    a MAC with the session's key: the accepter has taken the proof
 *
 * Both hellos carry the cluster's id, and signatures are labelled by direction, so nothing said in one cluster, run or
 * direction means anything in another (sign-and-MAC after SIGMA; RFC 7748, RFC 8032, RFC 5869).
 */
import { x25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import crypto, { type KeyObject } from 'node:crypto'
import * as v from 'valibot'
import { sign, signatureBytes, verify, type PrivateKey, type PublicKey } from './keys.ts'
import type { Directory } from './manifest.ts'
import type { HandshakeFailure } from './rejections.ts'

const linkRoles = ['replica', 'client', 'control'] as const
export type LinkRole = (typeof linkRoles)[number]

/** Largest handshake message. */
export const handshakeBytesMax = 4_096

const hex32 = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))
const nameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(64))
const side = {
  version: v.literal(1),
  cluster: v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/)),
  /** A replica's id in decimal, or a principal's name. */
  name: nameSchema,
  key: hex32,
  ephemeral: hex32,
  nonce: hex32,
}
const helloSchema = v.strictObject({ ...side, role: v.picklist(linkRoles), to: nameSchema })
const answerSchema = v.strictObject(side)
type Hello = v.InferOutput<typeof helloSchema>
type Answer = v.InferOutput<typeof answerSchema>

/** Who is at the other end, proven. */
export interface Peer {
  /** What the link is for; an accepter's role is always 'replica'. */
  readonly role: LinkRole
  readonly name: string
}

/** What both ends hold after a handshake. */
export interface Session {
  readonly peer: Peer
  readonly sendKey: KeyObject
  readonly receiveKey: KeyObject
  /** MACs requests of this client for this replica ('mac' authentication); the same at both ends. */
  readonly requestKey: KeyObject
}

export type HandshakeStep =
  | { readonly kind: 'continue'; readonly send: Uint8Array }
  | { readonly kind: 'done'; readonly send: Uint8Array | null; readonly session: Session }
  | { readonly kind: 'failed'; readonly reason: HandshakeFailure; readonly detail: string }

const failed = (reason: HandshakeFailure, detail: string): HandshakeStep => ({ kind: 'failed', reason, detail })

const parse = <T>(schema: v.GenericSchema<unknown, T>, bytes: Uint8Array): T | null => {
  if (bytes.length > handshakeBytesMax) return null
  try {
    const parsed = v.safeParse(schema, JSON.parse(Buffer.from(bytes).toString('utf8')))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

const lengthOf = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return length
}

const signedText = (label: 'dialer' | 'accepter', ...parts: readonly Uint8Array[]): Buffer =>
  Buffer.concat([Buffer.from(`pbft-panel link 1 ${label}\0`), ...parts.flatMap((part) => [lengthOf(part), part])])

interface Keys {
  readonly fromDialer: KeyObject
  readonly fromAccepter: KeyObject
  readonly request: KeyObject
  readonly welcome: Buffer
}

/** Null for a low-order ephemeral key, whose shared secret anyone knows. */
const deriveKeys = (secret: Uint8Array, theirs: string, hello: Uint8Array, answer: Uint8Array): Keys | null => {
  let shared: Uint8Array
  try {
    shared = x25519.getSharedSecret(secret, Buffer.from(theirs, 'hex'))
  } catch {
    return null
  }
  const salt = crypto
    .createHash('sha256')
    .update(signedText('dialer', hello, answer))
    .digest()
  const material = hkdf(nobleSha256, shared, salt, new TextEncoder().encode('pbft-panel link 1 keys'), 128)
  const key = (index: number): KeyObject => crypto.createSecretKey(Buffer.from(material.subarray(index * 32, index * 32 + 32)))
  return { fromDialer: key(0), fromAccepter: key(1), request: key(2), welcome: Buffer.from(material.subarray(96, 128)) }
}

interface Ephemeral {
  readonly secret: Uint8Array
  readonly publicHex: string
  readonly nonce: string
}

const freshEphemeral = (): Ephemeral => {
  const secret = crypto.randomBytes(32)
  return { secret, publicHex: Buffer.from(x25519.getPublicKey(secret)).toString('hex'), nonce: crypto.randomBytes(32).toString('hex') }
}

export interface DialerIdentity {
  readonly role: LinkRole
  /** The replica's id in decimal, or the principal's name. */
  readonly name: string
  readonly key: PrivateKey
}

export interface Handshake {
  /** Takes the next message of the other side. Not called again after `done` or `failed`. */
  onMessage(bytes: Uint8Array): HandshakeStep
}

/** The dialling side, towards replica `to`. `hello` is its first message. */
export const dialerHandshake = (directory: Directory, identity: DialerIdentity, to: number): Handshake & { readonly hello: Uint8Array } => {
  const ephemeral = freshEphemeral()
  const said: Hello = {
    version: 1,
    cluster: directory.clusterId,
    role: identity.role,
    name: identity.name,
    to: String(to),
    key: identity.key.publicKey.hex,
    ephemeral: ephemeral.publicHex,
    nonce: ephemeral.nonce,
  }
  const hello = Buffer.from(JSON.stringify(said))
  let awaited: { readonly keys: Keys } | null = null

  const onAnswer = (bytes: Uint8Array): HandshakeStep => {
    if (bytes.length <= signatureBytes) return failed('malformed', 'the answer is too short')
    const answer = bytes.subarray(signatureBytes)
    const signature = bytes.subarray(0, signatureBytes)
    const theirs = parse<Answer>(answerSchema, answer)
    if (theirs === null) return failed('malformed', 'the answer is none of this protocol')
    if (theirs.cluster !== directory.clusterId) return failed('wrong-cluster', `it belongs to cluster ${theirs.cluster}`)
    if (theirs.name !== said.to) return failed('wrong-peer', `replica ${said.to} was dialled and ${theirs.name} answered`)
    const known = directory.replicas[to]
    if (known === undefined) return failed('unknown-peer', `the manifest has no replica ${said.to}`)
    if (theirs.key !== known.hex) return failed('wrong-key', `replica ${said.to} presents another key than the manifest's`)
    if (!verify(known, signedText('accepter', hello, answer), signature)) {
      return failed('bad-signature', `replica ${said.to} does not hold the key that it presents`)
    }
    const keys = deriveKeys(ephemeral.secret, theirs.ephemeral, hello, answer)
    if (keys === null) return failed('malformed', 'the ephemeral key is of low order')
    awaited = { keys }
    return { kind: 'continue', send: sign(identity.key, signedText('dialer', hello, bytes)) }
  }

  const onWelcome = (bytes: Uint8Array, keys: Keys): HandshakeStep => {
    if (bytes.length !== keys.welcome.length || !crypto.timingSafeEqual(bytes, keys.welcome)) {
      return failed('bad-signature', `replica ${said.to} did not confirm the session key`)
    }
    const peer: Peer = { role: 'replica', name: said.to }
    const session: Session = { peer, sendKey: keys.fromDialer, receiveKey: keys.fromAccepter, requestKey: keys.request }
    return { kind: 'done', send: null, session }
  }

  return { hello, onMessage: (bytes) => (awaited === null ? onAnswer(bytes) : onWelcome(bytes, awaited.keys)) }
}

const lookUp = (directory: Directory, hello: Hello): { readonly key: PublicKey } | Extract<HandshakeStep, { kind: 'failed' }> => {
  const unknown = { kind: 'failed', reason: 'unknown-peer', detail: `${hello.role} ${hello.name} is not in the manifest` } as const
  if (hello.role === 'replica') {
    const key = /^(0|[1-9]\d?)$/.test(hello.name) ? directory.replicas[Number(hello.name)] : undefined
    return key === undefined ? unknown : { key }
  }
  const principal = directory.principals.get(hello.name)
  if (principal === undefined) return unknown
  if (hello.role === 'control' && !principal.operator) {
    return { kind: 'failed', reason: 'not-operator', detail: `${hello.name} is no operator, so it may not open control links` }
  }
  return { key: principal.publicKey }
}

/** The accepting side: replica `id` with its key. */
export const accepterHandshake = (directory: Directory, id: number, key: PrivateKey): Handshake => {
  let awaited: { readonly text: Buffer; readonly theirs: PublicKey; readonly keys: Keys; readonly peer: Peer } | null = null

  const onHello = (bytes: Uint8Array): HandshakeStep => {
    const hello = parse<Hello>(helloSchema, bytes)
    if (hello === null) return failed('malformed', 'the hello is none of this protocol')
    if (hello.cluster !== directory.clusterId)
      return failed('wrong-cluster', `${hello.role} ${hello.name} belongs to cluster ${hello.cluster}`)
    if (hello.to !== String(id)) return failed('wrong-peer', `${hello.role} ${hello.name} wanted replica ${hello.to}, this is ${id}`)
    if (hello.role === 'replica' && hello.name === String(id)) return failed('wrong-peer', `a replica ${id} dialled this replica ${id}`)
    const found = lookUp(directory, hello)
    if ('kind' in found) return found
    if (found.key.hex !== hello.key) return failed('wrong-key', `${hello.role} ${hello.name} presents another key than the manifest's`)
    const ephemeral = freshEphemeral()
    const said: Answer = {
      version: 1,
      cluster: directory.clusterId,
      name: String(id),
      key: key.publicKey.hex,
      ephemeral: ephemeral.publicHex,
      nonce: ephemeral.nonce,
    }
    const answer = Buffer.from(JSON.stringify(said))
    const keys = deriveKeys(ephemeral.secret, hello.ephemeral, bytes, answer)
    if (keys === null) return failed('malformed', 'the ephemeral key is of low order')
    const send = Buffer.concat([sign(key, signedText('accepter', bytes, answer)), answer])
    awaited = { text: signedText('dialer', bytes, send), theirs: found.key, keys, peer: { role: hello.role, name: hello.name } }
    return { kind: 'continue', send }
  }

  const onProof = (bytes: Uint8Array, { text, theirs, keys, peer }: NonNullable<typeof awaited>): HandshakeStep => {
    if (!verify(theirs, text, bytes)) return failed('bad-signature', `${peer.role} ${peer.name} does not hold the key that it presents`)
    const session: Session = { peer, sendKey: keys.fromAccepter, receiveKey: keys.fromDialer, requestKey: keys.request }
    return { kind: 'done', send: keys.welcome, session }
  }

  return { onMessage: (bytes) => (awaited === null ? onHello(bytes) : onProof(bytes, awaited)) }
}
